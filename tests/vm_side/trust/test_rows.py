"""Which letters are in the same row, where rows touch or are close to each other."""

from __future__ import annotations

import pytest

from bench import upright_pages as upright
from rig.written_page import full_page, prose
from trust.witnesses import doubts_of, evidence_of


@pytest.mark.parametrize("leading", [0.78, 0.85])
def test_rows_that_touch_are_read_one_by_one(leading: float) -> None:
    """Letters that hang down touch tall letters of the next row."""
    page = full_page()
    last = page.put(prose(230, 3), (120, 1560), width=620, size=26, leading=leading)
    evidence = evidence_of(page.picture)
    assert doubts_of(evidence, page.cells) == []
    for text in (last["text"][: len(last["text"]) // 2], last["text"] * 2):
        [doubt] = doubts_of(evidence, [*page.cells[:-1], {**last, "text": text}])
        assert (doubt.kind, doubt.cell) == ("amount", len(page.cells) - 1)


@pytest.mark.parametrize(
    ("text", "size"),
    [
        ("설정은 그대로 두고 모델만", 37),
        ("작업도 끝낼지 묻습니다. 작업은 의", 33),
        ("멈춰 버린 요청은 일로", 43),
        ("件会浪费一点时间也", 31),
        ("批签名一填空题每题", 34),
        ("试卷参考答案学年第", 28),
    ],
)
def test_large_signs_whose_strokes_stand_above_one_another_are_one_row(
    text: str, size: int
) -> None:
    page, font = full_page(), upright.font("korea", size)
    page.pen.text((120, 1560), text, fill=0, font=font)
    box = [round(side) for side in page.pen.textbbox((120, 1560), text, font=font)]
    page.cells.append({"bbox": box, "category": "Title", "text": text})
    assert doubts_of(evidence_of(page.picture), page.cells) == []
