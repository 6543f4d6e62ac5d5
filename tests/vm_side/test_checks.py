"""A second reader's finding as a line of JSON, and other values that may be in its place."""

from __future__ import annotations

import json
from typing import Any

import pytest

from checks import check_of, read_checks, reading_of
from results.manifest import Record

PAGE = Record("한/a", "한\udcff.pdf", 3, "ok", sha256="s", finished_at=1234567890.123)
CHANGES = {"status": "doubtful", "trust": 0.1, "reader": "PP-OCR", "doubts": []}
ENTRY: dict[str, Any] = {"input": "a.png", "pdf_page": None, "sha256": "s", "finished_at": 1.5}


def test_it_is_read_as_it_was_written() -> None:
    line = check_of(PAGE, CHANGES)
    (found,) = read_checks(line + "\n" + line[:30]).items()
    assert found == (reading_of(PAGE), CHANGES)
    line.encode()


@pytest.mark.parametrize(
    ("more", "expected"),
    [
        ({}, {}),
        ({"changes": {"trust": "x"}}, {"trust": "x"}),  # checked later, when it is applied
        ({"changes": {"page": "../../x", "input": "/etc/passwd", "sha256": "0"}}, {}),
        ({"changes": None}, None),
        ({"changes": "status"}, None),
        ({"changes": ["status"]}, None),
        ({"input": ["a.png"]}, None),
        ({"sha256": {}}, None),
    ],
)
def test_what_comes_from_anywhere(more: dict[str, Any], expected: dict[str, Any] | None) -> None:
    found = read_checks(json.dumps(ENTRY | {"changes": {}} | more))
    assert list(found.values()) == ([] if expected is None else [expected])


@pytest.mark.parametrize("text", ["", "\n\n", "7", "[]", "[" * 100_000, "\ufffd", '{"input": 1}'])
def test_what_is_no_line_of_ours(text: str) -> None:
    assert read_checks(text) == {}
