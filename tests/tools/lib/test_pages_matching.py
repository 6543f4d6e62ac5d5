"""Which cells of two readings of a page are the same."""

import pytest

from lib.pages.entries import Cell
from lib.pages.matching import match, overlap_of
from lib.pages.values import Box

WHOLE: Box = (0.0, 0.0, 1.0, 1.0)


def text(words: str, top: float = 0.1, category: str = "Text", height: float = 0.1) -> Cell:
    return Cell((0.1, top, 0.9, top + height), category, words)


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [
        (WHOLE, WHOLE, 1),
        (WHOLE, (0, 0, 1, 0.5), 0.5),
        ((0, 0, 0.5, 1), (0.5, 0, 1, 1), 0),
        ((0, 0, 0.5, 0.5), (0.25, 0, 0.75, 0.5), 1 / 3),
        ((0.5, 0.5, 0.5, 0.5), (0.5, 0.5, 0.5, 0.5), 0),
    ],
)
def test_overlap(one: Box, other: Box, expected: float) -> None:
    assert overlap_of(one, other) == pytest.approx(expected)


def test_a_cell_that_went_elsewhere_is_known_by_its_text() -> None:
    assert match([text("note", 0.1)], [text("note", 0.8)]) == [(0, 0, 0.0)]
    elsewhere = match([text("a"), text("b", 0.5)], [text("b", 0.1), text("a", 0.8)])
    assert elsewhere == [(0, 0, 1.0)]  # what lies on a cell is that cell, whatever its text


def test_of_two_boxes_the_better_one_and_each_once() -> None:
    first = [text("x", 0.10), text("y", 0.12)]
    second = [text("y", 0.12), text("x", 0.10)]
    assert {(a, b) for a, b, _ in match(first, second)} == {(0, 1), (1, 0)}


def test_of_equal_boxes_the_category_decides() -> None:
    first = [Cell(WHOLE, "Text", "a"), Cell(WHOLE, "Table", "b")]
    second = [Cell(WHOLE, "Table", "b"), Cell(WHOLE, "Text", "a")]
    assert {(a, b) for a, b, _ in match(first, second)} == {(0, 1), (1, 0)}
