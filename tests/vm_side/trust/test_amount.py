"""Texts too long or too short for their ink, and pages with next to nothing read."""

from __future__ import annotations

import numpy
import pytest
from PIL import Image, ImageDraw

from rig.witnessed import PAGE, Cells, changed, told
from rig.written_page import WrittenPage, font_of, full_page, prose
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


def test_each_short_text_that_was_left_empty_is_told() -> None:
    """The empty values of a form are each too short to be compared."""
    page = full_page()
    values = ["Seoul", "12.03.24", "98.76", "Main 12", "A-1709", "KB 771"]
    form = [page.put(each, (120 + 300 * (n % 3), 1480 + 30 * n)) for n, each in enumerate(values)]
    evidence = evidence_of(page.picture)
    assert doubts_of(evidence, page.cells) == []
    others = [cell for cell in page.cells if cell not in form]
    doubts = doubts_of(evidence, [*others, *({**cell, "text": ""} for cell in form)])
    assert [(doubt.kind, doubt.detail) for doubt in doubts] == [("amount", {"ratio": 0.0})] * 6
    assert is_doubtful(trust_left(doubts))


def test_dots_that_lead_to_a_number_may_be_many_or_few() -> None:
    page = full_page()
    cell = page.put("7 Boats " + "." * 60 + " 31", (120, 1560))
    for dots in (4, 200):
        cell["text"] = f"7 Boats {'.' * dots} 31"
        assert doubts_of(evidence_of(page.picture), page.cells) == []


@pytest.mark.parametrize("dot", [(3, 3), (5, 4)], ids=["small dots", "blurred ones, of odd sizes"])
def test_what_stands_beside_dots_is_compared(dot: tuple[int, int]) -> None:
    """For example, in a list of contents, or with lines to write on."""
    page, cells = full_page(), []
    for row in range(3):
        cell = page.put(prose(30, row), (120, 1500 + 40 * row))
        for number, left in enumerate(range(cell["bbox"][2] + 12, 1000, 9)):
            high = dot[number % 2]
            page.pen.ellipse((left, 1517 + 40 * row - high, left + 3, 1516 + 40 * row), fill=60)
        page.pen.text((1010, 1500 + 40 * row), f"{7 * row + 11}", fill=0, font=font_of(20))
        cells.append({**cell, "text": f"{cell['text']} {'.' * 40} {7 * row + 11}"})
        cells[-1]["bbox"] = [120, 1500 + 40 * row, 1040, 1523 + 40 * row]
    page.cells[-3:] = cells
    evidence = evidence_of(page.picture)
    assert doubts_of(evidence, page.cells) == []
    for text in (f"{prose(60, 1)} {'.' * 40} 18", f"{prose(12, 1)} {'.' * 40}"):
        [doubt] = doubts_of(evidence, [*page.cells[:-2], {**cells[1], "text": text}, cells[2]])
        assert (doubt.kind, doubt.cell) == ("amount", len(page.cells) - 2)


@pytest.mark.parametrize("turned", [90, 270])
def test_text_on_its_side_is_left_alone(turned: int) -> None:
    """For example, the number of a paper in its margin: letters beside a letter are not its row."""
    page, aside = full_page(), WrittenPage(size=(500, 30))
    aside.put("Read by the river on 3 May", (4, 2), size=20)
    page.picture.paste(aside.picture.rotate(turned, expand=True), (40, 500))
    page.cells.append({**aside.cells[0], "bbox": [41, 500, 66, 1000]})
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


@pytest.mark.parametrize("text", ["Part Two", "3. Minutes", "Annex B-12"])
@pytest.mark.parametrize("is_boxed", [True, False])
def test_a_few_words_are_no_blank_page(text: str, is_boxed: bool) -> None:
    """For example, a title page: the model saw nothing on it, or left its only cell empty."""
    page = WrittenPage()
    cell = page.put(text, (400, 700))
    cells = [{**cell, "text": ""}] if is_boxed else []
    doubts = doubts_of(evidence_of(page.picture), cells)
    assert doubts[0].detail == {"why": "nothing read"} and is_doubtful(trust_left(doubts))
    assert not doubts_of(evidence_of(page.picture), [cell])


def test_a_column_of_short_words_is_compared() -> None:
    page = full_page()
    words = ["be", "at", "it", "on", "we", "of", "to", "in", "us", "so"]
    for row, word in enumerate(words):
        page.pen.text((1090, 500 + 28 * row), word, fill=0, font=font_of(20))
    column = {"bbox": [1088, 500, 1114, 776], "category": "Text", "text": " ".join(words)}
    evidence = evidence_of(page.picture)
    assert doubts_of(evidence, [*page.cells, column]) == []
    [doubt] = doubts_of(evidence, [*page.cells, {**column, "text": " ".join(words * 2)}])
    assert (doubt.kind, doubt.cell) == ("amount", len(page.cells))


def test_what_is_no_writing_may_be_blank() -> None:
    page = Image.new("L", (1176, 1680), 245)
    pen = ImageDraw.Draw(page)
    for y in range(200, 1600, 60):
        pen.line((100, y, 1076, y), fill=0, width=2)
    for x, y in ((60, 400), (60, 1200)):
        pen.ellipse((x, y, x + 50, y + 50), fill=30)
    pen.rectangle((0, 1660, 1176, 1680), fill=0)
    assert doubts_of(evidence_of(page), []) == []


@pytest.mark.parametrize("blob", [3, 8, 14])
def test_a_picture_over_a_photo_is_a_good_answer(blob: int) -> None:
    small = numpy.random.default_rng(1).integers(0, 256, (1680 // blob, 1176 // blob), numpy.uint8)
    photo = Image.fromarray(small).resize((1176, 1680), Image.Resampling.BICUBIC)
    cells = [{"bbox": [0, 0, 1176, 1680], "category": "Picture"}]
    assert doubts_of(evidence_of(photo), cells) == []
