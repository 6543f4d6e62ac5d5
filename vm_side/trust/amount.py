"""Cells whose text is too long or too short for the ink under them; pages of which none was read.

Letters differ in width, so that a text is compared with its ink by how much more or less it is than
elsewhere on the page.
"""

import math
from collections.abc import Iterator, Sequence

import numpy

from trust.doubts import Doubt
from trust.empty import why_empty
from trust.lines import Writing
from trust.under import Compared, Under, whole_numbers

USUAL = 1.1  # text to ink where both are measured right
TRUSTED_CELLS = 3  # so many such cells are thought of on every page beside its own
ENOUGH = 5.0  # ems of text or ink: less tells nothing
STRAY, STRAY_OF_SHORT = 0.36, 1.0  # how far a ratio's logarithm may stray; of one em
STRAY_OF_FORMULA = 0.5  # more: its lines stand above one another
WEIGHT, MOST_WEIGHT = 0.12, 0.6
MOST_AT = 80  # ems too much or too little

PAGE_OF_TEXT = 25  # ems of writing on a page that cannot go without any text
NOTHING_READ = 0.1  # of it
WEIGHT_OF_NOTHING = 0.9


def amount(compared: Compared, size: tuple[int, int]) -> Iterator[Doubt]:
    """What speaks against each cell whose text is not as long as its ink."""
    usual = usual_ratio(compared.cells)
    for index, cell in enumerate(compared.cells):
        much = max(cell.told / usual, cell.inked)
        if much < ENOUGH or not cell.inked or not cell.told or why_empty(cell):
            continue
        ratio = cell.told / cell.inked / usual
        if abs(math.log(ratio)) > may_stray(cell, much):
            off = abs(cell.told / usual - cell.inked)
            weight = WEIGHT + (MOST_WEIGHT - WEIGHT) * min(1.0, off / MOST_AT)
            yield Doubt(
                "amount", whole_numbers(cell.box, size), index, weight, {"ratio": round(ratio, 2)}
            )


def may_stray(cell: Under, ems: float) -> float:
    """How far the logarithm of a true text's ratio may be from the page's."""
    return STRAY + STRAY_OF_SHORT / ems + STRAY_OF_FORMULA * cell.is_formula


def usual_ratio(cells: Sequence[Under]) -> float:
    """Text to ink on most of a page: what fonts and scripts make of it."""
    ratios = [
        math.log(cell.told / cell.inked)
        for cell in cells
        if min(cell.told, cell.inked) >= ENOUGH and not cell.is_formula
    ]
    most = float(numpy.median(ratios + [math.log(USUAL)] * TRUSTED_CELLS))
    return math.exp(min(max(most, math.log(USUAL) - 0.5), math.log(USUAL) + 0.5))


def nothing_read(writing: Writing, compared: Compared, size: tuple[int, int]) -> Iterator[Doubt]:
    """What speaks against an answer without text to a page that is full of it."""
    ems, heights = writing.ems, writing.heights * writing.step
    same = abs(heights - compared.em) <= 0.4 * compared.em
    written = float(ems[writing.is_text & same & (ems >= 4)].sum())
    read = sum(cell.told for cell in compared.cells if not why_empty(cell))
    if written >= PAGE_OF_TEXT and read < NOTHING_READ * written:
        yield Doubt("amount", (0, 0, *size), None, WEIGHT_OF_NOTHING, {"why": "nothing read"})
