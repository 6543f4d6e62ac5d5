"""The files of a page's results: all of them, or no results."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from contract import DRAWING_ENDING, RESULT_ENDINGS
from picture_files import AS_FILES, INLINE, LEFT_OUT, PICTURE_FORMS
from results.files import (
    NO_PAGE,
    Wanted,
    has_drawing,
    has_pictures,
    has_results,
    pictured,
    remove_files,
    results_of,
    write_results,
)
from results.manifest import Record
from results.store import Remote, listing

TEXT = {"bbox": [0, 0, 9, 9], "category": "Text", "text": "a word"}
HEADER = {**TEXT, "category": "Page-header"}
PICTURE = {"bbox": [0, 0, 1, 1], "category": "Picture"}
FLAT = {"bbox": [0, 0, 1, 0], "category": "Picture"}
SILENT = {**TEXT, "text": " "}
PAGE = "folder/a/a"
FILE = "folder/a/pictures/1.png"


def put(folder: Path, *cells: dict[str, Any], form: str = AS_FILES) -> Record:
    """Write a page's results; return its record."""
    wanted = Wanted(PAGE, True, form)
    files = results_of(list(cells), NO_PAGE, wanted)
    assert list(files)[-1] == f"{PAGE}.json", "it comes last: it is what says that all stand"
    write_results(folder, PAGE, files)
    return Record(PAGE, "folder/a.png", None, "ok", **pictured(cells, files, wanted))


@pytest.mark.parametrize(
    "cells",
    [(), (TEXT,), (TEXT, PICTURE), (HEADER,), (SILENT,), (HEADER, SILENT), (PICTURE,)],
    ids=lambda cells: "+".join(cell["category"] for cell in cells) or "none",
)
@pytest.mark.parametrize("form", PICTURE_FORMS)
def test_what_was_written_stands(
    tmp_path: Path, cells: tuple[dict[str, Any], ...], form: str
) -> None:
    record = put(tmp_path, *cells, form=form)
    assert has_results(tmp_path, record) and has_drawing(tmp_path, PAGE)
    assert has_pictures(tmp_path, record)
    assert (tmp_path / FILE).exists() == (form == AS_FILES and PICTURE in cells)
    assert not list(tmp_path.rglob("*.part"))


def halved(content: bytes) -> bytes:
    return content[: len(content) // 2]


@pytest.mark.parametrize(
    ("ending", "becomes"),
    [
        *((ending, lambda content: b"") for ending in RESULT_ENDINGS),
        (".json", halved),
        (".json", lambda content: bytes(len(content))),
        (".json", lambda content: b"\xff" + content),
        (".json", lambda content: b"null\n"),
        (".json", lambda content: b"[" * 100_000),
    ],
)
def test_an_empty_or_torn_file_is_no_result(
    tmp_path: Path, ending: str, becomes: Callable[[bytes], bytes]
) -> None:
    record = put(tmp_path, TEXT, PICTURE)
    path = tmp_path / (PAGE + ending)
    path.write_bytes(becomes(path.read_bytes()))
    assert not has_results(tmp_path, record)


@pytest.mark.parametrize("form", PICTURE_FORMS)
@pytest.mark.parametrize("cell", [PICTURE, FLAT], ids=["picture", "no-area"])
def test_a_text_of_a_picture_alone_may_be_empty_where_nothing_stands_for_it(
    tmp_path: Path, form: str, cell: dict[str, Any]
) -> None:
    record = put(tmp_path, cell, form=form)
    is_empty = form == LEFT_OUT or (form == AS_FILES and cell is FLAT)
    assert (not (tmp_path / f"{PAGE}.md").read_bytes()) == is_empty
    assert has_results(tmp_path, record)
    (tmp_path / f"{PAGE}.md").write_bytes(b"")
    assert has_results(tmp_path, record) == is_empty


@pytest.mark.parametrize(
    ("form", "cells", "expected"),
    [
        (AS_FILES, (TEXT, PICTURE), (["1.png"], AS_FILES)),
        (AS_FILES, (FLAT, PICTURE), (["2.png"], AS_FILES)),
        (AS_FILES, (FLAT,), ([], AS_FILES)),
        (INLINE, (PICTURE,), ([], INLINE)),
        (LEFT_OUT, (PICTURE,), ([], LEFT_OUT)),
        *((form, (TEXT,), ([], "any")) for form in PICTURE_FORMS),
    ],
)
def test_what_a_line_says_of_pictures(
    tmp_path: Path, form: str, cells: tuple[dict[str, Any], ...], expected: tuple[list[str], str]
) -> None:
    record = put(tmp_path, *cells, form=form)
    assert (record.pictures, record.pictures_as) == expected


@pytest.mark.parametrize("becomes", ["gone", "empty", "a folder"])
def test_a_picture_that_does_not_stand_is_none(tmp_path: Path, becomes: str) -> None:
    record = put(tmp_path, PICTURE)
    assert has_pictures(tmp_path, record)
    (tmp_path / FILE).unlink()
    if becomes == "empty":
        (tmp_path / FILE).touch()
    elif becomes == "a folder":
        (tmp_path / FILE).mkdir()
    assert not has_pictures(tmp_path, record) and has_results(tmp_path, record)


def test_files_that_are_not_there_are_removed_too(tmp_path: Path) -> None:
    put(tmp_path, PICTURE)
    remove_files(tmp_path, [FILE, "gone/pictures/1.png"])
    assert not (tmp_path / FILE).exists()
    put(tmp_path, PICTURE)
    remove_files(Remote(f"local://{tmp_path}"), [FILE, "gone/pictures/1.png"])
    assert not (tmp_path / FILE).exists() and (tmp_path / f"{PAGE}.json").exists()


@pytest.mark.parametrize("missing", RESULT_ENDINGS)
def test_results_stand_only_if_all_of_them_do(tmp_path: Path, missing: str) -> None:
    record = put(tmp_path, TEXT)
    (tmp_path / (PAGE + missing)).unlink()
    assert not has_results(tmp_path, record)
    (tmp_path / (PAGE + missing)).mkdir()
    assert not has_results(tmp_path, record)


def test_an_empty_drawing_is_none(tmp_path: Path) -> None:
    record = put(tmp_path, TEXT)
    (tmp_path / (PAGE + DRAWING_ENDING)).write_bytes(b"")
    assert not has_drawing(tmp_path, PAGE) and has_results(tmp_path, record)


def test_a_text_that_a_person_corrected_still_stands(tmp_path: Path) -> None:
    record = put(tmp_path, TEXT)
    (tmp_path / f"{PAGE}.md").write_text("other words")
    (tmp_path / f"{PAGE}.json").write_text(json.dumps([{**TEXT, "text": "other words"}]))
    assert has_results(tmp_path, record)


def test_an_empty_object_of_a_store_is_no_result(tmp_path: Path) -> None:
    record = put(tmp_path, TEXT)
    for content, stands in ((b"[]\n", True), (b"", False)):
        (tmp_path / f"{PAGE}.json").write_bytes(content)
        listing.cache_clear()
        assert has_results(Remote(f"local://{tmp_path}"), record) is stands
