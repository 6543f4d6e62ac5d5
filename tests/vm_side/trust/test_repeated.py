"""The same text in cells whose pictures differ."""

from __future__ import annotations

from typing import Any

from rig.written_page import WrittenPage, full_page, prose
from trust.doubts import Doubt
from trust.witnesses import doubts_of, evidence_of

Cells = list[dict[str, Any]]
PAGE = full_page()
EVIDENCE = evidence_of(PAGE.picture)


def told(cells: Cells) -> list[Doubt]:
    return doubts_of(EVIDENCE, cells)


def changed(index: int, **what: Any) -> Cells:
    return [{**cell, **what} if n == index else cell for n, cell in enumerate(PAGE.cells)]


def test_the_same_text_twice() -> None:
    doubts = told(changed(5, text=PAGE.cells[2]["text"], bbox=[120, 100, 700, 500]))
    assert ("repeated", 5, {"of": 2}) in [(d.kind, d.cell, d.detail) for d in doubts]


def test_what_stands_on_the_page_twice_may_be_read_twice() -> None:
    page = WrittenPage()
    for top in (200, 600):
        page.put(prose(120), (120, top))
    assert doubts_of(evidence_of(page.picture), page.cells) == []
