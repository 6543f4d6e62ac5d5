"""Running text that an answer calls a picture, so that nobody reads it.

True pictures hold words, too: labels, names, menus, titles. These are short, or stand alone, or in
the middle. Running text is lines of one height, close below one another, that begin at one place
and are long.
"""

from collections.abc import Iterator

import numpy

from trust.boxes import whole
from trust.doubts import Doubt
from trust.ink.laid import Laid, ink_inside
from trust.ink.lines import Doubles, Writing
from trust.ink.missed import weight_of
from trust.ink.parts import Boxes, boxes_around
from trust.ink.runs import Bits, Ints, joined

MANY = 300  # pieces of lines that are looked at: the longest
USUAL = 1.6  # times as high, or as low, as the page's usual line
ALIKE = 1.35  # times as high may a line be as the next one
LEADING = (0.9, 3.2)  # heights from a line to the next one
INDENT = 2.5  # heights by which a line may begin elsewhere
GAP = 2.0  # heights between words in a row that is spaced out
ROWS = 3  # fewer are a label or a title
LONG = 10.0  # heights: as long are most rows of running text
ENOUGH = 40.0  # heights of all its rows together


def swallowed(writing: Writing, laid: Laid) -> Iterator[Doubt]:
    """What speaks against each Picture with running text, by how much of its ink that is."""
    boxes, areas, of = pieces_of(writing, laid)
    paragraph = joined(of_running_text(boxes, of), len(boxes))
    found = dict[int, tuple[int, float, float]]()
    for number in numpy.flatnonzero(numpy.bincount(paragraph) >= ROWS):
        inside = paragraph == number
        wide, high = rows_of(boxes[inside])
        ems = float(wide.sum()) / high
        if len(wide) < ROWS or numpy.median(wide) < LONG * high or ems < ENOUGH:
            continue
        picture = int(of[inside][0])
        rows, length, ink = found.get(picture, (0, 0.0, 0.0))
        length += ems * high * writing.step / laid.em
        found[picture] = rows + len(wide), length, ink + float(areas[inside].sum())
    for picture, (rows, length, ink) in found.items():
        box = laid.cells[picture].box
        share = min(1.0, ink / max(1, ink_inside(box, writing)))
        weight = weight_of(length, rows) * share
        yield Doubt("missed", whole(box), picture, weight, {"lines": rows})


def pieces_of(writing: Writing, laid: Laid) -> tuple[Boxes, Doubles, Ints]:
    """What of each line is in a Picture, if it is as high as the page's text: box, ink, Picture."""
    heights = writing.heights * writing.step / laid.em
    usual = writing.is_text & (heights <= USUAL) & (heights * USUAL >= 1)
    inside = (laid.picture >= 0) & usual[writing.line]
    lines = max(1, len(writing.heights))
    keys, piece = numpy.unique(
        laid.picture[inside] * lines + writing.line[inside], return_inverse=True
    )
    boxes = boxes_around(writing.boxes[inside], piece)
    areas = numpy.bincount(piece, writing.areas[inside], len(keys)).astype(numpy.float64)
    longest = numpy.argsort(boxes[:, 0] - boxes[:, 2], kind="stable")[:MANY]
    return boxes[longest], areas[longest], keys[longest] // lines


def of_running_text(boxes: Boxes, of: Ints) -> tuple[Ints, Ints]:
    """Which pieces of lines are of one text: of one row, or of two that begin at one place."""
    x1, y1, x2, y2 = boxes.astype(numpy.float32).T
    high, middle = y2 - y1, (y1 + y2) / 2
    higher = numpy.maximum(high[:, None], high)
    down = abs(middle[:, None] - middle)
    across = numpy.maximum(x1[:, None], x1) - numpy.minimum(x2[:, None], x2)
    below = (down >= LEADING[0] * higher) & (down <= LEADING[1] * higher)
    below &= (abs(x1[:, None] - x1) <= INDENT * higher) & (across < 0)
    beside = (down < 0.5 * higher) & (across <= GAP * higher)
    alike: Bits = (higher <= ALIKE * numpy.minimum(high[:, None], high)) & (of[:, None] == of)
    one, other = numpy.nonzero(numpy.triu(alike & (below | beside), 1))
    return one, other


def rows_of(boxes: Boxes) -> tuple[Doubles, float]:
    """How wide each row of a text is, and how high most are."""
    x1, y1, x2, y2 = boxes.astype(numpy.float64).T
    high, middle = float(numpy.median(y2 - y1)), (y1 + y2) / 2
    order = numpy.argsort(middle)
    first = numpy.flatnonzero(numpy.append(True, numpy.diff(middle[order]) > 0.5 * high))
    left, right = (numpy.minimum.reduceat(side[order], first) for side in (x1, -x2))
    wide: Doubles = -right - left
    return wide, high
