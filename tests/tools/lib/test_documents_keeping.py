"""Files in OUTPUT/documents/: ours, a person's, and those that a crash leaves."""

import json
import os
from pathlib import Path

import pytest

from lib.console import Failure
from lib.documents.keeping import STATE, Kept, Made, files_in, opened
from rig.toolkit import files_below


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "out/documents").mkdir(parents=True)
    return tmp_path / "out/documents"


def made_in(folder: Path, text: str, document: str = "a/book", pictures: int = 0) -> Made:
    """Make a document in a folder of its own, with pictures beside it."""
    name = document.rpartition("/")[2]
    folder.mkdir()
    (folder / f"{name}.md").write_text(text)
    for number in range(pictures):
        (folder / f"{name}_files").mkdir(exist_ok=True)
        (folder / f"{name}_files/{number}.png").write_text(text)
    return Made(document, "md", files_in(folder, document), f"of {text}")


def put(folder: Path, text: str, pictures: int = 0) -> Kept:
    """Make a document again, as an export does."""
    with opened(folder) as (kept, making):
        kept.put(made_in(making / "0", text, pictures=pictures), making / "0")
    return kept


def test_what_is_no_longer_made_is_removed(folder: Path, tmp_path: Path) -> None:
    put(folder, "one", pictures=2)
    assert len(files_below(folder)) == 4
    kept = put(folder, "two", pictures=1)
    assert kept.removed == ["a/book_files/1.png"]
    (folder / "a/book_files/0.png").write_text("by hand")
    with opened(folder) as (kept, _):
        kept.drop_others([])
    assert (kept.removed, kept.left) == (["a/book.md"], ["a/book_files/0.png"])
    assert files_below(folder) == [STATE, "a/book_files/0.png"]
    (folder / "a/book_files/0.png").unlink()
    (folder / "a/book_files").rmdir()
    put(folder, "three")
    with opened(folder) as (kept, _):
        kept.drop_others([])
    assert not (folder / "a").exists()


def test_after_a_crash_the_files_are_ours(folder: Path, tmp_path: Path) -> None:
    """The state has what is about to come. Whether it came or not, nothing counts as changed."""
    put(folder, "one")
    coming = made_in(tmp_path / "coming", "two")
    for has_come in (False, True):
        about = {**coming.__dict__, "fingerprint": ""}
        with (folder / STATE).open("a") as file:
            file.write(json.dumps(about) + "\n" + '{"document": "torn')
        if has_come:
            (folder / "a/book.md").write_text("two")
        (folder / ".making-left").mkdir(exist_ok=True)
        with opened(folder) as (kept, making):
            assert not kept.is_current(coming, False)
            kept.put(made_in(making / "0", "three"), making / "0")
        assert (kept.set_aside, files_below(folder)) == ([], [STATE, "a/book.md"])
        assert not (folder / ".making-left").exists()


@pytest.mark.parametrize(
    "name", ["../outside.md", "/etc/outside.md", "a/../../outside.md", "link/x.md", "\ud800/x.md"]
)
def test_a_state_from_elsewhere_removes_nothing_outside(
    folder: Path, tmp_path: Path, name: str
) -> None:
    """A folder of results may have any origin."""
    (tmp_path / "out/outside.md").write_text("mine")
    (tmp_path / "x.md").write_text("mine")
    (folder / "link").symlink_to(tmp_path)
    made = made_in(tmp_path / "made", "mine", "outside")
    line = {**made.__dict__, "files": dict.fromkeys([name], made.files["outside.md"])}
    (folder / STATE).write_text("\n".join(map(json.dumps, (line, [], 7, {"files": 3}, None))))
    with opened(folder) as (kept, _):
        kept.drop_others([])
    assert kept.removed == []
    assert (tmp_path / "out/outside.md").exists() and (tmp_path / "x.md").exists()


def test_a_kill_between_the_files_and_the_state(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(folder, "one")
    with monkeypatch.context() as patch:
        # here the files have come already
        patch.setattr(Kept, "_remove", lambda self, names: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            put(folder, "two")
    assert (folder / "a/book.md").read_text() == "two"
    assert put(folder, "three").set_aside == []


@pytest.mark.parametrize("name", [STATE, f"{STATE}.part"])
def test_a_state_that_leads_out_is_refused(folder: Path, tmp_path: Path, name: str) -> None:
    (tmp_path / "mine").write_text("mine")
    (folder / name).symlink_to(tmp_path / "mine")
    with pytest.raises(Failure, match="a link or a pipe"):
        put(folder, "one")
    (folder / name).unlink()
    os.mkfifo(folder / name)
    with pytest.raises(Failure, match="a link or a pipe"):
        put(folder, "one")
    assert (tmp_path / "mine").read_text() == "mine"


def test_one_export_at_a_time(folder: Path) -> None:
    with opened(folder), pytest.raises(Failure, match="another command is at work"), opened(folder):
        pass


def test_two_documents_never_share_a_file(folder: Path, tmp_path: Path) -> None:
    put(folder, "one")
    other = Made("other", "md", {"a/book.md": "0"}, "x")
    with opened(folder) as (kept, making), pytest.raises(OSError, match="another document's"):
        kept.put(other, making)


def test_only_its_own_files_are_taken(tmp_path: Path) -> None:
    for odd in ("other.md", "book2_files/x.png", "sub/book.md"):
        folder = tmp_path / odd.replace("/", "-")
        (folder / odd).parent.mkdir(parents=True)
        (folder / odd).write_text("x")
        with pytest.raises(ValueError, match="not its own"):
            files_in(folder, "a/book")
    folder = tmp_path / "linked"
    folder.mkdir()
    (folder / "book.md").symlink_to("/etc/hostname")
    with pytest.raises(ValueError, match="not its own"):
        files_in(folder, "a/book")


def test_a_document_is_made_again_once_its_input_is_there(folder: Path, tmp_path: Path) -> None:
    kept = put(folder, "one")
    made = kept.made["a/book", "md"]
    with_input = Made("a/book", "md", {}, made.fingerprint, with_input=True)
    assert kept.is_current(with_input, uses_input=False)
    assert not kept.is_current(with_input, uses_input=True)
    assert kept.is_current(made, uses_input=True)
