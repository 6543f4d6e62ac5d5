"""An answer's cells laid over the page: what is written under each box, and what under none."""

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

MOST_ROWS_HEIGHT = 0.6  # of the length under a box stands in rows of at most this height
LOWEST = 0.5  # of the usual line's height is no line of letters but one of dashes
DOT = 0.4  # of the usual line's height: as low are dots that lead to a number
INK_OF_TEXT = 0.12  # of the square of a line's height: the least ink that an em of text has
CLEAR = 0.5  # of the ink that is in letters: less, and one cannot tell
ALONE = 0.5  # of the letters in a slim box that have none beside them: more are on their side
STANDING = 3  # of its letters' height: a box that is slimmer, and higher, may hold text on its side
NOT_IN_WORDS = ("Picture", "Formula", "Table")  # what is in words stands in rows, in their order
LOOSE = 0.25  # of the usual line's height: a box may be so much too small


@dataclass(frozen=True)
class LaidCell:
    """One cell: its box, set upright and cut at the picture's edge, its text and the ink below."""

    box: Box
    told: float
    """The length of its text, in ems."""
    inked: float
    """The length of the ink under its box, and under no smaller one but a Picture's, in ems."""
    category: str
    is_unclear: bool = False
    """Text and ink cannot be compared: the ink is hardly in letters, or they are on their side."""
    is_outside: bool = False
    """Most of its box is off the page."""
    words: Sequence[float] = ()
    """The widths of its text's words, in ems; none where they cannot be told in the ink."""
    misfit: float | None = None
    """How far they are from the words in the ink; None: one cannot tell."""


@dataclass(frozen=True)
class Laid:
    """All cells of an answer, and the letters of the page that none of them reads."""

    cells: Sequence[LaidCell]
    bare: Bits
    """Of each letter whether it is under no box."""
    picture: Ints
    """Of each letter under which Picture it is, and under no other cell; -1: under none."""
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
    """Of each letter in which cell it is, -1 in none or a Picture; and then in which Picture."""
    letters = writing.boxes.astype(numpy.float32) * writing.step
    is_picture = numpy.array([cell["category"] == "Picture" for cell in cells], bool).reshape(-1, 1)
    owner = holding(in_rows(boxes) * ~is_picture, letters, room)
    of_pictures = holding(in_rows(boxes) * is_picture, letters, room)
    return owner, numpy.where(owner < 0, of_pictures, -1)


def ink_inside(box: Box, writing: Writing) -> int:
    """About how many pixels of ink are in a box, be it in letters or not."""
    x1, y1, x2, y2 = (round(side / writing.step / GRAIN) for side in box)
    return int(writing.density[y1 : max(y2, y1 + 1), x1 : max(x2, x1 + 1)].sum())


def of_cell(cell: Cell, box: Box, ink: float, high: float, em: float) -> LaidCell:
    """One cell with so much ink under its box, in rows that are so high."""
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
    """Whether a box is so slim, for lines that are so high, that a text in it is on its side."""
    return box[2] - box[0] < min(STANDING * high, box[3] - box[1])


def heights_of(writing: Writing, owner: Ints, count: int) -> Floats:
    """How high most of what is written under each cell is; 0: nothing is."""
    found = numpy.zeros(count, numpy.float32)
    cells, of = numpy.unique(owner, return_inverse=True)
    high = writing.heights[writing.line].astype(numpy.float64)
    heights = share_of_each(high, writing.length.astype(numpy.float64), of, MOST_ROWS_HEIGHT)
    found[cells[cells >= 0]] = heights[cells >= 0]
    return found


def usual_height(writing: Writing) -> float:
    """The height of a line of most of a page's text."""
    heights, weights = writing.heights, writing.ems * writing.is_text
    order = numpy.argsort(heights)
    reached = numpy.cumsum(weights[order])
    if not len(order) or not reached[-1]:
        return 16.0
    return float(heights[order][numpy.searchsorted(reached, reached[-1] / 2)])


def is_off(box: Sequence[float], inside: Box) -> bool:
    """Whether most of a box that has an area is off the page."""
    return area(inside) < area(upright(box)) / 2
