"""What is written under the boxes of an answer's cells."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy
from numpy.typing import NDArray

from answer.cells import Cell
from trust.ink import GRAIN
from trust.lines import Floats, Writing, share_of_each
from trust.printed import TALL_HEIGHT, has_leaders, height, length, plain
from trust.runs import Bits, Ints

Box = tuple[float, float, float, float]
Density = NDArray[numpy.uint8]

MOST_ROWS_HEIGHT = 0.6  # of the length under a box stands in rows of at most this height
LOWEST = 0.5  # of the usual line's height is no line of letters but one of dashes
INK_OF_TEXT = 0.12  # of the square of a line's height: the least ink that an em of text has
CLEAR = 0.5  # of the ink that is in letters: less, and one cannot tell
LOOSE = 0.25  # of the usual line's height: a box may be so much too small


@dataclass(frozen=True)
class Under:
    """One cell: its box, set upright and cut at the picture's edge, its text and the ink below."""

    box: Box
    told: float
    """The length of its text, in ems."""
    inked: float
    """The length of the ink under its box, and under no smaller one but a Picture's, in ems."""
    category: str
    is_unclear: bool = False
    """There is ink enough for its text, but most is not in letters that were found, or in dots."""
    is_outside: bool = False
    """Most of its box is off the page."""

    @property
    def has_area(self) -> bool:
        """Whether anything of the page can be under it."""
        x1, y1, x2, y2 = self.box
        return x2 - x1 >= 2 and y2 - y1 >= 2


@dataclass(frozen=True)
class Compared:
    """All cells of an answer, and the letters of the page that no box covers."""

    cells: Sequence[Under]
    bare: Bits
    em: float
    """The usual height of a line on this page, in the picture's pixels."""


def compare(
    writing: Writing, density: Density, size: tuple[int, int], cells: Sequence[Cell]
) -> Compared:
    """Lay the cells over a picture of this size."""
    corners = writing.boxes.astype(numpy.float32) * writing.step
    x, y = (corners[:, 0] + corners[:, 2]) / 2, (corners[:, 1] + corners[:, 3]) / 2
    em = usual_height(writing) * writing.step
    boxes = [upright(cell["bbox"], size) for cell in cells]
    owner = numpy.full(len(x), -1)
    bare = numpy.ones(len(x), bool)
    for index in sorted(range(len(cells)), key=lambda index: -area(boxes[index])):
        x1, y1, x2, y2 = boxes[index]
        if x2 - x1 < 2 or y2 - y1 < 2:
            continue
        room = LOOSE * em
        near = (x >= x1 - room) & (x <= x2 + room) & (y >= y1 - room) & (y <= y2 + room)
        bare &= ~near
        if cells[index]["category"] != "Picture":
            owner[near] = index
    heights = numpy.maximum(heights_of(writing, owner, len(cells)) * writing.step, LOWEST * em)
    inked = numpy.bincount(owner + 1, writing.length, len(cells) + 1)[1:] * writing.step
    areas = numpy.bincount(owner + 1, writing.areas, len(cells) + 1)[1:]
    under = []
    for cell, box, ink, high, found in zip(cells, boxes, inked, heights, areas, strict=True):
        one = of_cell(cell, box, float(ink), float(high), em)
        inside = ink_inside(box, density, writing.step)
        enough = INK_OF_TEXT * one.told * (em / writing.step) ** 2
        is_unclear = inside >= enough and found < CLEAR * inside
        is_unclear |= has_leaders(cell.get("text") or "")
        under.append(replace(one, is_unclear=is_unclear, is_outside=is_off(cell["bbox"], box)))
    return Compared(under, bare, em)


def ink_inside(box: Box, density: Density, step: int) -> int:
    """About how many pixels of ink are in a box."""
    x1, y1, x2, y2 = (round(side / step / GRAIN) for side in box)
    return int(density[y1 : max(y2, y1 + 1), x1 : max(x2, x1 + 1)].sum())


def of_cell(cell: Cell, box: Box, ink: float, high: float, em: float) -> Under:
    """One cell with so much ink under its box, in rows that are so high."""
    text, is_formula = cell.get("text") or "", cell["category"] == "Formula"
    told = length(text, is_formula)
    if is_formula:
        return Under(box, told, ink * TALL_HEIGHT / em, "Formula")
    rows = max(1.0, 1.4 * told * high / max(1.0, box[2] - box[0]))
    return Under(box, told, ink / max(1.0, high / height(plain(text), rows)), cell["category"])


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


def upright(box: Sequence[float], size: tuple[int, int]) -> Box:
    """A box with its corners in order, cut at the edge of a picture of this size."""
    inside = [min(max(value, 0), limit) for value, limit in zip(box, size * 2, strict=True)]
    x1, x2 = sorted((float(inside[0]), float(inside[2])))
    y1, y2 = sorted((float(inside[1]), float(inside[3])))
    return x1, y1, x2, y2


def area(box: Box) -> float:
    """How much of the page a box covers."""
    return (box[2] - box[0]) * (box[3] - box[1])


def is_off(box: Sequence[float], inside: Box) -> bool:
    """Whether most of a box that has an area is off the page."""
    whole = abs(box[2] - box[0]) * abs(box[3] - box[1])
    return whole > 0 and area(inside) < whole / 2


def whole_numbers(box: Sequence[float], size: tuple[int, int]) -> tuple[int, int, int, int]:
    """A box as a doubt has it: whole pixels, in the picture."""
    x1, y1, x2, y2 = (
        int(min(max(value, 0), limit)) for value, limit in zip(box, size * 2, strict=True)
    )
    return x1, y1, x2, y2
