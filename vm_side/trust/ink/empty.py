"""Cells with text where nothing is written."""

from collections.abc import Iterator

from trust.boxes import has_area, whole
from trust.doubts import Doubt
from trust.ink.laid import Laid, LaidCell

NO_INK = 0.12  # of a text's length: less ink than this is none
SOME_TEXT = 0.5  # ems: a shorter text may be a bullet or a dash; its ink is not in letters
WEIGHT, MOST_WEIGHT = 0.15, 0.6
MOST_AT = 15  # ems of text without ink: with so many, the weight is the highest


def empty(laid: Laid) -> Iterator[Doubt]:
    """Yield a doubt for each cell without area, off the page, or with text but without ink."""
    for index, cell in enumerate(laid.cells):
        why = why_empty(cell)
        if why:
            share = min(1.0, cell.told / MOST_AT)
            weight = WEIGHT + (MOST_WEIGHT - WEIGHT) * share
            yield Doubt("empty", whole(cell.box), index, weight, {"why": why})


def why_empty(cell: LaidCell) -> str:
    """Say why nothing can be read under a cell; empty if something can."""
    if cell.is_outside:
        return "off the page"
    if not has_area(cell.box):
        return "no area"
    if cell.told >= SOME_TEXT and not cell.is_unclear and cell.inked < NO_INK * cell.told:
        return "no ink"
    return ""
