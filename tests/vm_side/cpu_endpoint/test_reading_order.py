"""Reading order on bare boxes."""

import pytest

from cpu_endpoint.geometry import Box
from cpu_endpoint.reading_order import order

CASES: dict[str, list[Box]] = {
    "one column": [(50, 10, 550, 60), (50, 80, 550, 200), (50, 220, 300, 260)],
    "a title over two columns": [
        (100, 10, 500, 60),
        (50, 100, 290, 400),
        (50, 420, 290, 700),
        (310, 100, 550, 250),
        (310, 270, 550, 700),
    ],
    "columns of different length": [
        (50, 100, 290, 400),
        (50, 420, 290, 900),
        (310, 100, 550, 380),
    ],
    "the right column begins higher": [
        (50, 200, 290, 700),
        (310, 100, 550, 180),
        (310, 220, 550, 700),
    ],
    "a wide picture between two pairs of columns": [
        (50, 100, 290, 300),
        (310, 100, 550, 300),
        (50, 320, 550, 500),
        (50, 520, 290, 700),
        (310, 520, 550, 700),
    ],
    "three columns": [
        (50, 100, 200, 500),
        (220, 100, 380, 300),
        (220, 320, 380, 500),
        (400, 100, 550, 500),
    ],
    "a short heading, then a paragraph across": [
        (50, 100, 200, 120),
        (250, 140, 350, 240),
        (50, 260, 550, 400),
    ],
    "boxes that overlap by a few pixels": [
        (50, 100, 300, 203),
        (50, 199, 300, 300),
        (298, 100, 550, 300),
    ],
}


@pytest.mark.parametrize("name", CASES)
def test_boxes_come_in_reading_order(name: str) -> None:
    boxes = CASES[name]
    shuffled = list(range(len(boxes)))[::-1]
    found = order([boxes[i] for i in shuffled], gutter=6)
    assert [shuffled[i] for i in found] == list(range(len(boxes)))


def test_vertical_writing_runs_from_the_right() -> None:
    boxes: list[Box] = [(400, 50, 450, 700), (300, 50, 350, 700), (200, 50, 250, 700)]
    assert order(boxes, gutter=6, right_to_left=True) == [0, 1, 2]


@pytest.mark.parametrize("count", [0, 1])
def test_nothing_to_order(count: int) -> None:
    boxes: list[Box] = [(0, 0, 10, 10)] * count
    assert order(boxes, gutter=6) == list(range(count))


def test_every_box_comes_exactly_once() -> None:
    boxes: list[Box] = [
        (x * 37 % 400, x * 91 % 700, x * 37 % 400 + 60 + x * 13 % 150, x * 91 % 700 + 40)
        for x in range(60)
    ]
    assert sorted(order(boxes, gutter=6)) == list(range(60))
