"""Tries mutants of a small project: what its tests notice, what hangs, what is forbidden."""

import os
import pickle
import subprocess
import sys
from pathlib import Path

import pytest

from mutate.mutants import mutants_of
from mutate.running import Result, refuse_others
from rig.toolkit import ROOT

CODE = """
def least(a, b):
    while a > b:
        a -= 1
    return a


def unused():
    return 7 - 0
"""
TEST = "from some import least\n\ndef test_least():\n    assert least(3, 1) == {}\n"
# like tests/conftest.py
FREEZES = "import gc\n\ndef pytest_collection_finish():\n    gc.freeze()\n"
TRY = f"""
import os, pickle, sys
from pathlib import Path
sys.path.insert(0, {str(ROOT / "tests")!r})
import pytest
from mutate.mutants import mutants_of
from mutate import running
running.HANGS_S = 0.2
folder = Path.cwd()
trial = running.Trial(folder, {{"some.py": mutants_of(Path("some.py").read_text())}})
code = pytest.main([f"--rootdir={{folder}}", "-qs", "-p", "no:cacheprovider", "."], [trial])
Path("results").write_bytes(pickle.dumps((int(code), trial.results)))
"""


def tried(folder: Path, expected: int) -> tuple[int, list[Result]]:
    """Try the mutants; return pytest's exit code and the results."""
    (folder / "some.py").write_text(CODE)
    (folder / "conftest.py").write_text(FREEZES)
    (folder / "test_some.py").write_text(TEST.format(expected))
    subprocess.run([sys.executable, "-c", TRY], cwd=folder, capture_output=True, check=True)
    found: tuple[int, list[Result]] = pickle.loads((folder / "results").read_bytes())
    return found


def test_what_the_tests_see_is_killed_and_so_is_what_hangs(tmp_path: Path) -> None:
    code, results = tried(tmp_path, 1)
    assert code == 0 and len(results) == len(mutants_of(CODE))
    alive = {
        (found.mutant.function, found.mutant.change) for found in results if not found.is_killed
    }
    assert {change for function, change in alive if function == "least"} == {"1 -> 2"}
    # this mutant never ends
    assert any(found.mutant.change == "a -= 1 -> a += 1" for found in results)
    assert sum(found.mutant.function == "unused" and found.is_killed for found in results) == 0
    assert (tmp_path / "some.py").read_text() == CODE


def test_tests_that_fail_anyway_tell_nothing(tmp_path: Path) -> None:
    code, results = tried(tmp_path, 5)
    assert code == pytest.ExitCode.INTERNAL_ERROR and results == []


def test_a_mutant_sends_no_signal_to_a_stranger() -> None:
    # It needs another session: in a container, even process 1 may be in the session of the tests.
    with subprocess.Popen(["sleep", "600"], start_new_session=True) as stranger:
        try:
            for event in ("os.kill", "os.killpg"):
                for pid in (stranger.pid, 0, -1):
                    with pytest.raises(PermissionError, match="by a mutant"):
                        refuse_others(event, (pid, 9))
            refuse_others("os.kill", (stranger.pid, 0))  # signal 0 only asks whether it lives
            refuse_others("os.kill", (os.getpid(), 15))
            refuse_others("open", ("a file", "r", 0))
        finally:
            stranger.kill()
