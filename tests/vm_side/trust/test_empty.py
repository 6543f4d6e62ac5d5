"""Cells with text where nothing is written."""

from __future__ import annotations

from typing import Any

import pytest

from rig.witnessed import PAGE, changed, told
from rig.written_page import full_page
from trust.doubts import Doubt
from trust.witnesses import doubts_of, evidence_of


def kinds(doubts: list[Doubt]) -> set[str]:
    return {doubt.kind for doubt in doubts}


WHITE = [150, 1560, 900, 1600]


@pytest.mark.parametrize(
    ("box", "why"),
    [
        (WHITE, "no ink"),
        ([300, 300, 300, 700], "no area"),
        ([0.1, 0.2, 0.9, 0.3], "no area"),
        ([1200, 1700, 1500, 1800], "off the page"),
        ([-500, -500, -10, -20], "off the page"),
        ([2_000_000_000, 5, 3_000_000_000, 50.5], "off the page"),
    ],
)
def test_text_where_nothing_is_written(box: list[Any], why: str) -> None:
    invented = {"bbox": box, "category": "Text", "text": "Nobody wrote this sentence anywhere."}
    [doubt] = told([*PAGE.cells, invented])
    assert (doubt.kind, doubt.cell, doubt.detail) == ("empty", len(PAGE.cells), {"why": why})
    assert doubt.weight > 0.5


def test_a_box_inside_out_is_as_good_as_another() -> None:
    x1, y1, x2, y2 = PAGE.cells[2]["bbox"]
    assert told(changed(2, bbox=[x2, y2, x1, y1])) == []


def test_a_rule_is_no_ink_for_a_text() -> None:
    page = full_page()
    page.pen.line((150, 1580, 900, 1580), fill=0, width=2)
    invented = {"bbox": WHITE, "category": "Text", "text": "Nobody wrote this sentence."}
    doubts = doubts_of(evidence_of(page.picture), [*page.cells, invented])
    assert kinds(doubts) == {"empty"}


def test_ink_that_cannot_be_read_as_letters_is_not_none() -> None:
    page = full_page()
    for left in range(160, 880, 24):  # letters that hang from a line
        page.pen.rectangle((left, 1568, left + 5, 1590), fill=0)
    page.pen.rectangle((150, 1564, 900, 1568), fill=0)
    cell = {"bbox": WHITE, "category": "Section-header", "text": "Letters that hang from a rule"}
    assert doubts_of(evidence_of(page.picture), [*page.cells, cell]) == []
