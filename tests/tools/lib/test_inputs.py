"""Which files below INPUT are pages."""

import os
from collections import Counter
from pathlib import Path

import pytest

from lib.console import Failure
from lib.inputs import find_inputs, status_of
from results.pages import find_pages
from rig import forms
from walk import UNOPENED


def touch(root: Path, *names: str) -> None:
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).touch()


def test_pages_at_any_depth_in_order(tmp_path: Path) -> None:
    touch(
        tmp_path, "b.png", "a/스캔 1.PDF", "a/deep er/c.jpg", "notes.txt", ".cache/d.png", ".e.png"
    )
    found = find_inputs(str(tmp_path), str(tmp_path.parent / "results"))
    assert found.root == tmp_path
    assert found.files == ("a/deep er/c.jpg", "a/스캔 1.PDF", "b.png")


def test_one_file_is_an_input(tmp_path: Path) -> None:
    touch(tmp_path, "a.png", "b.png")
    found = find_inputs(str(tmp_path / "b.png"), str(tmp_path / "results"))
    assert (found.root, found.files) == (tmp_path, ("b.png",))


def test_the_home_folder_may_be_written_as_a_tilde(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    touch(tmp_path, "scans/a.png")
    assert find_inputs("~/scans", "~/results").files == ("a.png",)


def test_output_beside_input_is_no_output_inside_it(tmp_path: Path) -> None:
    touch(tmp_path, "scans/a.png")
    assert find_inputs(str(tmp_path / "scans"), str(tmp_path / "scans-read")).files == ("a.png",)


@pytest.mark.parametrize(
    ("given", "output", "message"),
    [
        ("", "out", "INPUT is not set"),
        ("nowhere", "out", "does not exist"),
        ("notes.txt", "out", "is not one of .png"),
        ("scans", "scans", "lies inside INPUT"),
        ("scans", "scans/results", "lies inside INPUT"),
        ("scans", "link/results", "lies inside INPUT"),
    ],
)
def test_refuses(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, given: str, output: str, message: str
) -> None:
    monkeypatch.chdir(tmp_path)
    touch(tmp_path, "scans/a.png", "notes.txt")
    (tmp_path / "link").symlink_to("scans")
    with pytest.raises(Failure, match=message):
        find_inputs(given, output)


def test_a_folder_that_cannot_be_listed_is_an_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its pages would be missing silently. Root can list it, so the test fakes the error."""
    touch(tmp_path, "a/b.png", "c.png")
    scandir = os.scandir

    def forbid(path: str) -> object:
        if Path(path).name == "a":
            raise PermissionError(13, "Permission denied", path)
        return scandir(path)

    monkeypatch.setattr(os, "scandir", forbid)
    with pytest.raises(Failure, match="a cannot be listed: Permission denied"):
        find_inputs(str(tmp_path), str(tmp_path.parent / "results"))


def test_one_file_that_is_no_regular_one_is_refused(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "x.png")
    with pytest.raises(Failure, match="is not a regular file"):
        find_inputs(str(tmp_path / "x.png"), str(tmp_path / "out"))


def test_only_a_regular_file_has_a_status(tmp_path: Path) -> None:
    touch(tmp_path, "a.png")
    (tmp_path / "link.png").symlink_to("a.png")
    assert status_of(tmp_path / "link.png").st_size == 0
    os.mkfifo(tmp_path / "x.png")
    (tmp_path / "zero.png").symlink_to("/dev/zero")
    for name in ("x.png", "zero.png"):
        with pytest.raises(OSError, match="not a regular file"):
            status_of(tmp_path / name)


def test_what_cannot_be_opened_is_counted_and_still_told_by_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No machine gets such a file, so neither the manifest nor the report has a line for it."""
    touch(tmp_path, "a.png", "secret.png")
    os.mkfifo(tmp_path / "pipe.png")
    (tmp_path / "lost.pdf").symlink_to("nowhere")
    access = os.access  # root can read all files, so the test fakes the system's answer
    monkeypatch.setattr(
        os, "access", lambda path, mode: path.name != "secret.png" and access(path, mode)
    )
    found = find_inputs(str(tmp_path), str(tmp_path.parent / "results"))
    assert found.files == ("a.png", "lost.pdf", "pipe.png", "secret.png")
    assert found.not_read == {UNOPENED: 3}
    assert found.others.startswith("not read: 3 that cannot be opened below ")


def test_both_sides_see_the_same(tmp_path: Path) -> None:
    """The two sides agree about what is sent, what is read, and what is neither."""
    wanted = forms.write_forms(tmp_path / "in") | forms.write_links(
        tmp_path / "in", tmp_path / "elsewhere"
    )
    others = forms.write_others(tmp_path / "in")
    (tmp_path / "in/last time").symlink_to(tmp_path / "out")
    (tmp_path / "out").mkdir()
    ours = find_inputs(str(tmp_path / "in"), str(tmp_path / "out"))
    theirs = Counter[str]()
    pages = find_pages(tmp_path / "in", results=tmp_path / "out", not_read=theirs)
    assert set(ours.files) == {page.input for page in pages} == {name for name, _ in wanted}
    assert ours.not_read == theirs == others | {"folder of results": 1}
    assert ours.others.startswith("not read: 2 .docx, ") and ours.others.endswith("/in")
