"""Copying in such a way that a target file is always complete."""

import errno
import os
import shutil
from pathlib import Path

import pytest

from lib import files
from rig.toolkit import files_below


def write(path: Path, text: str, mtime: int | None = None) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    if mtime is not None:
        os.utime(path, (mtime, mtime))
    return path


def test_copies_with_time_and_folders(tmp_path: Path) -> None:
    source, target = write(tmp_path / "a", "new", 1000), tmp_path / "x/y/a"
    assert files.copy_new(source, target)
    assert target.read_text() == "new"
    assert target.stat().st_mtime == 1000
    assert not files.copy_new(source, target)


@pytest.mark.parametrize(
    ("text", "mtime", "copied"),
    [
        ("text", 1000, False),  # unchanged
        ("text", 2000, False),  # another time, but the same bytes
        ("next", 2000, True),  # the same size, but other bytes
        ("next", 1000, True),  # and the same time, as after unzip or cp -p
        ("longer", 1000, True),
    ],
)
def test_copies_what_differs(tmp_path: Path, text: str, mtime: int, copied: bool) -> None:
    source, target = write(tmp_path / "a", "text", 1000), write(tmp_path / "b", text, mtime)
    assert files.copy_new(source, target) is copied
    assert target.read_text() == "text"


def test_a_copy_that_breaks_leaves_the_old(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """For example, the disk is full in the middle of the file."""
    source, target = write(tmp_path / "a", "new content"), write(tmp_path / "b", "old")

    def tear(source: Path, target: Path) -> None:
        Path(target).write_text("new c")
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(shutil, "copyfile", tear)
    with pytest.raises(OSError, match="No space"):
        files.copy_new(source, target)
    assert target.read_text() == "old"


def test_a_full_disk_is_told_with_the_file_s_name(tmp_path: Path) -> None:
    """The system's error names no file, so nobody would know which disk is full."""
    path, part = tmp_path / "manifest.jsonl", tmp_path / "manifest.jsonl.part"
    write(path, "old")
    part.symlink_to("/dev/full")
    with pytest.raises(OSError, match="No space") as error:
        files.write_whole(path, "new")
    assert (error.value.filename, path.read_text()) == (str(part), "old")


def test_a_source_that_is_gone_is_an_error(tmp_path: Path) -> None:
    target = write(tmp_path / "b", "old")
    with pytest.raises(FileNotFoundError):
        files.copy_new(tmp_path / "gone", target)
    assert target.read_text() == "old"


def test_writes_whole(tmp_path: Path) -> None:
    path = write(tmp_path / "a", "old")
    before = path.stat().st_ino
    files.write_whole(path, "새 글")
    assert path.read_text(encoding="utf-8") == "새 글"
    assert path.stat().st_ino != before  # another file took its place
    assert files_below(tmp_path) == ["a"]


def test_is_text(tmp_path: Path) -> None:
    path = write(tmp_path / "a", "this")
    assert files.is_text(path, "this")
    assert not files.is_text(path, "that")
    assert not files.is_text(tmp_path / "nowhere", "")
    assert not files.is_text(tmp_path, "")


def test_removes_others_and_folders_that_are_empty_then(tmp_path: Path) -> None:
    for name in ("keep/a", "keep/b", "go/deep/c", "keep/a.part", "d"):
        write(tmp_path / name, name)
    assert files.remove_others(tmp_path, ["keep/a", "not there"]) == 4
    assert files_below(tmp_path) == ["keep/a"]
    assert not (tmp_path / "go").exists()
    assert files.remove_others(tmp_path, []) == 1
    assert tmp_path.is_dir()
    assert not list(tmp_path.iterdir())


def test_a_folder_that_a_program_fills_meanwhile_stays(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(tmp_path / "cache/a", "goes by another's hand")
    unlink, rmdir = Path.unlink, Path.rmdir

    def unlink_second(path: Path, missing_ok: bool = False) -> None:
        unlink(path)
        unlink(path, missing_ok)

    def rmdir_late(path: Path) -> None:
        write(path / "b", "new")
        rmdir(path)

    monkeypatch.setattr(Path, "unlink", unlink_second)
    monkeypatch.setattr(Path, "rmdir", rmdir_late)
    files.remove_others(tmp_path, [])
    assert files_below(tmp_path) == ["cache/b"]


def test_emptying_and_removing_do_not_follow_links(tmp_path: Path) -> None:
    outside = write(tmp_path / "outside/a", "stays").parent
    inside = tmp_path / "inside"
    write(inside / "folder/b", "goes")
    for empty in (lambda: files.remove_others(inside, []), lambda: files.empty(inside)):
        if not (inside / "link").is_symlink():
            (inside / "link").symlink_to(outside)
        empty()
        assert files_below(outside) == ["a"]
    assert not list(inside.iterdir())
