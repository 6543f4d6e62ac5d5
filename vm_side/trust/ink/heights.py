"""How high lines are, measured by the letters in them."""

import numpy
from numpy.typing import NDArray

from trust.ink.parts import Boxes
from trust.ink.runs import Ints

LOWEST = 3  # pixels
MOST_FEET = 0.7  # of a line's letters end at its baseline, or above it as pieces of a sign
STEEP, FLAT = 0.15, 4  # the most that a line may slope, if it is so many times as long as rough

Floats = NDArray[numpy.float32]
Doubles = NDArray[numpy.float64]


def heights_of(boxes: Boxes, line: Ints) -> Floats:
    """Return the height of each line: from what most letters stand on up to the highest top."""
    x1, y1, x2, y2 = boxes.astype(numpy.float64).T
    wide, x = x2 - x1, (x1 + x2) / 2
    slope = slopes_of(x, (y1 + y2) / 2, wide, line)[line] * x
    top = numpy.full(int(line.max(initial=-1)) + 1, numpy.inf)
    numpy.minimum.at(top, line, y1 - slope)
    foot = share_of_each(y2 - slope, wide, line, MOST_FEET)
    return numpy.asarray(numpy.maximum(foot - top, LOWEST), numpy.float32)


def slopes_of(x: Doubles, y: Doubles, weight: Doubles, line: Ints) -> Doubles:
    """Return how steeply each line falls; 0 where that cannot be told, as for a short line."""
    total = numpy.bincount(line, weight)
    x = x - (numpy.bincount(line, weight * x) / total)[line]
    y = y - (numpy.bincount(line, weight * y) / total)[line]
    spread = numpy.bincount(line, weight * x * x)
    slope = numpy.bincount(line, weight * x * y) / numpy.maximum(spread, 1)
    rough = numpy.sqrt(numpy.bincount(line, weight * y * y) / total)
    is_told = (numpy.sqrt(spread / total) >= FLAT * rough) & (abs(slope) <= STEEP)
    return numpy.where(is_told, slope, 0)


def share_of_each(values: Doubles, weights: Doubles, group: Ints, share: float) -> Doubles:
    """Return for each group the value that this share of its weight does not exceed."""
    order = numpy.lexsort((values, group))
    reached = numpy.cumsum(weights[order])
    groups = numpy.arange(group.max(initial=-1) + 1)
    total = reached[numpy.searchsorted(group[order], groups, "right") - 1]
    before = numpy.concatenate(([0.0], total[:-1]))
    at = numpy.searchsorted(reached, before + share * (total - before))
    return values[order][at]


def sizes(boxes: Boxes) -> tuple[Doubles, Doubles]:
    """Return how wide and how high boxes are."""
    x1, y1, x2, y2 = boxes.astype(numpy.float64).T
    return x2 - x1, y2 - y1
