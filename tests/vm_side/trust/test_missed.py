"""Writing that is under no box."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

import pytest
from PIL import Image

from rig.witnessed import PAGE, changed, told
from rig.written_page import WrittenPage, font_of, full_page
from trust.doubts import is_doubtful, trust_left
from trust.witnesses import doubts_of, evidence_of


def moved(cell: dict[str, Any], across: int, down: int) -> list[int]:
    return [side + by for side, by in zip(cell["bbox"], (across, down) * 2, strict=True)]


def test_a_paragraph_that_is_missed_is_serious() -> None:
    lost = PAGE.cells[3]
    [doubt] = told([cell for cell in PAGE.cells if cell is not lost])
    assert (doubt.kind, doubt.cell, doubt.weight > 0.5) == ("missed", None, True)
    assert doubt.bbox == pytest.approx(lost["bbox"], abs=12)
    assert doubt.detail == {"lines": round((lost["bbox"][3] - lost["bbox"][1]) / 28)}


def test_a_line_that_is_missed_is_not_serious() -> None:
    page = full_page()
    page.put("A last word about the mud", (120, 1560))
    [doubt] = doubts_of(evidence_of(page.picture), page.cells[:-1])
    assert (doubt.kind, doubt.detail) == ("missed", {"lines": 1})
    assert 0 < doubt.weight < 0.5


def test_a_column_that_is_lost_is_serious() -> None:
    assert is_doubtful(trust_left(told([c for c in PAGE.cells if c["bbox"][0] < 600])))


@pytest.mark.parametrize("share", [0.05, -0.05])
@pytest.mark.parametrize("axis", [0, 1])
def test_a_box_that_is_shifted_is_told(share: float, axis: int) -> None:
    by = [0, 0]
    by[axis] = round(share * PAGE.size[axis])
    for index, cell in enumerate(PAGE.cells):
        assert told(changed(index, bbox=moved(cell, *by))), cell


def test_text_in_a_picture_is_left_alone() -> None:
    page = full_page()
    label = page.put("hours after sunset", (120, 1560), size=14)
    page.cells[-1] = {"bbox": label["bbox"], "category": "Picture"}
    assert doubts_of(evidence_of(page.picture), page.cells) == []


# ---- a table of numbers that are too short to be lines ----


def table_of(sign: Callable[[int], str], rows: int, columns: int, is_ruled: bool) -> WrittenPage:
    """A page with a title and a table below it; only the title has a cell."""
    page = WrittenPage()
    page.cells = [page.put("The results of all schools in the district", (120, 120))]
    for n in range(rows * columns):
        left, top = 120 + 90 * (n % columns), 300 + 50 * (n // columns)
        if is_ruled:
            page.pen.rectangle((left - 20, top - 12, left + 70, top + 38), outline=0)
        page.pen.text((left, top), sign(n), fill=0, font=font_of(20))
    return page


@pytest.mark.parametrize("is_ruled", [True, False])
@pytest.mark.parametrize(
    ("sign", "rows", "columns"),
    [
        (lambda n: str(10 + n * 37 % 90), 20, 8),
        (lambda n: str(1 + n * 7 % 9), 9, 9),
        (lambda n: str(n + 1), 5, 7),
        (lambda n: "ABCD"[n * 5 % 7 % 4], 25, 6),
    ],
    ids=["two digits", "one", "the days of a month", "answers"],
)
def test_a_table_of_short_numbers_is_missed(
    sign: Callable[[int], str], rows: int, columns: int, is_ruled: bool
) -> None:
    """Each number is shorter than a line; a single one that is left out gives no doubt."""
    page = table_of(sign, rows, columns, is_ruled)
    evidence = evidence_of(page.picture)
    [doubt] = doubts_of(evidence, page.cells)
    assert (doubt.kind, doubt.detail) == ("missed", {"lines": rows})
    blank = doubts_of(evidence, [])
    assert "nothing read" in [doubt.detail.get("why") for doubt in blank]
    table = {"bbox": [100, 280, 1000, 1600], "category": "Picture"}
    assert doubts_of(evidence, [*page.cells, table]) == []


@pytest.mark.parametrize("each", [0, 3, 12])
@pytest.mark.parametrize("turned", [0, 0.2])
def test_boxes_to_tick_are_no_table(each: int, turned: float) -> None:
    """With every third, every twelfth or no box ticked; straight, or turned by a scanner."""
    page = table_of(lambda n: "", 1, 1, False)
    for n in range(120):
        left, top = 120 + 90 * (n % 8), 300 + 50 * (n // 8)
        page.pen.rectangle((left, top, left + 15, top + 15), outline=0, width=2)
        if each and n % each == 0:
            page.pen.line((left, top, left + 15, top + 15), fill=0, width=2)
    picture = page.picture.rotate(turned, Image.Resampling.BICUBIC, fillcolor=255)
    assert doubts_of(evidence_of(picture), page.cells) == []


def test_dirt_is_no_table() -> None:
    rng = random.Random(4)
    page = table_of(lambda n: "", 1, 1, False)
    for _ in range(400):
        left, top, wide = rng.randrange(1160), rng.randrange(200, 1660), rng.choice([3, 6, 9])
        page.pen.ellipse((left, top, left + wide, top + wide), fill=rng.randrange(120))
    assert doubts_of(evidence_of(page.picture), page.cells) == []
