"""Where the foot of a line is, and how many lines of writing run across a page."""

from __future__ import annotations

from math import inf
from statistics import mean

import numpy
import pytest
from PIL import Image, ImageDraw

from bench import upright_pages
from picture import lines
from picture.looks import TOLD
from picture.upright import turned
from rig import pages


def line(*marks: tuple[int, int, int]) -> lines.Ink:
    """A line, 20 pixels high: two letters, 60 pixels apart, and marks as (left, top, side)."""
    ink = numpy.zeros((20, 100), numpy.bool_)
    ink[:, :12] = ink[:, 72:84] = True
    for left, top, side in marks:
        ink[top : top + side, left : left + side] = True
    return ink


@pytest.mark.parametrize(
    ("marks", "standing", "turned_over"),
    [
        ([], 0, 0),
        ([(14, 16, 4)], 1, 0),  # a full stop
        ([(14, 13, 6)], 1, 0),  # the largest full stop
        ([(14, 11, 4)], 0, 0),  # in the middle
        ([(14, 13, 7)], 0, 0),  # too wide: a dash
        ([(66, 16, 4)], 0, 0),  # at the foot, but close to the next letter
        ([(64, 16, 4)], 1, 0),  # with the least space after it
        ([(14, 0, 4)], 0, 0),  # at the head, but close to the letter before: the end of a quote
        ([(40, 0, 4)], 0, 1),  # at the head, after a gap
        ([(86, 16, 4)], 1, 0),  # the last mark of its line
        ([(14, 16, 4), (40, 0, 4)], 1, 1),
    ],
)
def test_a_full_stop_is_small_and_stands_at_the_foot_before_a_gap(
    marks: list[tuple[int, int, int]], standing: int, turned_over: int
) -> None:
    ink = line(*marks)
    assert (lines.stops(ink), lines.stops(ink[::-1, ::-1])) == (standing, turned_over)


@pytest.mark.parametrize(
    ("standing", "over", "least", "most"),
    [
        (0, 0, 0, 0),
        (1, 0, 0, TOLD),
        (3, 0, 0, TOLD),  # a few prove little
        (5, 0, TOLD, inf),
        (0, 5, -inf, -TOLD),
        (40, 30, 0, TOLD),  # noise is at both ends
    ],
)
def test_stops_are_weighed_by_how_many_more_one_end_has(
    standing: int, over: int, least: float, most: float
) -> None:
    found = [line((14, 16, 4))] * standing + [line((40, 0, 4))] * over
    assert least <= lines.uprightness(found) <= most


@pytest.mark.parametrize("language", ["en", "ko"])
@pytest.mark.parametrize("draw", [upright_pages.dense, upright_pages.ruled_table])
def test_pages_stand_on_their_full_stops(draw: upright_pages.Draw, language: str) -> None:
    """One page alone may fail: which letters touch depends on the system's fonts."""
    made = [upright_pages.make(draw, language, seed).image for seed in range(6)]
    upright, sideways, over = (
        [lines.lines_of(turned(page, angle)) for page in made] for angle in (0, 90, 180)
    )
    assert mean(one.upright for one in upright) > TOLD
    assert mean(one.upright for one in over) < -TOLD
    assert mean(one.count for one in upright) > 2 * mean(one.count for one in sideways)


def test_an_article_has_lines_and_an_empty_page_has_none() -> None:
    assert lines.lines_of(pages.article(100).convert("L")).count > 20
    assert lines.lines_of(Image.new("L", (800, 1100), 250)) == lines.Lines(0, 0.0)


def test_writing_that_runs_down_has_more_pieces_across_than_along() -> None:
    page = Image.new("L", (840, 1200), 255)
    pen = ImageDraw.Draw(page)
    for left in range(100, 740, 36):
        for top in range(100, 1100, 16):
            pen.rectangle((left, top, left + 11, top + 11), outline=0)
    assert lines.lines_of(page).count > 2 * lines.lines_of(turned(page, 90)).count
