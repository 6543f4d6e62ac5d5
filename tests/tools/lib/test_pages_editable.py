"""A page's answer in the form in which a person can correct it."""

import json
from pathlib import Path
from typing import Any

import pytest

from lib.pages.editable import editable, mark_of
from lib.pages.entries import read_answer, read_cells, read_entries
from rig.hostile import NUMBERS
from rig.result_sets import ResultSet, cell

CELLS: list[Any] = [
    cell("Title", "# 제목 \ud800", (80, 60, 700, 100)),
    7,
    {"bbox": [1, 2, 3]},
    cell("Picture", "", (80, 500, 700, 2000)),
    {"bbox": [9.7, 5, 3, 1], "category": "Else", "text": 7},
    *({"bbox": [value] * 4, "category": value, "text": value} for value in NUMBERS),
]


def test_cells_as_they_are_in_the_order_of_those_that_are_shown(tmp_path: Path) -> None:
    results = ResultSet(tmp_path)
    results.add("a.png", CELLS)
    results.add("b.png", [])
    results.add("c.png", status="failed")
    page, blank, failed = read_entries(results.finish())
    answer = read_answer(tmp_path, page)
    found = editable(answer, page)
    assert found[:3] == [
        [80, 60, 700, 100, "Title", "# 제목 ?"],
        [80, 500, 700, 1169, "Picture", None],
        [9, 5, 9, 5, "Text", None],
    ]
    assert len(found) == len(read_cells(tmp_path, page)) == 3 + len(NUMBERS)
    for left, top, right, bottom, *_ in found:
        assert 0 <= left <= right <= 827 and 0 <= top <= bottom <= 1169
    json.dumps(found, allow_nan=False).encode()
    assert mark_of(answer) and mark_of(answer) != mark_of(answer + b" ")
    assert mark_of(read_answer(tmp_path, blank)), "somebody may add cells to a blank page"
    assert (mark_of(read_answer(tmp_path, failed)), editable(b"", failed)) == ("", [])


@pytest.mark.parametrize("answer", [b"", b"{", b"{}", b"[" * 100_000, b"\xff", b"null"])
def test_what_is_no_answer_has_no_cells(tmp_path: Path, answer: bytes) -> None:
    results = ResultSet(tmp_path)
    results.add("a.png", [])
    (page,) = read_entries(results.finish())
    assert editable(answer, page) == []
