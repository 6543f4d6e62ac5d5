"""Writing on a page: letters, and the lines that they stand in.

A letter is a connected part of ink of fitting size; it may be a word whose letters touch, or a
piece of a sign of many strokes. A line is of letters beside one another that are alike in height.
"""

from dataclasses import dataclass

import numpy
from numpy.typing import NDArray

from trust.ink import Ink
from trust.runs import Bits, Ints, joined

LOW = 3  # pixels: what is lower is a dot, or dust
RULE = 15  # times as long as wide is a rule
SPARSE, SOLID = 0.1, 0.85  # of its box that a letter fills at least, and a word at most
DOTS = 0.72  # of their boxes that dots fill which stand in a row
TALLEST = 1 / 7  # of the page's longer side
NEAR = 1.2  # times the higher one's height: so far may the next letter of a line be
CLOSED = 0.2  # of the line's height: so much room belongs to the letters, more is between words

Boxes = NDArray[numpy.int16]
Floats = NDArray[numpy.float32]


@dataclass(frozen=True)
class Writing:
    """Letters by line, from left to right, in pixels of the page reduced by step."""

    step: int
    boxes: Boxes
    """Of each letter (x1, y1, x2, y2)."""
    line: NDArray[numpy.int32]
    """Of each letter the number of its line."""
    length: Floats
    """Of each letter what it adds to the length of its line, in pixels; spaces are left out."""
    lines: Boxes
    """Of each line its box."""
    is_text: Bits
    """Of each line whether it is writing beyond doubt, and no pattern or texture."""

    @property
    def heights(self) -> Floats:
        """Of each line its height."""
        return (self.lines[:, 3] - self.lines[:, 1]).astype(numpy.float32)

    @property
    def ems(self) -> Floats:
        """Of each line its length in heights of its own."""
        total = numpy.bincount(self.line, self.length, len(self.lines))
        return numpy.asarray(total / self.heights, numpy.float32)


def writing_in(ink: Ink, longer_side: int, step: int) -> Writing:
    """Which ink may be writing, on a page reduced by step to this side."""
    x1, y1, x2, y2 = ink.boxes.astype(numpy.int64).T
    wide, high = x2 - x1, y2 - y1
    may_be = (high >= LOW) & (high <= longer_side * TALLEST) & (high <= RULE * wide)
    may_be &= (wide <= RULE * high) & (ink.areas >= SPARSE * wide * high)
    may_be &= (wide <= 3 * high) | (ink.areas <= SOLID * wide * high)
    ink = ink.kept(may_be)
    line = joined(neighbours(ink), len(ink.boxes))
    lines = boxes_around(ink.boxes, line)
    order = numpy.lexsort((ink.boxes[:, 0], line))
    boxes, of = ink.boxes[order], line[order]
    length = lengths(boxes, of, lines)
    ems = numpy.bincount(of, length, len(lines)) / (lines[:, 3] - lines[:, 1])
    is_text = looks_like_text(ink, line, lines, ems)
    return Writing(step, boxes, of.astype(numpy.int32), length, lines, is_text)


def neighbours(ink: Ink) -> tuple[Ints, Ints]:
    """Which letters stand beside which."""
    starts, _ = ink.runs.in_line()
    if not len(starts):
        return starts, starts
    _, y1, x2, y2 = ink.boxes.astype(numpy.int64).T
    high = y2 - y1
    pairs = []
    for share in (0.25, 0.5, 0.75):  # of its height: where one looks from a letter to the right
        row = y1 + (high * share).astype(numpy.int64)
        place = row * ink.runs.stride + x2
        found = numpy.minimum(numpy.searchsorted(starts, place), len(starts) - 1)
        other = ink.part[found]
        higher, lower = numpy.maximum(high, high[other]), numpy.minimum(high, high[other])
        room = starts[found] - place
        shared = numpy.minimum(y2, y2[other]) - numpy.maximum(y1, y1[other])
        beside = (room >= 0) & (room <= NEAR * higher) & (lower >= 0.3 * higher)
        beside &= (shared >= 0.5 * lower) & (ink.runs.rows[found] == row)
        pairs.append((numpy.flatnonzero(beside), other[beside]))
    ones, others = zip(*pairs, strict=True)
    return numpy.concatenate(ones), numpy.concatenate(others)


def boxes_around(boxes: Boxes, group: Ints) -> Boxes:
    """The box around each group's boxes."""
    count = int(group.max()) + 1 if len(group) else 0
    around = numpy.zeros((count, 4), numpy.int16)
    around[:, :2] = 32767
    for side, farther in enumerate((numpy.minimum,) * 2 + (numpy.maximum,) * 2):
        farther.at(around[:, side], group, boxes[:, side])
    return around


def lengths(boxes: Boxes, line: Ints, lines: Boxes) -> Floats:
    """What each letter adds to the length of its line, of letters in order."""
    x1, _, x2, _ = boxes.astype(numpy.int64).T
    apart = line * 65536  # so that the end of a line is before the start of the next
    reached = numpy.maximum.accumulate(x2 + apart)
    before = numpy.concatenate(([-65536], reached[:-1]))
    room = x1 + apart - before
    high = (lines[line, 3] - lines[line, 1]).astype(numpy.int64)
    inked = reached - numpy.maximum(before, x1 + apart)
    closed = (room > 0) & (room <= CLOSED * high)
    return numpy.asarray(inked + numpy.where(closed, room, 0), numpy.float32)


def looks_like_text(ink: Ink, line: Ints, lines: Boxes, ems: Floats) -> Bits:
    """Of each line whether its letters stand in a row, are alike in height, and are no pattern."""
    count = len(lines)
    x1, y1, x2, y2 = ink.boxes.astype(numpy.float64).T
    wide, high = x2 - x1, y2 - y1
    all_wide = numpy.bincount(line, wide, count)
    mean_high = numpy.bincount(line, wide * high, count) / all_wide
    spread = numpy.bincount(line, wide * high**2, count) / all_wide - mean_high**2
    uneven = numpy.sqrt(numpy.maximum(spread, 0)) / mean_high
    letters = numpy.bincount(line, minlength=count)
    in_a_row = (lines[:, 3] - lines[:, 1] <= 2.2 * mean_high) & (uneven <= 0.45)
    filled = numpy.bincount(line, ink.areas, count) / (all_wide * mean_high)
    is_pattern = (filled > DOTS) & (uneven < 0.12)
    found: Bits = in_a_row & ~is_pattern & (ems >= 1.5) & ((letters >= 3) | (ems >= 2))
    return found
