"""Writing that is under no box."""

from __future__ import annotations

from typing import Any

import pytest

from rig.witnessed import PAGE, changed, told
from rig.written_page import full_page
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
