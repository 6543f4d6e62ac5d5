"""Running text for which the answer has only a picture."""

from __future__ import annotations

from typing import Any

import numpy
import pytest
from PIL import Image

from rig.witnessed import PAGE, Cells, changed, told
from rig.written_page import WrittenPage, full_page, prose
from trust.doubts import Doubt, is_doubtful, trust_left
from trust.witnesses import doubts_of, evidence_of

LEFT, RIGHT = ([n for n, c in enumerate(PAGE.cells) if c["bbox"][0] == x] for x in (120, 640))
TALL = [0, 200, 1176, 880]  # the upper two rows of paragraphs


def picture(*box: int) -> dict[str, Any]:
    return {"bbox": list(box), "category": "Picture"}


def without(*lost: int) -> Cells:
    return [cell for number, cell in enumerate(PAGE.cells) if number not in lost]


@pytest.mark.parametrize(
    "cells",
    [
        [picture(0, 0, 600, 1680), picture(600, 0, 1176, 1680)],
        [picture(0, 200, 1176, 1680), PAGE.cells[0]],
        [picture(*TALL), *(cell for cell in PAGE.cells if not 200 < cell["bbox"][1] < 880)],
        [picture(100, 200, 600, 1680), *without(*LEFT[1:])],
        changed(4, category="Picture", text=""),
        changed(4, category="Table", text=""),
        changed(4, category="Formula", text=""),
        changed(4, category="Table", text=None),
    ],
    ids=[
        *("side by side", "all but the title", "upper half", "one column", "one paragraph"),
        *("an empty table", "an empty formula", "a table without text"),
    ],
)
def test_what_was_called_a_picture_was_not_read(cells: Cells) -> None:
    assert is_doubtful(trust_left(told(cells)))


@pytest.mark.parametrize("ground", [{}, {"paper": 0, "ink": 255}], ids=["print", "dark"])
def test_which_picture_it_is_and_how_many_lines(ground: dict[str, Any]) -> None:
    page = full_page(**ground)
    cells = [*page.cells]
    cells[4] = picture(*cells[4]["bbox"])
    [doubt] = doubts_of(evidence_of(page.picture), cells)
    rows = round((page.cells[4]["bbox"][3] - page.cells[4]["bbox"][1]) / 28)
    assert (doubt.kind, doubt.cell, doubt.detail) == ("missed", 4, {"lines": rows})
    assert doubt.bbox == tuple(page.cells[4]["bbox"])


def test_what_other_cells_read_in_a_picture_is_not_missed() -> None:
    assert told([*PAGE.cells, picture(0, 0, 1176, 1680)]) == []


def with_picture(draw: Any) -> list[Doubt]:
    """The doubts about a page of text with a picture of this drawing."""
    drawn, whole = WrittenPage((1176, 700)), Image.new("L", (1176, 2380), 255)
    draw(drawn)
    whole.paste(PAGE.picture)
    whole.paste(drawn.picture, (0, 1680))
    return doubts_of(evidence_of(whole), [*PAGE.cells, picture(20, 1680, 1160, 2380)])


def chart(page: WrittenPage) -> None:
    """Bars with labels on the left, ticks below, and a legend of three lines."""
    for row in range(8):
        page.put(prose(12, row), (40, 40 + 60 * row))
        page.pen.rectangle((300, 40 + 60 * row, 420 + 60 * row, 70 + 60 * row), 90)
        page.put(str(100 * row), (300 + 90 * row, 560))
    for row in range(3):
        page.put(prose(14, row), (950, 40 + 30 * row))


def town_map(page: WrittenPage) -> None:
    """Street names all over the map, across lines."""
    rng = numpy.random.default_rng(2)
    for number in range(40):
        x, y = int(rng.integers(40, 1000)), int(rng.integers(10, 660))
        page.pen.line((x, y, 1176 - x, 700 - y), 120, 2)
        page.put(prose(8, number), (x, y))


def screen(page: WrittenPage) -> None:
    """A program: a menu of many short lines, a table of numbers, three buttons."""
    for row in range(20):
        page.put(prose(11, row), (40, 20 + 32 * row), size=18)
        for column in range(4):
            page.put(f"{row * 37 + column}.{column}", (360 + 190 * column, 20 + 32 * row), size=18)
    page.pen.rectangle((20, 10, 300, 690), outline=0)


def poster(page: WrittenPage) -> None:
    """A few centred lines."""
    for row, letters in enumerate((30, 12, 44, 22, 36)):
        text = prose(letters, row)
        page.put(text, (588 - 5 * len(text), 40 + 60 * row), size=22)


def boxes(page: WrittenPage) -> None:
    """A diagram: boxes with two lines each, and arrows."""
    for column in range(3):
        for row in range(4):
            x, y = 60 + 380 * column, 30 + 170 * row
            page.pen.rectangle((x, y, x + 250, y + 90), outline=0)
            page.put(prose(34, 3 * row + column), (x + 20, y + 20), width=210, size=18)
            page.pen.line((x + 250, y + 45, x + 380, y + 45), 0, 2)


@pytest.mark.parametrize("draw", [chart, town_map, screen, poster, boxes])
def test_words_in_a_true_picture_are_left_alone(draw: Any) -> None:
    assert with_picture(draw) == []


@pytest.mark.parametrize(
    ("rows", "lefts", "apart", "sizes", "letters", "told"),
    [
        (4, (40,), 28, (20,), 60, True),
        (3, (40,), 28, (20,), 60, True),
        (2, (40,), 28, (20,), 60, False),
        (4, (40,), 46, (20,), 60, True),  # wide leading
        (4, (40,), 64, (20,), 60, False),
        (4, (40, 68), 28, (20,), 60, True),  # indented
        (4, (40, 160), 28, (20,), 60, False),
        (4, (40,), 40, (18, 30), 60, False),  # letters of two sizes
        (6, (40,), 28, (20,), 14, False),  # short
        (4, (40,), 80, (50,), 60, False),  # much larger than the page's text
    ],
)
def test_what_running_text_is(
    rows: int,
    lefts: tuple[int, ...],
    apart: int,
    sizes: tuple[int, ...],
    letters: int,
    told: bool,
) -> None:
    def lines(page: WrittenPage) -> None:
        for row in range(rows):
            at = lefts[row % len(lefts)], 40 + apart * row
            page.put(prose(letters, row), at, width=1100, size=sizes[row % len(sizes)])

    assert [doubt.detail for doubt in with_picture(lines)] == [{"lines": rows}] * told


def test_a_note_in_a_large_picture_is_told_lightly() -> None:
    def noted(page: WrittenPage) -> None:
        page.put(prose(260), (40, 20), width=500)
        page.pen.rectangle((40, 240, 1100, 680), 60)

    [doubt] = with_picture(noted)
    assert (doubt.kind, doubt.cell) == ("missed", len(PAGE.cells))
    assert not is_doubtful(trust_left([doubt]))
