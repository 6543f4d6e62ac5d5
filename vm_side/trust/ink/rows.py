"""Rows: which letters stand beside one another.

Where print is tight, some letters touch those of the next row, and hold the two rows together. Such
a letter has two rows beside it, one above the other, and is cut between them. A large sign of many
strokes also has strokes beside it, one above the other, but it must not be cut.
"""

import numpy

from trust.ink.heights import Doubles, heights_of, share_of_each, sizes
from trust.ink.parts import Boxes, Ink, parts_of
from trust.ink.runs import Bits, Ints, Pairs, joined

# In heights of the higher or of the lower of two letters.
NEAR, LOW = 1.2, 0.4  # the next letter of a row is at most so far away, and at least so high
SHARED = 0.5  # of the lower one is level with the higher one, at least

LEAST = 5  # pixels: lower ink cannot be read, and is only dots

# In heights of the usual line.
TALL = 1.5  # no letter of such a line is so high
LOWER, HIGHER = 0.55, 1.2  # most letters of such a line are between these
HIGH, APART = 1.3, 0.8  # the height of a part of two rows, and how far their middles are apart
ROW = 0.5  # a piece of a letter that is lower does not count as a row

FEW, MOST = 0.3, 0.75  # of a line's letters: so few are tall, so many of the others are not strokes
COVERED = 0.85  # of its width: signs have lanes from top to foot between them, two rows hardly any
CUTS = 3  # rounds, so that a part is cut into four rows at most


def in_rows(ink: Ink) -> tuple[Ink, Ints]:
    """Return the ink, cut where it joins two rows, and for each part the row it stands in."""
    pairs = neighbours(ink)
    line = joined(pairs, len(ink.boxes))
    is_held, em = held_together(ink.boxes, line)
    if not is_held.any():
        return ink, line
    for _ in range(CUTS):
        feet = numpy.where(is_held, feet_of_first(pairs, ink.boxes, em), 0)
        if not feet.any():
            break
        ink, is_held = cut(ink, feet), numpy.append(is_held, is_held[feet > 0])
        pairs = neighbours(ink)
    return ink, joined(pairs, len(ink.boxes))


def neighbours(ink: Ink) -> Pairs:
    """Return the pairs of letters that stand beside each other."""
    starts, _ = ink.runs.in_line()
    if not len(starts):
        return starts, starts  # an empty array cannot be searched
    _, y1, x2, y2 = ink.boxes.astype(numpy.int64).T
    high = y2 - y1
    pairs = []
    for share in (0.25, 0.5, 0.75):  # of the letter's height: here one looks to its right
        row = y1 + (high * share).astype(numpy.int64)
        place = row * ink.runs.stride + x2
        found = numpy.minimum(numpy.searchsorted(starts, place), len(starts) - 1)
        other = ink.part[found]
        higher, lower = numpy.maximum(high, high[other]), numpy.minimum(high, high[other])
        room = starts[found] - place
        shared = numpy.minimum(y2, y2[other]) - numpy.maximum(y1, y1[other])
        beside = (room >= 0) & (room <= NEAR * higher) & (lower >= LOW * higher)
        beside &= (shared >= SHARED * lower) & (ink.runs.rows[found] == row)
        pairs.append((numpy.flatnonzero(beside), other[beside]))
    ones, others = zip(*pairs, strict=True)
    return numpy.concatenate(ones), numpy.concatenate(others)


def held_together(boxes: Boxes, line: Ints) -> tuple[Bits, float]:
    """Return for each letter whether its line has several rows, and the usual line's height."""
    if not len(boxes):
        return numpy.zeros(0, bool), 0.0
    wide, high = sizes(boxes)
    heights, total = heights_of(boxes, line).astype(numpy.float64), numpy.bincount(line, wide)
    readable = numpy.where(numpy.bincount(line, wide * high) >= LEAST * total, total, 0.0)
    [em] = share_of_each(heights, readable, numpy.zeros(len(heights), numpy.int64), 0.5)
    letters, tall = numpy.bincount(line), numpy.bincount(line, high >= TALL * em)
    level = numpy.bincount(line, (high >= LOWER * em) & (high <= HIGHER * em))
    is_held = (heights >= TALL * em) & (tall <= numpy.maximum(FEW * letters, 2))
    is_held &= level >= MOST * (letters - tall)
    if is_held.any():
        of_held = is_held[line]
        is_held[is_held] = covered(boxes[of_held], line[of_held]) >= COVERED
    return is_held[line], float(em)


def covered(boxes: Boxes, line: Ints) -> Doubles:
    """Return how much of each line's width letters cover, in whichever row they are."""
    _, line = numpy.unique(line, return_inverse=True)
    order = numpy.lexsort((boxes[:, 0], line))
    x1, x2 = (boxes[order, side] + line[order] * 65536 for side in (0, 2))  # line after line
    reached = numpy.maximum.accumulate(x2)
    before = numpy.concatenate(([-1], reached[:-1]))
    inked = numpy.bincount(line[order], reached - numpy.maximum(before, x1))
    first = numpy.searchsorted(line[order], numpy.arange(len(inked)))
    last = numpy.append(first[1:], len(line)) - 1
    found: Doubles = inked / (reached[last] - x1[first])
    return found


def feet_of_first(pairs: Pairs, boxes: Boxes, em: float) -> Ints:
    """Return where each part's first row ends: between two rows beside the part; 0 if nowhere."""
    tops, feet = boxes[:, 1].astype(numpy.float64), boxes[:, 3].astype(numpy.float64)
    middles, ends = (tops + feet) / 2, numpy.zeros(len(boxes))
    for here, there in (pairs, pairs[::-1]):
        first, second = numpy.full((2, len(boxes)), numpy.inf)
        numpy.minimum.at(first, here, middles[there])
        is_below = middles[there] >= first[here] + APART * em
        numpy.minimum.at(second, here[is_below], middles[there][is_below])
        between = numpy.where(second < numpy.inf, (first + second) / 2, 0)
        is_inside = (between - tops >= ROW * em) & (feet - between >= ROW * em)
        ends = numpy.where(is_inside & (ends == 0), between, ends)
    return numpy.where(feet - tops >= HIGH * em, ends, 0).astype(numpy.int64)


def cut(ink: Ink, feet: Ints) -> Ink:
    """Cut each part at its foot (0: not at all); all that is below becomes one more part."""
    below = (feet > 0)[ink.part] & (ink.runs.rows >= feet[ink.part])
    new = numpy.cumsum(feet > 0) - 1 + len(feet)
    return parts_of(ink.runs, numpy.where(below, new[ink.part], ink.part))
