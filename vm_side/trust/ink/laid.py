"""An answer's cells laid over the page: the writing under each box, and under no box."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy

from answer.cells import Cell
from picture.words import Box
from trust.boxes import area, cut, holding, in_rows, upright
from trust.ink.ems import TALL_HEIGHT, height, length
from trust.ink.heights import Floats, share_of_each
from trust.ink.lines import Writing
from trust.ink.parts import GRAIN
from trust.ink.runs import Bits, Ints
from trust.ink.words import misfits, words_of
from trust.printed import has_leaders, printed

MOST_ROWS_HEIGHT = 0.6  # of the length under a box is in rows that are at most this high
LOWEST = 0.5  # of the usual line's height: a lower line has dashes, not letters
DOT = 0.4  # of the usual line's height: dots that lead to a number are lower
INK_OF_TEXT = 0.12  # of the square of a line's height: an em of text has at least so much ink
CLEAR = 0.5  # of the ink is in letters: if it is less, one cannot tell
ALONE = 0.5  # of the letters in a slim box have none beside them: if more, they are on their side
STANDING = 3  # letters' heights: a box that is narrower, and higher, may hold text on its side
NOT_IN_WORDS = ("Picture", "Formula", "Table")  # their words do not stand in rows, in order
LOOSE = 0.25  # of the usual line's height: a box may be too small by so much


@dataclass(frozen=True)
class LaidCell:
    """One cell: its box, upright and cut at the picture's edge, its text, and the ink below."""

    box: Box
    told: float
    """The length of its text, in ems."""
    inked: float
    """The length of the ink, in ems, that is under its box and no smaller one (but a Picture's)."""
    category: str
    is_unclear: bool = False
    """Text and ink cannot be compared: too little ink is in letters, or they are on their side."""
    is_outside: bool = False
    """Most of its box is off the page."""
    words: Sequence[float] = ()
    """The widths of its text's words, in ems; none if they cannot be told in the ink."""
    misfit: float | None = None
    """How far they are from the words in the ink; None if one cannot tell."""


@dataclass(frozen=True)
class Laid:
    """All cells of an answer, and the letters of the page that no cell reads."""

    cells: Sequence[LaidCell]
    bare: Bits
    """Whether each letter is under no box."""
    picture: Ints
    """For each letter that is under a Picture, but no other cell: which Picture. Else -1."""
    em: float
    """The usual height of a line on this page, in the picture's pixels."""


def lay(writing: Writing, size: tuple[int, int], cells: Sequence[Cell]) -> Laid:
    """Lay the cells over a picture of this size."""
    em = usual_height(writing) * writing.step
    boxes = [cut(upright(cell["bbox"]), size) for cell in cells]
    owner, picture = owners_of(writing, boxes, cells, LOOSE * em)
    with_leaders = [has_leaders(cell.get("text") or "") for cell in cells]
    is_low = (writing.boxes[:, 3] - writing.boxes[:, 1]) * writing.step < DOT * em
    is_dot = is_low & numpy.array([*with_leaders, False], bool)[owner]
    letters = numpy.where(is_dot, -1, owner)
    high = numpy.maximum(heights_of(writing, letters, len(cells)) * writing.step, LOWEST * em)
    inked = numpy.bincount(letters + 1, writing.length, len(cells) + 1)[1:] * writing.step
    areas = numpy.bincount(owner + 1, writing.areas, len(cells) + 1)[1:]
    alone = writing.length * (numpy.bincount(writing.line) == 1)[writing.line]
    standing = numpy.bincount(letters + 1, alone, len(cells) + 1)[1:] * writing.step
    laid = []
    for index, cell in enumerate(cells):
        one = of_cell(cell, boxes[index], float(inked[index]), float(high[index]), em)
        all_ink = ink_inside(one.box, writing)
        is_enough = all_ink >= INK_OF_TEXT * one.told * (em / writing.step) ** 2
        is_no_letters = areas[index] < CLEAR * all_ink
        is_on_its_side = stands(one.box, high[index]) and standing[index] > ALONE * inked[index]
        is_unclear = is_enough and (is_no_letters or is_on_its_side)
        words = () if is_unclear and not with_leaders[index] else one.words  # dots are no letters
        laid.append(replace(one, is_unclear=bool(is_unclear), words=words))
    lines = numpy.asarray(high / writing.step, numpy.float32)
    found = misfits(writing, letters, lines, [cell.words for cell in laid])
    laid = [replace(cell, misfit=found.get(index)) for index, cell in enumerate(laid)]
    return Laid(laid, (owner < 0) & (picture < 0), picture, em)


def owners_of(
    writing: Writing, boxes: Sequence[Box], cells: Sequence[Cell], room: float
) -> tuple[Ints, Ints]:
    """Return each letter's cell, but no Picture; and its Picture, if it has no cell; else -1."""
    letters = writing.boxes.astype(numpy.float32) * writing.step
    is_picture = numpy.array([cell["category"] == "Picture" for cell in cells], bool).reshape(-1, 1)
    owner = holding(in_rows(boxes) * ~is_picture, letters, room)
    of_pictures = holding(in_rows(boxes) * is_picture, letters, room)
    return owner, numpy.where(owner < 0, of_pictures, -1)


def ink_inside(box: Box, writing: Writing) -> int:
    """Return about how many pixels of ink are in a box, in letters or not."""
    x1, y1, x2, y2 = (round(side / writing.step / GRAIN) for side in box)
    return int(writing.density[y1 : max(y2, y1 + 1), x1 : max(x2, x1 + 1)].sum())


def of_cell(cell: Cell, box: Box, ink: float, high: float, em: float) -> LaidCell:
    """Measure one cell; ink is the length of the ink under its box, high the height of its rows."""
    text, category = cell.get("text") or "", cell["category"]
    on_page = printed(text, category == "Formula")
    told = length(on_page)
    if category == "Formula":
        size = em / TALL_HEIGHT
    else:
        rows = max(1.0, 1.4 * told * high / max(1.0, box[2] - box[0]))
        size = high / height(on_page.text, rows)
    is_outside = is_off(cell["bbox"], box)
    is_in_words = category not in NOT_IN_WORDS and not stands(box, high)
    words = words_of(text, on_page.text) if is_in_words else ()
    ems = ink / max(1.0, size)
    return LaidCell(box, told, ems, category, is_outside=is_outside, words=words)


def stands(box: Box, high: float) -> bool:
    """Whether a box is so slim, for lines of this height, that its text may be on its side."""
    return box[2] - box[0] < min(STANDING * high, box[3] - box[1])


def heights_of(writing: Writing, owner: Ints, count: int) -> Floats:
    """Return how high most of the writing under each cell is; 0 if there is none."""
    found = numpy.zeros(count, numpy.float32)
    cells, of = numpy.unique(owner, return_inverse=True)
    high = writing.heights[writing.line].astype(numpy.float64)
    heights = share_of_each(high, writing.length.astype(numpy.float64), of, MOST_ROWS_HEIGHT)
    found[cells[cells >= 0]] = heights[cells >= 0]
    return found


def usual_height(writing: Writing) -> float:
    """Return the height of a usual line: half of the page's text is in lines no higher."""
    heights, weights = writing.heights, writing.ems * writing.is_text
    order = numpy.argsort(heights)
    reached = numpy.cumsum(weights[order])
    if not len(order) or not reached[-1]:
        return 16.0
    return float(heights[order][numpy.searchsorted(reached, reached[-1] / 2)])


def is_off(box: Sequence[float], inside: Box) -> bool:
    """Whether most of a box is off the page; False for a box without area."""
    return area(inside) < area(upright(box)) / 2
