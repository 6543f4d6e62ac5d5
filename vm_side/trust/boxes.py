"""Boxes on a page, and which box each thing stands in."""

from collections.abc import Iterable

import numpy
from numpy.typing import NDArray

from picture.words import Box

WITHIN = 0.6  # of a box is in another one: then a thing in both belongs to the smaller one
LEAST_SIDE = 2  # pixels: a box that is slimmer can hold nothing of the page

Floats = NDArray[numpy.float64]
Ints = NDArray[numpy.int64]


def upright(box: Iterable[float]) -> Box:
    """Return a box with its corners in order."""
    x1, y1, x2, y2 = map(float, box)
    return min(x1, x2), min(y1, y2), max(x1, x2), max(y1, y2)


def cut(box: Iterable[float], size: tuple[int, int]) -> Box:
    """Cut a box at the edge of a picture of this size."""
    x1, y1, x2, y2 = (
        float(min(max(side, 0), limit)) for side, limit in zip(box, size * 2, strict=True)
    )
    return x1, y1, x2, y2


def whole(box: Iterable[float]) -> tuple[int, int, int, int]:
    """Return a box in whole pixels, as a doubt holds it."""
    x1, y1, x2, y2 = map(int, box)
    return x1, y1, x2, y2


def in_rows(boxes: Iterable[Box]) -> Floats:
    """Return boxes as an array with one row for each box."""
    return numpy.array(list(boxes), float).reshape(-1, 4)


def area(box: Box) -> float:
    """Return how much of the page a box covers, in square pixels."""
    return (box[2] - box[0]) * (box[3] - box[1])


def has_area(box: Box) -> bool:
    """Whether anything of the page can be in a box."""
    return box[2] - box[0] >= LEAST_SIDE and box[3] - box[1] >= LEAST_SIDE


def holding(boxes: Floats, places: NDArray[numpy.floating], room: Floats | float) -> Ints:
    """Return for each place the smallest box that its middle is in, or -1 if there is none.

    Where two boxes overlap only at an edge, it is the box in which the middle is deeper. A middle
    may be outside a box by this room (pixels), but a box that it is truly in comes first.
    """
    x, y = (places[:, 0] + places[:, 2]) / 2, (places[:, 1] + places[:, 3]) / 2
    found, depth = numpy.full(len(places), -1), numpy.full(len(places), -numpy.inf)
    wide, high = boxes[:, 2] - boxes[:, 0], boxes[:, 3] - boxes[:, 1]
    for number in numpy.argsort(-wide * high, kind="stable"):
        if min(wide[number], high[number]) < LEAST_SIDE:
            continue
        x1, y1, x2, y2 = boxes[number]
        inside = numpy.minimum(
            wide[number] / 2 - abs(x - (x1 + x2) / 2), high[number] / 2 - abs(y - (y1 + y2) / 2)
        )
        within = shared(boxes[number], boxes) >= WITHIN * wide[number] * high[number]
        is_here = (inside >= 0) | ((inside >= -room) & (depth < 0))
        is_here &= (inside >= depth) | within[found]
        found[is_here], depth[is_here] = number, inside[is_here]
    return found


def shared(box: Floats, boxes: Floats) -> Floats:
    """Return the area that a box shares with each of the others."""
    common = numpy.minimum(box[2:], boxes[:, 2:]) - numpy.maximum(box[:2], boxes[:, :2])
    found: Floats = numpy.maximum(common, 0).prod(axis=1)
    return found
