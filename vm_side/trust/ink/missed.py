"""Writing that is under no box."""

from collections.abc import Iterator
from typing import Any

import numpy
from numpy.typing import NDArray

from trust.boxes import cut, whole
from trust.doubts import Doubt
from trust.ink.heights import Floats
from trust.ink.laid import Laid
from trust.ink.lines import Writing
from trust.ink.parts import Boxes, boxes_around
from trust.ink.rows import LEAST
from trust.ink.runs import Bits, Ints, joined

MANY = 600  # pieces of lines that are looked at: only the longest
LEAST_EMS, LEAST_OF_CUT = 1.7, 1.0  # of a line; of a piece of a line that goes on under a box
LEAST_HEIGHT = 0.5  # of the usual line's height
ALIKE = 1.8  # times as high: lines of one paragraph differ at most so much
ROOM = 1.5  # of the higher one's height: the most room between two lines of a paragraph
LIGHT, MOST_WEIGHT = 0.04, 0.9
WHOLLY_AT = 130  # ems of usual height that would take all of the trust
MOST_OF_FEW = (0.3, 0.45)  # the most weight of one line, and of two lines

SHORT_EMS = 0.3  # ems: a 1 is no wider
SAME_HEIGHT, SAME_ROW, SAME_COLUMN = 0.25, 0.3, 0.6  # of a number's height
IN_LINE = 4  # so many such numbers at least stand in each row and each column of a table
MOSTLY = 0.5  # of all such short pieces: on a page with dirt, fewer stand so by chance
VARIED = 0.07  # letters differ so much in ink and width; boxes to tick differ less, ticked or not


def missed(writing: Writing, laid: Laid, size: tuple[int, int]) -> Iterator[Doubt]:
    """Yield a doubt for each paragraph, or piece of one, and each table that no box covers."""
    boxes, ems = bare_pieces(writing, laid)
    paragraph = joined(of_one_paragraph(boxes), len(boxes))
    around = boxes_around(boxes, paragraph)
    for index, box in enumerate(around):
        of_it = paragraph == index
        rows = rows_in(boxes[of_it])
        high = float(numpy.median(boxes[of_it][:, 3] - boxes[of_it][:, 1])) * writing.step
        weight = weight_of(float(ems[of_it].sum()) * high / laid.em, rows)
        corners = cut((float(side) * writing.step for side in box), size)
        yield Doubt("missed", whole(corners), None, weight, {"lines": rows})
    boxes, ems = bare_table(writing, laid)
    if len(boxes):
        [around] = boxes_around(boxes, numpy.zeros(len(boxes), numpy.intp))
        corners = cut((float(side) * writing.step for side in around), size)
        rows = rows_in(boxes)
        weight = weight_of(float(ems.sum()), rows)
        yield Doubt("missed", whole(corners), None, weight, {"lines": rows})


def bare_table(writing: Writing, laid: Laid) -> tuple[Boxes, Floats]:
    """Find numbers under no box that are too short for a line, but stand in rows and columns."""
    bare = laid.bare & ~writing.is_text[writing.line]
    lines, line = numpy.unique(writing.line[bare], return_inverse=True)
    boxes = boxes_around(writing.boxes[bare], line)
    heights, ems = writing.heights[lines], writing.ems[lines]
    short = (ems >= SHORT_EMS) & (ems < LEAST_EMS) & (heights >= LEAST)
    short &= heights * writing.step >= LEAST_HEIGHT * laid.em  # the dots of a line are lower
    usual = float(numpy.median(heights[short])) if short.any() else 0.0
    short &= abs(heights - usual) <= SAME_HEIGHT * usual
    found = numpy.flatnonzero(short)[:MANY]
    count = len(found)
    while len(found):
        x1, _, x2, y2 = boxes[found].astype(numpy.float32).T
        middle = (x1 + x2) / 2
        in_row = (abs(y2[:, None] - y2) <= SAME_ROW * usual).sum(1)
        in_column = (abs(middle[:, None] - middle) <= SAME_COLUMN * usual).sum(1)
        stands = (in_row >= IN_LINE) & (in_column >= IN_LINE)
        if stands.all():
            break
        found = found[stands]
    of_them = numpy.isin(line, found)
    letters = writing.boxes[bare][of_them]
    looks = writing.areas[bare][of_them], letters[:, 2] - letters[:, 0]
    is_table = len(found) >= MOSTLY * count and all(map(varies, looks))
    found = found if is_table else found[:0]
    return boxes[found], ems[found]


def varies(sizes: NDArray[Any]) -> bool:
    """Whether these differ as much as the sizes of letters do."""
    return bool(len(sizes) and sizes.std() >= VARIED * sizes.mean())


def bare_pieces(writing: Writing, laid: Laid) -> tuple[Boxes, Floats]:
    """Return the part of each line that is under no box, and its length in heights of the line."""
    bare = laid.bare & writing.is_text[writing.line]
    lines, line = numpy.unique(writing.line[bare], return_inverse=True)
    boxes = boxes_around(writing.boxes[bare], line)
    heights = writing.heights[lines]
    ems = numpy.bincount(line, writing.length[bare], len(lines)) / heights
    is_cut = ems < 0.95 * writing.ems[lines]
    wanted = ems >= numpy.where(is_cut, LEAST_OF_CUT, LEAST_EMS)
    wanted &= heights * writing.step >= LEAST_HEIGHT * laid.em
    longest = numpy.argsort(-ems * wanted, kind="stable")[: min(MANY, int(wanted.sum()))]
    return boxes[longest], ems[longest].astype(numpy.float32)


def of_one_paragraph(boxes: Boxes) -> tuple[Ints, Ints]:
    """Return the pairs of pieces that belong together: above one another, or side by side."""
    x1, y1, x2, y2 = boxes.astype(numpy.float32).T
    high = y2 - y1
    higher = numpy.maximum(high[:, None], high)
    across = numpy.maximum(x1[:, None], x1) - numpy.minimum(x2[:, None], x2)
    down = numpy.maximum(y1[:, None], y1) - numpy.minimum(y2[:, None], y2)
    near: Bits = (across <= ROOM * higher) & (down <= ROOM * higher)
    near &= higher <= ALIKE * numpy.minimum(high[:, None], high)
    one, other = numpy.nonzero(numpy.triu(near, 1))
    return one, other


def rows_in(boxes: NDArray[numpy.int16]) -> int:
    """Return how many rows boxes stand in."""
    middles = numpy.sort((boxes[:, 1].astype(float) + boxes[:, 3]) / 2)
    high = float(numpy.median(boxes[:, 3] - boxes[:, 1]))
    return 1 + int((numpy.diff(middles) > 0.5 * high).sum())


def weight_of(ems: float, rows: int) -> float:
    """Return how much of the trust so much missed writing takes."""
    weight = min(MOST_WEIGHT, LIGHT + ems / WHOLLY_AT)
    return min(weight, MOST_OF_FEW[rows - 1]) if rows <= len(MOST_OF_FEW) else weight
