"""Which cells of two readings of a page are the same."""

import random

import pytest

from lib.pages.entries import Cell
from lib.pages.matching import SAME_CELL, match, near, overlap_of
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
    # a cell in the same place is the same cell, whatever its text
    assert elsewhere == [(0, 0, 1.0)]


def test_of_two_boxes_the_better_one_and_each_once() -> None:
    first = [text("x", 0.10), text("y", 0.12)]
    second = [text("y", 0.12), text("x", 0.10)]
    assert {(a, b) for a, b, _ in match(first, second)} == {(0, 1), (1, 0)}


def test_of_equal_boxes_the_category_decides() -> None:
    first = [Cell(WHOLE, "Text", "a"), Cell(WHOLE, "Table", "b")]
    second = [Cell(WHOLE, "Table", "b"), Cell(WHOLE, "Text", "a")]
    assert {(a, b) for a, b, _ in match(first, second)} == {(0, 1), (1, 0)}


def test_no_box_is_passed_over_that_may_be_the_same() -> None:
    lot = random.Random(5)
    boxes = [
        (left, top, left + lot.uniform(0, 0.4), top + lot.choice((0.1, 0.2, lot.uniform(0, 0.3))))
        for left, top in ((lot.uniform(0, 0.2), lot.uniform(0, 0.5)) for _ in range(200))
    ]
    boxes.sort(key=lambda box: box[1])
    tops = [box[1] for box in boxes]
    for box in boxes:
        first, end = near(box, tops)
        others = [*boxes[:first], *boxes[end:]]
        assert all(overlap_of(box, other) < SAME_CELL for other in others)
    rows = [n / 2000 for n in range(2000)]  # for so many cells, a page is not searched 2,000 times
    first, end = near((0.0, 0.5, 1.0, 0.5005), rows)
    assert end - first < 5
