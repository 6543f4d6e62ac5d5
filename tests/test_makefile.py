"""The Makefile: names lead to scripts, and an environment is made again when necessary."""

import os
import re
import subprocess
from pathlib import Path

import pytest

from rig.toolkit import NOT_INHERITED, ROOT
from rig.vllm_ages import AGES, NEWEST


def words(pattern: str) -> list[str]:
    """The words after a pattern in the Makefile; a backslash continues the line."""
    text = (ROOT / "Makefile").read_text(encoding="utf-8").replace("\\\n", "")
    found = re.search(f"^{pattern}(.*)$", text, re.MULTILINE)
    assert found
    return found[1].split()


VERBS = words("VERBS := ")
VLLMS = words("VLLMS := ")
MENDING = ("tests/vllm/mend.py", "tests/vllm/torchvision_without_cuda.py")
OLDER = {
    ".venv/setup": ["requirements.txt"],
    ".venv/setup-dev": ["requirements-dev.txt", "vm_side/cpu_endpoint/requirements.txt"],
    ".venv-parity/setup": ["tests/parity/requirements.txt"],
    **{
        f".venv-vllm-{version}/setup": [f"tests/vllm/requirements-{version}.txt", *MENDING]
        for version in VLLMS
    },
}
ON_THE_CLOUD = {"create", "delete", "logs"}  # tested together in tests/tools/cloud/test_targets.py
ON_THE_CLOUD |= {"check-account"}  # tested there, in a file of its own


def targets() -> list[str]:
    """All targets that a person may call."""
    return [*VERBS, *(name for name in words(".PHONY: ") if name != "$(VERBS)")]


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A project with all environments, newer than the files that they depend on."""
    (tmp_path / "Makefile").write_bytes((ROOT / "Makefile").read_bytes())
    lists = [name for names in OLDER.values() for name in names]
    for time, name in enumerate((*lists, *OLDER), 1000):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
        os.utime(path, (time, time))
    return tmp_path


def make(folder: Path, *arguments: str) -> str:
    """Run make and return its output; it must succeed."""
    environment = {k: v for k, v in os.environ.items() if k not in NOT_INHERITED}
    done = subprocess.run(
        ["make", "-C", str(folder), "--no-print-directory", *arguments],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_help_lists_all_targets_and_is_the_default(project: Path) -> None:
    text = make(project)
    assert text == make(project, "help")
    listed = re.findall(r"^  ([a-z-]+) +\S", text, re.MULTILINE)
    assert sorted(listed) == sorted(targets())


def test_every_verb_has_a_target_and_every_target_a_script(project: Path) -> None:
    scripts = {}
    for target in targets():
        commands = make(project, "-n", *(["-B"] if target == "setup" else []), target)
        if script := re.search(r"tools/(\w+)\.py", commands):
            scripts[target] = script[1]
    verbs = [path.stem for path in (ROOT / "tools").glob("*.py")]
    assert scripts == {verb.replace("_", "-"): verb for verb in verbs}


@pytest.mark.parametrize("verb", VERBS)
def test_a_target_runs_its_script_and_nothing_else(project: Path, verb: str) -> None:
    script = verb.replace("-", "_")
    assert make(project, "-n", verb) == f".venv/bin/python tools/{script}.py\n"


def test_every_verb_has_a_test_of_its_name() -> None:
    tested = {path.stem.removeprefix("test_") for path in (ROOT / "tests/tools").glob("test_*.py")}
    assert tested | ON_THE_CLOUD >= set(VERBS)


def test_a_file_of_a_target_s_name_is_in_nobody_s_way(project: Path) -> None:
    for verb in VERBS:
        (project / verb).touch()
    assert "tools/all.py" in make(project, "-n", "all")


def test_what_is_quick_is_a_part_of_all(project: Path) -> None:
    folders = make(project, "-n", "test-quick").split("loadfile ")[1].split()
    assert all(list((ROOT / folder).glob("test_*.py")) for folder in folders)
    assert not any(part in folder for folder in folders for part in ("cloud", "fleet", "machine"))


def test_variables_of_the_make_line_reach_the_script(project: Path) -> None:
    """Also with spaces and Korean. The variables are in the environment, where knobs are read."""
    program = project / "show"
    program.write_text('#!/bin/sh\necho "$INPUT|$PROCESSES|$1"\n')
    program.chmod(0o755)
    arguments = ("upload", f"PY={program}", "INPUT=/내 문서/a b", "PROCESSES=4")
    assert make(project, *arguments) == "/내 문서/a b|4|tools/upload.py\n"


def test_what_stands_on_the_make_line_is_no_make(project: Path) -> None:
    """A $ in a folder's name is a $, and no command in a knob is run."""
    program = project / "show"
    program.write_text('#!/bin/sh\necho "$INPUT|$OUTPUT"\n')
    program.chmod(0o755)
    input_folder, output = "/data/in$HOME/50$$ #1", f"$(shell touch {project}/ran)${{x}}'\\"
    arguments = ("upload", f"PY={program}", f"INPUT={input_folder}", f"OUTPUT={output}")
    assert make(project, *arguments) == f"{input_folder}|{output}\n"
    assert not (project / "ran").exists()


@pytest.mark.parametrize("target", ["setup", "all", "test", "lint", "parity", "test-vllm"])
def test_an_environment_that_is_made_stays(project: Path, target: str) -> None:
    assert "venv" not in make(project, "-n", target).replace(".venv/bin/python", "")


@pytest.mark.parametrize(
    ("target", "changed", "made"),
    [
        ("setup", "requirements.txt", ["tools/setup.py .venv requirements.txt"]),
        ("start", "requirements.txt", ["tools/setup.py .venv requirements.txt"]),
        ("test", "requirements-dev.txt", ["-r requirements-dev.txt"]),
        ("lint", "requirements.txt", ["tools/setup.py .venv", "-r requirements-dev.txt"]),
        ("test", "vm_side/cpu_endpoint/requirements.txt", ["--no-deps -r vm_side/cpu_endpoint"]),
        ("parity", "tests/parity/requirements.txt", ["-m venv --clear .venv-parity"]),
        *(
            (
                "test-vllm",
                name,
                [f"-m venv --clear {folder}", f"{folder}/bin/python tests/vllm/mend"],
            )
            for stamp, names in OLDER.items()
            if "vllm" in (folder := stamp.removesuffix("/setup"))
            for name in names
        ),
    ],
)
def test_an_environment_is_made_anew_when_its_list_changed(
    project: Path, target: str, changed: str, made: list[str]
) -> None:
    os.utime(project / changed, (2000, 2000))
    commands = make(project, "-n", target)
    for part in made:
        assert part in commands


def test_all_ages_of_vllm_or_the_one_that_is_named(project: Path) -> None:
    """They are the versions that have a list, and a row in the table of differences."""
    runs = [
        f"VLLM={version} .venv/bin/python -m pytest --timeout=900 tests/vllm" for version in VLLMS
    ]
    assert make(project, "-n", "test-vllm").splitlines() == runs
    assert make(project, "-n", "test-vllm", f"VLLM={VLLMS[0]}").splitlines() == runs[:1]
    lists = {path.name for path in (ROOT / "tests/vllm").glob("requirements-*.txt")}
    assert lists == {f"requirements-{version}.txt" for version in VLLMS}
    assert set(VLLMS) <= {age.version for age in AGES}
    assert VLLMS[-1] == NEWEST.version


def test_a_vllm_that_is_not_known(project: Path) -> None:
    done = subprocess.run(
        ["make", "-C", str(project), "test-vllm", "VLLM=0.12.0"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2
    assert f"VLLM=0.12.0 is not known here; known: {' '.join(VLLMS)}" in done.stderr


def test_the_users_environment_has_nothing_for_developers(project: Path) -> None:
    (project / ".venv/setup").unlink()
    commands = make(project, "-n", "all")
    assert "setup.py .venv requirements.txt" in commands
    assert "dev" not in commands
    assert "cpu_endpoint" not in commands
