"""Making the environment: if it fails, one line says why and what to type."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

import setup
from rig.toolkit import ROOT

NOBODY = "http://127.0.0.1:9/simple"


@pytest.mark.parametrize(
    ("version", "with_venv", "with_apt", "said"),
    [
        ((3, 11), True, True, ""),
        ((3, 14), True, False, ""),
        ((3, 10), False, True, "apt-get install python3.11-venv, then make … PYTHON=python3.11"),
        ((3, 9), True, False, "is too old, python3.11 or newer is needed: install python3.11"),
        ((3, 13), False, True, "sudo apt-get install python3.13-venv, then the same again"),
        ((3, 12), False, False, "python3.12 has no venv or no ensurepip: install both"),
    ],
)
def test_what_keeps_a_python_from_it(
    version: tuple[int, int], with_venv: bool, with_apt: bool, said: str
) -> None:
    found = setup.hindrance(version, with_venv, with_apt)
    assert said in found and bool(said) == bool(found) and "\n" not in found


def run(folder: Path, requirements: str) -> subprocess.CompletedProcess[str]:
    """Run setup.py as make does, with a package index that does not exist."""
    file = folder / "requirements.txt"
    file.write_text(requirements)
    own = {name: text for name, text in os.environ.items() if not name.startswith("PIP_")}
    return subprocess.run(
        [sys.executable, ROOT / "tools/setup.py", folder / "env", file],
        env={**own, "PIP_CONFIG_FILE": os.devnull, "PIP_INDEX_URL": NOBODY, "PIP_RETRIES": "0"},
        capture_output=True,
        text=True,
        check=False,
    )


def test_no_network_is_one_line_and_all_of_it_can_be_seen(tmp_path: Path) -> None:
    done = run(tmp_path, f"click==8.1.7 --hash=sha256:{'0' * 64}\n")
    assert done.returncode == 1 and done.stdout == ""
    [line] = done.stderr.splitlines()
    assert line.startswith("Error: the packages were not installed (network? disk?): ERROR:")
    assert line.endswith(f"-r {tmp_path / 'requirements.txt'}")


def test_an_empty_list_makes_an_empty_environment(tmp_path: Path) -> None:
    done = run(tmp_path, "")
    assert (done.returncode, done.stderr) == (0, "")
    assert (tmp_path / "env/bin/python").exists()


def test_a_folder_that_cannot_be_made(tmp_path: Path) -> None:
    (tmp_path / "env").touch()
    done = run(tmp_path, "")
    [line] = done.stderr.splitlines()
    assert done.returncode == 1 and line.startswith(f"Error: no environment in {tmp_path}/env: ")


def test_wrong_words_are_answered_by_how_to_call_it() -> None:
    for words in ([], ["--version"], ["a", "b", "c"]):
        command = [sys.executable, str(ROOT / "tools" / "setup.py"), *words]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        assert (done.returncode, done.stdout) == (2, "")
        assert "setup.py FOLDER REQUIREMENTS" in done.stderr and "Traceback" not in done.stderr
