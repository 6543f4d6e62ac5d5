"""The same text in several cells with different pictures."""

from __future__ import annotations

from rig.witnessed import PAGE, changed, told
from rig.written_page import WrittenPage, prose
from trust.witnesses import doubts_of, evidence_of


def test_the_same_text_twice() -> None:
    doubts = told(changed(5, text=PAGE.cells[2]["text"], bbox=[120, 100, 700, 500]))
    assert ("repeated", 5, {"of": 2}) in [(d.kind, d.cell, d.detail) for d in doubts]


def test_what_stands_on_the_page_twice_may_be_read_twice() -> None:
    page = WrittenPage()
    for top in (200, 600):
        page.put(prose(120), (120, top))
    assert doubts_of(evidence_of(page.picture), page.cells) == []
