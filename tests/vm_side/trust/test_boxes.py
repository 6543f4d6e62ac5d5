"""Which box contains each thing."""

from __future__ import annotations

import pytest

from picture.words import Box
from trust.boxes import area, cut, has_area, holding, in_rows, shared, upright, whole

PAGE = (0.0, 0.0, 100.0, 100.0)
COLUMN = (10.0, 10.0, 50.0, 90.0)
BESIDE = (52.0, 10.0, 90.0, 60.0)  # smaller


@pytest.mark.parametrize(
    ("boxes", "x", "expected"),
    [
        ([PAGE, COLUMN], 30, 1),  # the smallest
        ([COLUMN, PAGE], 30, 0),
        ([COLUMN, BESIDE], 49, 0),  # inside one, and in the margin of the other
        ([COLUMN, BESIDE], 50, 0),  # on its edge
        ([COLUMN, BESIDE], 51, 1),  # in the margin of both
        ([COLUMN], 53, 0),
        ([COLUMN], 55, -1),
        ([PAGE, COLUMN], 51, 0),
        ([PAGE, COLUMN], 50, 1),
        ([PAGE, (80.0, 40.0, 98.0, 50.0)], 100, 0),  # on the edge of one is in it
        ([COLUMN, (44.0, 40.0, 54.0, 50.0)], 46, 1),  # just enough of it is in the other
        ([(30.0, 0.0, 31.0, 100.0)], 30, -1),  # nothing can be in it
        ([(30.0, 0.0, 32.0, 100.0)], 30, 0),
        ([(0.0, 0.0, 1.5, 1000.0), (25.0, 35.0, 35.0, 55.0)], 30, 1),
        ([], 30, -1),
    ],
)
def test_a_thing_stands_in_the_smallest_box_around_its_middle(
    boxes: list[tuple[float, float, float, float]], x: float, expected: int
) -> None:
    places = in_rows([(x - 5, 40, x + 5, 50), (x - 5, 400, x + 5, 410)])
    assert holding(in_rows(boxes), places, 4).tolist() == [expected, -1]


@pytest.mark.parametrize(("y", "expected"), [(50, 0), (57, 0), (59, 1), (61, 1), (63, 1), (70, 1)])
def test_what_two_boxes_share_at_their_edges_is_of_the_one_that_it_is_deeper_in(
    y: float, expected: int
) -> None:
    """Loosely drawn boxes; the smaller one reaches into the last row of the other."""
    boxes = in_rows([(10, 10, 90, 64), (10, 54, 90, 90)])
    assert holding(boxes, in_rows([(40, y - 5, 60, y + 5)]), 4).tolist() == [expected]


@pytest.mark.parametrize(("y", "expected"), [(85, 0), (93, 0), (125, -1), (7, 0), (-25, -1)])
def test_a_box_ends_above_and_below(y: float, expected: int) -> None:
    assert holding(in_rows([COLUMN]), in_rows([(25, y - 5, 35, y + 5)]), 4).tolist() == [expected]


@pytest.mark.parametrize(
    ("box", "covers", "holds"),
    [
        ((1, 2, 4, 8), 18, True),
        ((10, 20, 12, 22), 4, True),
        ((50, 20, 90, 40), 800, True),
        ((10, 20, 11.5, 60), 60, False),
        ((10, 20, 50, 21.5), 60, False),
    ],
)
def test_what_a_box_covers(box: Box, covers: float, holds: bool) -> None:
    assert (area(box), has_area(box)) == (covers, holds)


def test_what_a_box_shares_with_others() -> None:
    others = in_rows([(30, 10, 200, 60), (30, 10, 40, 60), (60, 30, 70, 80)])
    assert shared(in_rows([(10, 20, 50, 90)])[0], others).tolist() == [800, 400, 0]


def test_each_thing_has_its_own_room() -> None:
    places = in_rows([(50, 40, 60, 50), (50, 40, 60, 50)])
    assert holding(in_rows([COLUMN]), places, in_rows([(4, 5, 0, 0)])[0, :2]).tolist() == [-1, 0]


def test_a_doubt_has_a_box_in_order_on_the_page_in_whole_pixels() -> None:
    box = cut(upright([120.5, 90, -3, 20.25]), (100, 100))
    assert box == (0, 20.25, 100, 90)
    assert whole(box) == (0, 20, 100, 90)
