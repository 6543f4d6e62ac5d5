"""One command at a time records what is in OUTPUT: none undoes the work of another."""

import errno
import fcntl
from collections.abc import Callable
from pathlib import Path

import pytest

from lib import alone, checking, home
from lib.alone import alone_in
from lib.console import Failure
from lib.corrections.applying import apply
from lib.knobs import Knobs
from lib.machines.local import LocalMachine
from lib.report import compare_build
from lib.report.build import build
from lib.report.comparison import Side, compare, open_side
from rig.result_sets import ResultSet
from rig.toolkit import files_below


def test_one_at_a_time(tmp_path: Path) -> None:
    """Also after a failure. Nothing is left in the folder."""
    for _ in range(2):
        with pytest.raises(ZeroDivisionError), alone_in(tmp_path, 0):
            with pytest.raises(Failure, match="another command"), alone_in(tmp_path, 0):
                raise AssertionError("two")
            raise ZeroDivisionError
    assert files_below(tmp_path) == []


def test_who_waits_is_told_once_why(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    heard: list[str] = []
    monkeypatch.setattr(alone, "note", heard.append)
    monkeypatch.setattr(alone, "SILENT_S", 0)
    with alone_in(tmp_path), pytest.raises(Failure), alone_in(tmp_path, patience_s=0.3):
        pass
    assert heard == [f"another command is at work in {tmp_path}; waiting for its end …"]


@pytest.mark.parametrize(("number", "goes_on"), [(errno.ENOLCK, True), (errno.EIO, False)])
def test_a_disk_without_locks(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int, goes_on: bool
) -> None:
    def flock(*_: object) -> None:
        raise OSError(number, "none")

    monkeypatch.setattr(fcntl, "flock", flock)
    if goes_on:
        with alone_in(tmp_path):
            return
    with pytest.raises(OSError, match="none"), alone_in(tmp_path):
        raise AssertionError("it is not known that we are alone")


WRITERS: dict[str, Callable[[Knobs, Path], object]] = {
    "download": lambda knobs, _: home.bring_home(LocalMachine(knobs), knobs),
    "all": lambda _, output: home.note_not_read(output, {".txt": 1}),
    "apply": lambda knobs, output: apply([], output, None, knobs),
}


@pytest.mark.parametrize("writer", WRITERS)
def test_who_writes_waits_for_others(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, writer: str
) -> None:
    output, machine = tmp_path / "out", tmp_path / "machine"
    knobs = Knobs(target="local", output=str(output), machine_dir=str(machine))
    manifest = '{"page": "a/a", "input": "a.png", "pdf_page": null, "status": "failed"}\n'
    for folder in (output, machine / "result"):
        folder.mkdir(parents=True)
        (folder / "manifest.jsonl").write_text(manifest)
    (output / "summary.json").write_text("{}")
    monkeypatch.setattr(alone, "PATIENCE_S", 0)
    with alone_in(output), pytest.raises(Failure, match="another command is at work"):
        WRITERS[writer](knobs, output)
    WRITERS[writer](knobs, output)


REPORTS: dict[str, Callable[[Side], object]] = {
    "report_files": lambda side: build(side.root, None),
    "compare_files": lambda side: compare_build.write(side, side, compare(side, side)),
}


@pytest.mark.parametrize("folder", REPORTS)
def test_of_two_reports_one_waits(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, folder: str
) -> None:
    """Otherwise each would write, and remove, files that the other's page loads."""
    results = ResultSet(tmp_path)
    results.add("a.png", [])
    side = open_side(str(results.finish()))
    (tmp_path / folder).mkdir()
    monkeypatch.setattr(alone, "PATIENCE_S", 0)
    with alone_in(tmp_path / folder), pytest.raises(Failure, match="another command is at work"):
        REPORTS[folder](side)
    REPORTS[folder](side)


def test_what_was_checked_is_written_down_later(tmp_path: Path) -> None:
    """While another command writes, new findings wait for the next look."""
    (tmp_path / "out").mkdir()
    manifest, found = tmp_path / "out/manifest.jsonl", tmp_path / "found"
    which = '"input": "a.png", "pdf_page": null, "sha256": "s", "finished_at": 1.5'
    manifest.write_text(f'{{"page": "a/a", "status": "ok", {which}}}\n')
    found.write_text(f'{{{which}, "changes": {{"status": "doubtful"}}}}\n')
    with alone_in(tmp_path / "out"):
        checking.write_some(tmp_path / "out", found)
        assert "doubtful" not in manifest.read_text()
    checking.write_some(tmp_path / "out", found)
    assert "doubtful" in manifest.read_text()
