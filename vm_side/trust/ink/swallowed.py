"""Running text that an answer calls a picture, so that nobody reads it.

True pictures have words, too: labels, names, menus, titles. These are short, stand alone, or are in
the middle. Running text has lines of one height, close below one another. They are long, and begin
at one place.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy

from trust.boxes import whole
from trust.doubts import Doubt
from trust.ink.heights import Doubles, Floats
from trust.ink.laid import Laid, ink_inside
from trust.ink.lines import Writing
from trust.ink.missed import weight_of
from trust.ink.parts import Boxes, boxes_around
from trust.ink.runs import Bits, Ints, joined

MANY = 300  # pieces of lines that are looked at: only the longest
USUAL = 1.6  # times as high, or as low, as the page's usual line: at most
ALIKE = 1.35  # times as high: the most that a line and the next one differ
LEADING = (0.9, 3.2)  # heights: the least and the most from one line to the next
INDENT = 2.5  # heights: the most that the beginnings of lines are apart
GAP = 2.0  # heights: the most room between words in a row that is spaced out
ROWS = 3  # fewer rows are a label or a title
LONG = 10.0  # heights: most rows of running text are at least so long
ENOUGH = 40.0  # heights: all rows of a text together are at least so long
CLEAR = 0.7  # of its ink is in lines that look like writing; other lines are short words, or specks


@dataclass(frozen=True)
class Pieces:
    """The parts of lines that are in a Picture."""

    boxes: Boxes
    high: Floats
    """The height of each piece's line."""
    areas: Doubles
    """The ink of each piece."""
    is_text: Bits
    picture: Ints


def swallowed(writing: Writing, laid: Laid) -> Iterator[Doubt]:
    """Yield a doubt for each Picture with running text; its weight grows with the text's ink."""
    pieces = pieces_in(writing, laid)
    text = joined(of_one_text(pieces), len(pieces.boxes))
    found = dict[int, tuple[int, float, float]]()
    for number in numpy.flatnonzero(numpy.bincount(text, pieces.is_text) >= ROWS):
        inside = text == number
        ink, high = pieces.areas[inside], float(numpy.median(pieces.high[inside]))
        rows = rows_of(pieces.boxes[inside], high)
        if len(rows) < ROWS or numpy.median(rows) < LONG * high or rows.sum() < ENOUGH * high:
            continue
        if ink[pieces.is_text[inside]].sum() < CLEAR * ink.sum():
            continue
        picture = int(pieces.picture[inside][0])
        count, ems, before = found.get(picture, (0, 0.0, 0.0))
        ems += float(rows.sum()) * writing.step / laid.em
        found[picture] = count + len(rows), ems, before + float(ink.sum())
    for picture, (count, ems, ink_of_text) in found.items():
        box = laid.cells[picture].box
        share = min(1.0, ink_of_text / max(1, ink_inside(box, writing)))
        yield Doubt("missed", whole(box), picture, weight_of(ems, count) * share, {"lines": count})


def pieces_in(writing: Writing, laid: Laid) -> Pieces:
    """Return the pieces that are about as high as the page's text, the longest first."""
    high = writing.heights * writing.step / laid.em
    is_usual = (high <= USUAL) & (high * USUAL >= 1)
    inside = (laid.picture >= 0) & is_usual[writing.line]
    lines = max(1, len(writing.heights))
    keys, piece = numpy.unique(
        laid.picture[inside] * lines + writing.line[inside], return_inverse=True
    )
    boxes = boxes_around(writing.boxes[inside], piece)
    areas = numpy.bincount(piece, writing.areas[inside], len(keys)).astype(numpy.float64)
    longest = numpy.argsort(boxes[:, 0] - boxes[:, 2], kind="stable")[:MANY]
    picture, line = numpy.divmod(keys[longest], lines)
    return Pieces(
        boxes[longest], writing.heights[line], areas[longest], writing.is_text[line], picture
    )


def of_one_text(pieces: Pieces) -> tuple[Ints, Ints]:
    """Return the pairs of pieces of one text: in one row, or in two that begin at one place."""
    x1, y1, x2, y2 = pieces.boxes.astype(numpy.float32).T
    high, picture = pieces.high, pieces.picture
    higher, lower = numpy.maximum(high[:, None], high), numpy.minimum(high[:, None], high)
    down = abs(((y1 + y2)[:, None] - y1 - y2) / 2)
    across = numpy.maximum(x1[:, None], x1) - numpy.minimum(x2[:, None], x2)
    shared = numpy.minimum(y2[:, None], y2) - numpy.maximum(y1[:, None], y1)
    below = (down >= LEADING[0] * higher) & (down <= LEADING[1] * higher)
    below &= (abs(x1[:, None] - x1) <= INDENT * higher) & (higher <= ALIKE * lower)
    beside = (shared >= 0.5 * lower) & (across <= GAP * higher)
    one, other = numpy.nonzero(numpy.triu((picture[:, None] == picture) & (below | beside), 1))
    return one, other


def rows_of(boxes: Boxes, high: float) -> Doubles:
    """Return how wide each row of a text is; high is the height of its lines."""
    x1, y1, x2, y2 = boxes.astype(numpy.float64).T
    order = numpy.argsort(y1 + y2)
    is_first = numpy.append(True, numpy.diff((y1 + y2)[order] / 2) > 0.5 * high)
    left, right = (
        side.reduceat(at[order], numpy.flatnonzero(is_first))
        for side, at in ((numpy.minimum, x1), (numpy.maximum, x2))
    )
    wide: Doubles = right - left
    return wide
