"""What a release has: one version everywhere, completion, the pages for citing and agents."""

import json
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from lib.knobs import TABLE
from rig.toolkit import ROOT
from test_makefile import targets
from version import VERSION

HAS_MAIN = re.compile(r"^def main\(", re.MULTILINE)
SCRIPTS = sorted(
    path.relative_to(ROOT).as_posix()
    for folder in ("tools", "vm_side")
    for path in (ROOT / folder).glob("*.py")
    if HAS_MAIN.search(path.read_text(encoding="utf-8"))
)
NAMES_ALL = """
import importlib, json, sys
sys.path[:0] = ["tools", "vm_side"]
for name in sys.argv[1:]:
    command = importlib.import_module(name).main
    print(json.dumps([name, [word for option in command.params for word in option.opts]]))
"""


def read(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


def test_one_version() -> None:
    citation = dict(re.findall(r"^([\w-]+): (.+)$", read("CITATION.cff"), re.MULTILINE))
    latest = re.search(r"^## (\d\S*), (\S+)$", read("CHANGELOG.md"), re.MULTILINE)
    assert latest
    assert latest[1] == VERSION == citation["version"]
    assert latest[2] == citation["date-released"]
    assert tomllib.loads(read("pyproject.toml"))["project"]["version"] == VERSION


def test_every_script_tells_it() -> None:
    """The commands' own options, in one process: this saves the start of each command."""
    names = [Path(path).stem for path in SCRIPTS]
    done = subprocess.run(
        [sys.executable, "-c", NAMES_ALL, *names],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    options = dict(json.loads(line) for line in done.stdout.splitlines())
    assert len(options) == len(SCRIPTS) > 20
    assert all("--version" in words for words in options.values())


@pytest.mark.parametrize("script", ["tools/status.py", "vm_side/process_all_images.py"])
def test_how_it_is_told(script: str) -> None:
    done = subprocess.run(
        [sys.executable, ROOT / script, "--version"], capture_output=True, text=True, check=True
    )
    assert done.stdout == f"dots-ocr-vm-toolkit, version {VERSION}\n"


def completed(folder: Path, line: str, before: str = "") -> set[str]:
    """What bash offers for the last word of a line; `before` is sourced first."""
    words = re.findall(r"=|[^\s=]+|(?<=\s)$|(?<==)$", line)
    ask = f"""
        compopt() {{ :; }}  # known to bash only while it completes
        {before}
        source {ROOT}/tools/completion.bash; source {ROOT}/tools/completion.bash
        COMP_WORDS=({" ".join(repr(word) for word in words)}) COMP_CWORD={len(words) - 1}
        _dots_ocr_make make; printf '%s\\n' "${{COMPREPLY[@]}}"
    """
    done = subprocess.run(
        ["bash", "-c", ask], cwd=folder, capture_output=True, text=True, check=True
    )
    assert done.stderr == ""
    return set(done.stdout.split())


def test_targets_and_knobs_are_completed() -> None:
    everything = completed(ROOT, "make ")
    assert set(targets()) <= everything
    assert {f"{name}=" for name in TABLE} <= everything
    assert completed(ROOT, "make all INP") == {"INPUT="}


def test_an_older_bash_completes_too() -> None:
    """A Mac's bash of 2007 has no compopt."""
    gone = "unset -f compopt; enable -n compopt"
    assert completed(ROOT, "make all INP", gone) == {"INPUT="}


def test_files_are_left_to_bash() -> None:
    assert completed(ROOT, "make all INPUT=") == set()
    assert completed(ROOT, "make all INPUT=sam") == set()


def test_elsewhere_make_is_completed_as_before(tmp_path: Path) -> None:
    before = "_before() { COMPREPLY=(theirs); }; complete -F _before make"
    assert completed(tmp_path, "make ", before) == {"theirs"}
    assert completed(tmp_path, "make ") == set()
    assert "theirs" not in completed(ROOT, "make ", before)


def test_hooks_call_targets() -> None:
    """Only the project's own hooks, no hooks of other repositories."""
    text = read(".pre-commit-config.yaml")
    assert re.findall(r"repo: (.+)", text) == ["local"]
    entries = re.findall(r"entry: make (.+)", text)
    assert entries and set(entries) <= set(targets())


def test_agents_are_told_commands_that_exist() -> None:
    text = read("AGENTS.md")
    assert set(re.findall(r"^make ([a-z-]+)", text, re.MULTILINE)) <= set(targets())
    for path in re.findall(r"`([\w/.]+/[\w.]*)`", text):
        assert (ROOT / path).exists(), path
