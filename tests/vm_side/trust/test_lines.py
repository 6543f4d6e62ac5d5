"""Writing on a page: what counts as letters, and what does not."""

from __future__ import annotations

import numpy
import pytest
from PIL import Image, ImageDraw

from rig.written_page import WrittenPage, full_page, prose
from trust.ink.lines import Writing, writing_in


def written(writing: Writing) -> float:
    """The length of what is certainly writing, in heights of its line."""
    return float(writing.ems[writing.is_text].sum())


def test_the_length_of_text_does_not_depend_on_spaces() -> None:
    close, far = WrittenPage(), WrittenPage()
    close.put("one two three four five six seven", (100, 100))
    far.put("one   two", (100, 100))
    for number, word in enumerate(["three", "four", "five", "six", "seven"]):
        far.put(word, (300 + 130 * number, 100))
    far.cells.clear()
    assert writing_in(far.picture).length.sum() == pytest.approx(
        writing_in(close.picture).length.sum(), rel=0.05
    )


@pytest.mark.parametrize("degrees", [0, 1, -2])
def test_a_line_that_is_askew_is_no_higher(degrees: int) -> None:
    page = WrittenPage()
    page.put(prose(75), (100, 800))
    turned = page.picture.rotate(degrees, Image.Resampling.BICUBIC, fillcolor=255)
    writing = writing_in(turned)
    longest = int(writing.ems.argmax())
    # the height for letters of 20 pixels
    assert writing.heights[longest] == pytest.approx(15, abs=3)
    assert writing.is_text[longest]


def pattern(name: str) -> Image.Image:
    picture = Image.new("L", (1176, 1680), 255)
    pen = ImageDraw.Draw(picture)
    if name == "dotted lines":
        for row in range(100, 1600, 50):
            for column in range(100, 1000, 9):
                pen.ellipse((column, row, column + 4, row + 4), fill=0)
    elif name == "dots of odd sizes":
        for row in range(100, 1600, 50):
            for number, column in enumerate(range(100, 1000, 9)):
                pen.regular_polygon((column, row, 1 + number % 2), 4, rotation=45, fill=0)
    elif name == "a table's grid":
        for at in range(100, 1100, 60):
            pen.line((at, 100, at, 1060), fill=0, width=2)
            pen.line((100, at, 1060, at), fill=0, width=2)
    elif name == "a rule that is askew":
        for row in range(100, 1600, 100):
            pen.line((80, row, 1100, row + 12), fill=0, width=3)
    elif name == "dust":
        rng = numpy.random.default_rng(0)
        for column, row in rng.integers(20, 1150, (400, 2)):
            pen.ellipse((column, row, column + 3, row + 2), fill=0)
    return picture


@pytest.mark.parametrize(
    "name",
    ["dotted lines", "dots of odd sizes", "a table's grid", "a rule that is askew", "dust"],
)
def test_what_is_no_writing(name: str) -> None:
    assert written(writing_in(pattern(name))) < 12 < written(writing_in(full_page().picture)) / 40
