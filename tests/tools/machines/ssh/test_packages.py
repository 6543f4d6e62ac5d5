"""The machine's packages, which this computer collects for the machine's Python."""

import re
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from importlib import metadata
from pathlib import Path

import pytest
from packaging.markers import Marker
from packaging.requirements import Requirement

from lib.console import Failure
from lib.knobs import ROOT
from lib.machines.ssh import packages

PIN = re.compile(r"^([a-z0-9-]+)==(\S+)", re.M)
MARKED = re.compile(r"^([a-z0-9-]+)==\S+ ; (.+?) \\$", re.M)
TOP_OF_FLEET = ("distributed", "bokeh", "gcsfs")
UNUSED = {"six"}  # rapidocr requires it, but never imports it
OF_AN_EXTRA = {"grpcio-status"}  # google-api-core[grpc]
PINNED = (
    "requirements.txt",
    "requirements-dev.txt",
    "vm_side/requirements.txt",
    "vm_side/requirements-fleet.txt",
    "vm_side/requirements-reader.txt",
    "vm_side/cpu_endpoint/requirements.txt",
)
OURS = f"{sys.version_info.major}.{sys.version_info.minor}"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty packages folder."""
    monkeypatch.setattr(packages, "PACKAGES", tmp_path / "packages")
    return tmp_path / "packages"


def test_they_are_pinned_as_the_project_pins_them() -> None:
    theirs = PIN.findall((ROOT / "vm_side/requirements.txt").read_text())
    ours = PIN.findall((ROOT / "requirements.txt").read_text())
    assert theirs
    assert set(theirs) <= set(ours)


def pins(*names: str) -> dict[str, str]:
    """Package versions that these files pin."""
    return dict(PIN.findall("\n".join((ROOT / name).read_text() for name in names)))


def test_those_of_a_fleet_are_pinned_so_too_and_are_all_that_it_needs() -> None:
    theirs = pins("vm_side/requirements-fleet.txt")
    alone = pins("vm_side/requirements.txt")
    assert alone.items() <= theirs.items()
    assert theirs.items() <= pins("requirements.txt", "requirements-dev.txt").items()
    needed = needed_by(*TOP_OF_FLEET) | alone.keys()
    assert theirs.keys() - OF_AN_EXTRA - of_other_pythons() == needed


def of_other_pythons() -> set[str]:
    """Packages that are not installed here, because a newer Python includes their content."""
    marked = MARKED.findall((ROOT / "requirements-dev.txt").read_text())
    return {name for name, marker in marked if not Marker(marker).evaluate()}


def needed_by(*names: str) -> set[str]:
    """These packages and all that they require, according to what is installed here."""
    needed, new = set[str](), set(names)
    while new:
        name = new.pop()
        needed.add(name)
        wanted = map(Requirement, metadata.distribution(name).requires or [])
        used = [one for one in wanted if not one.marker or one.marker.evaluate({"extra": ""})]
        new |= {re.sub(r"[-_.]+", "-", one.name).lower() for one in used} - needed - UNUSED
    return needed


def test_those_of_the_second_reader_are_pinned_so_too_and_are_all_that_it_needs() -> None:
    """They have the versions of the CPU preview, with what these need, and no more."""
    pytest.importorskip("rapidocr", reason="the CPU engine's packages")
    theirs, alone = pins("vm_side/requirements-reader.txt"), pins("vm_side/requirements.txt")
    assert alone.items() <= theirs.items()
    engines = pins("requirements.txt", "vm_side/cpu_endpoint/requirements.txt")
    assert {name for name, _ in theirs.items() - engines.items()} == UNUSED
    assert theirs.keys() == needed_by("rapidocr") | alone.keys() | UNUSED


@pytest.mark.parametrize("name", PINNED)
def test_every_file_that_is_installed_is_known_by_its_hash(name: str) -> None:
    """So an index, or an attacker in between, cannot deliver another file."""
    entries = re.split(r"\n(?=\S)", (ROOT / name).read_text().strip())
    assert len(entries) > 4
    for entry in entries:
        assert re.match(r"[a-z0-9-]+==\S+( ; .*)? \\\n", entry), entry
        assert re.findall(r"--hash=sha256:[0-9a-f]{64}\b", entry), entry


def test_another_file_of_the_same_version_is_not_collected(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = packages.REQUIREMENTS.read_text()
    (tmp_path / "pins").write_text(re.sub(r"sha256:.{8}", "sha256:00000000", text))
    monkeypatch.setattr(packages, "REQUIREMENTS", tmp_path / "pins")
    with pytest.raises(Failure, match="DO NOT MATCH THE HASHES"):
        packages.collect_packages(OURS)


def test_those_of_a_fleet_and_of_the_second_reader_are_collected_apart(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    called: list[str] = []

    def install(command: list[str], **options: object) -> "subprocess.CompletedProcess[str]":
        called.append(" ".join(command))
        return subprocess.CompletedProcess(command, 0, "", "")

    monkeypatch.setattr("subprocess.run", install)
    wanted = ((False, False), (True, False), (False, True), (True, True))
    found = [packages.collect_packages("3.12", *which) for which in wanted]
    assert len(set(found)) == 3 and found[1] == found[3], "a fleet has no second reader"
    lists = [Path(text.split()[-1]).name for text in called]
    assert lists == ["requirements.txt", "requirements-fleet.txt", "requirements-reader.txt"]


def test_two_runs_that_collect_them_at_once_do_not_disturb_each_other(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    both = threading.Barrier(2, timeout=60)

    def install(command: list[str], **options: object) -> "subprocess.CompletedProcess[str]":
        Path(command[command.index("--target") + 1], "package.py").touch()
        both.wait()
        return subprocess.CompletedProcess(command, 0, "", "")

    monkeypatch.setattr("subprocess.run", install)
    with ThreadPoolExecutor(2) as pool:
        found = set(pool.map(packages.collect_packages, [OURS, OURS]))
    assert found == set(folder.iterdir()) and len(found) == 1
    assert [path.name for path in found.pop().iterdir()] == ["package.py"]


def test_they_are_all_that_the_command_imports(folder: Path) -> None:
    """In a Python without any packages of its own."""
    found = packages.collect_packages(OURS)
    assert list(folder.iterdir()) == [found]
    script = ROOT / "vm_side" / "process_all_images.py"
    done = subprocess.run(
        [sys.executable, "-I", "-S", "-c", RUN, str(found), str(script.parent), str(script)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, "--max-pixels" in done.stdout) == (0, True), done.stderr


RUN = """
import runpy, sys
packages, folder, script = sys.argv[1:]
sys.path[:0] = [folder, packages]
sys.argv = [script, "--help"]
runpy.run_path(script, run_name="__main__")
"""


def test_the_second_time_nothing_is_asked_for(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither an index nor pip is used, so it works without a network."""

    def install(command: list[str], **options: object) -> "subprocess.CompletedProcess[str]":
        return subprocess.CompletedProcess(command, 0, "", "")

    with monkeypatch.context() as patch:
        patch.setattr("subprocess.run", install)
        first = packages.collect_packages("3.12")
    monkeypatch.setattr("subprocess.run", None)
    assert packages.collect_packages("3.12") == first
    assert first.is_dir() and first.parent == folder


def test_new_pins_and_another_python_are_collected_anew(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pins = tmp_path / "requirements.txt"
    monkeypatch.setattr(packages, "REQUIREMENTS", pins)
    for text in ("", "# other\n"):
        pins.write_text(text)
        for version in ("3.11", "3.12"):
            assert packages.collect_packages(version).name.startswith(f"python{version}-")
    assert len(list(folder.iterdir())) == 4


def test_what_pip_cannot_do_is_told_and_leaves_nothing(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pins = tmp_path / "requirements.txt"
    pins.write_text("no-such-package-of-ours==1.0\n")
    monkeypatch.setattr(packages, "REQUIREMENTS", pins)
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    with pytest.raises(Failure, match=r"(?s)for Python 3\.11.*no-such-package-of-ours.*make start"):
        packages.collect_packages("3.11")
    assert not folder.exists() or not list(folder.iterdir())
