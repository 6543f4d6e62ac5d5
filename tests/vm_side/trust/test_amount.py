"""Texts too long or too short for their ink, and pages of which next to nothing was read."""

from __future__ import annotations

import numpy
import pytest
from PIL import Image

from rig.witnessed import PAGE, Cells, changed, told
from rig.written_page import full_page
from trust.doubts import is_doubtful, trust_left
from trust.witnesses import doubts_of, evidence_of


@pytest.mark.parametrize(("times", "least", "most"), [(0.5, 0.4, 0.6), (2, 1.8, 2.2)])
def test_too_short_and_too_long_a_text(times: float, least: float, most: float) -> None:
    for index, cell in enumerate(PAGE.cells):
        text = cell["text"] * 2
        [doubt] = told(changed(index, text=text[: int(len(text) * times / 2)]))
        assert (doubt.kind, doubt.cell) == ("amount", index)
        assert least < doubt.detail["ratio"] < most


@pytest.mark.parametrize("text", ["", None], ids=["empty", "missing"])
def test_a_cell_without_its_text(text: str | None) -> None:
    [doubt] = told(changed(4, text=text))
    assert (doubt.kind, doubt.detail) == ("amount", {"ratio": 0.0})


def test_dots_that_lead_to_a_number_may_be_many_or_few() -> None:
    page = full_page()
    cell = page.put("7 Boats " + "." * 60 + " 31", (120, 1560))
    for dots in (4, 200):
        cell["text"] = f"7 Boats {'.' * dots} 31"
        assert doubts_of(evidence_of(page.picture), page.cells) == []


@pytest.mark.parametrize(
    "cells",
    [
        [{"bbox": [0, 0, 1176, 1680], "category": "Picture"}],
        [{**cell, "text": ""} for cell in PAGE.cells],
        [{**cell, "bbox": [0.1, 0.1, 0.9, 0.9]} for cell in PAGE.cells],
        [],
    ],
    ids=["one Picture", "no text", "boxes from 0 to 1", "no cells"],
)
def test_nothing_read(cells: Cells) -> None:
    doubts = told(cells)
    assert {"why": "nothing read"} in [doubt.detail for doubt in doubts]
    assert is_doubtful(trust_left(doubts))


@pytest.mark.parametrize("blob", [3, 8, 14])
def test_a_picture_over_a_photo_is_a_good_answer(blob: int) -> None:
    small = numpy.random.default_rng(1).integers(0, 256, (1680 // blob, 1176 // blob), numpy.uint8)
    photo = Image.fromarray(small).resize((1176, 1680), Image.Resampling.BICUBIC)
    cells = [{"bbox": [0, 0, 1176, 1680], "category": "Picture"}]
    assert doubts_of(evidence_of(photo), cells) == []
