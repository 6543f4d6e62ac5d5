"""The files of a page's results: whole, or no results."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from contract import DRAWING_ENDING, RESULT_ENDINGS
from results.files import NO_PAGE, has_drawing, has_results, results_of, write_results
from results.store import Remote, listing

TEXT = {"bbox": [0, 0, 9, 9], "category": "Text", "text": "a word"}
HEADER = {**TEXT, "category": "Page-header"}
PICTURE = {"bbox": [0, 0, 1, 1], "category": "Picture"}
SILENT = {**TEXT, "text": " "}
PAGE = "folder/a/a"


def put(folder: Path, *cells: dict[str, Any]) -> None:
    write_results(folder, PAGE, results_of(list(cells), NO_PAGE, True))


@pytest.mark.parametrize(
    "cells",
    [(), (TEXT,), (TEXT, PICTURE), (HEADER,), (SILENT,), (HEADER, SILENT), (PICTURE,)],
    ids=lambda cells: "+".join(cell["category"] for cell in cells) or "none",
)
def test_what_was_written_stands(tmp_path: Path, cells: tuple[dict[str, Any], ...]) -> None:
    put(tmp_path, *cells)
    assert has_results(tmp_path, PAGE) and has_drawing(tmp_path, PAGE)
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
    put(tmp_path, TEXT, PICTURE)
    path = tmp_path / (PAGE + ending)
    path.write_bytes(becomes(path.read_bytes()))
    assert not has_results(tmp_path, PAGE)


@pytest.mark.parametrize("missing", RESULT_ENDINGS)
def test_results_stand_only_if_all_of_them_do(tmp_path: Path, missing: str) -> None:
    put(tmp_path, TEXT)
    (tmp_path / (PAGE + missing)).unlink()
    assert not has_results(tmp_path, PAGE)
    (tmp_path / (PAGE + missing)).mkdir()
    assert not has_results(tmp_path, PAGE)


def test_an_empty_drawing_is_none(tmp_path: Path) -> None:
    put(tmp_path, TEXT)
    (tmp_path / (PAGE + DRAWING_ENDING)).write_bytes(b"")
    assert not has_drawing(tmp_path, PAGE) and has_results(tmp_path, PAGE)


def test_a_text_that_a_person_corrected_still_stands(tmp_path: Path) -> None:
    put(tmp_path, TEXT)
    (tmp_path / f"{PAGE}.md").write_text("other words")
    (tmp_path / f"{PAGE}.json").write_text(json.dumps([{**TEXT, "text": "other words"}]))
    assert has_results(tmp_path, PAGE)


def test_an_empty_object_of_a_store_is_no_result(tmp_path: Path) -> None:
    put(tmp_path, TEXT)
    for content, stands in ((b"[]\n", True), (b"", False)):
        (tmp_path / f"{PAGE}.json").write_bytes(content)
        listing.cache_clear()
        assert has_results(Remote(f"local://{tmp_path}"), PAGE) is stands
