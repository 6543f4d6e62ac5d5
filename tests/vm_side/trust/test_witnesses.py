"""The witnesses that need nothing but the picture, on pages whose cells are known."""

from __future__ import annotations

import pickle
import time
from typing import Any

import numpy
import pytest
from PIL import Image

from rig.written_page import WrittenPage, full_page, prose
from trust.doubts import Doubt, is_doubtful, trust_left
from trust.witnesses import doubts_of, evidence_of

Cells = list[dict[str, Any]]
PAGE = full_page()
EVIDENCE = evidence_of(PAGE.picture)


def told(cells: Cells) -> list[Doubt]:
    return doubts_of(EVIDENCE, cells)


def kinds(doubts: list[Doubt]) -> set[str]:
    return {doubt.kind for doubt in doubts}


def changed(index: int, **what: Any) -> Cells:
    return [{**cell, **what} if n == index else cell for n, cell in enumerate(PAGE.cells)]


def moved(cell: dict[str, Any], across: int, down: int) -> list[int]:
    return [side + by for side, by in zip(cell["bbox"], (across, down) * 2, strict=True)]


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"paper": 0, "ink": 255},
        {"mode": "RGB", "paper": (20, 30, 90), "ink": (240, 230, 120)},
        {"paper": 235, "ink": 150},
    ],
    ids=["print", "white on black", "slide", "faint"],
)
def test_a_true_answer_is_not_doubted(options: dict[str, Any]) -> None:
    page = full_page(**options)
    assert doubts_of(evidence_of(page.picture), page.cells) == []


@pytest.mark.parametrize("by", [-4, 6], ids=["tight", "loose"])
def test_boxes_need_not_be_exact(by: int) -> None:
    cells = [
        {**cell, "bbox": [x1 - by, y1 - by, x2 + by, y2 + by]}
        for cell in PAGE.cells
        for x1, y1, x2, y2 in [cell["bbox"]]
    ]
    assert told(cells) == []


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


def test_the_same_text_twice() -> None:
    doubts = told(changed(5, text=PAGE.cells[2]["text"], bbox=[120, 100, 700, 500]))
    assert ("repeated", 5, {"of": 2}) in [(d.kind, d.cell, d.detail) for d in doubts]


def test_what_stands_on_the_page_twice_may_be_read_twice() -> None:
    page = WrittenPage()
    for top in (200, 600):
        page.put(prose(120), (120, top))
    assert doubts_of(evidence_of(page.picture), page.cells) == []


def test_ink_that_cannot_be_read_as_letters_is_not_none() -> None:
    page = full_page()
    for left in range(160, 880, 24):  # letters that hang from a rule
        page.pen.rectangle((left, 1568, left + 5, 1590), fill=0)
    page.pen.rectangle((150, 1564, 900, 1568), fill=0)
    cell = {"bbox": WHITE, "category": "Section-header", "text": "Letters that hang from a rule"}
    assert doubts_of(evidence_of(page.picture), [*page.cells, cell]) == []


def test_evidence_is_small_and_can_be_sent() -> None:
    sent = pickle.dumps(EVIDENCE)
    assert len(sent) < 250_000
    assert doubts_of(pickle.loads(sent), PAGE.cells[1:]) == told(PAGE.cells[1:])


@pytest.mark.parametrize("size", [(56, 56), (28, 112), (2800, 4032), (236, 47_000)])
def test_a_page_of_noise_takes_no_time_and_breaks_nothing(size: tuple[int, int]) -> None:
    noise = numpy.random.default_rng(0).random(size[::-1]) > 0.9
    picture = Image.fromarray(noise.astype(numpy.uint8) * 255)
    cells = [{**cell, "bbox": [9.5, 1e9, -1e9, 0]} for cell in PAGE.cells] * 20
    started = time.process_time()
    doubts_of(evidence_of(picture), cells)
    assert time.process_time() - started < 2
