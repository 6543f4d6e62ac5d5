"""Cells with too much or too little text for their ink, or other words; pages not read at all.

Fonts differ in width. So the ratio of a text to its ink is compared with the usual ratio on the
page.
"""

import math
from collections.abc import Iterator, Sequence

import numpy

from trust.boxes import whole
from trust.doubts import Doubt
from trust.ink.empty import why_empty
from trust.ink.laid import Laid, LaidCell
from trust.ink.lines import Writing
from trust.ink.missed import bare_pieces, bare_table

USUAL, SPREAD = 0.14, 0.08  # logarithms: text to ink where both are measured right, and its spread
TRUSTED_CELLS = 2  # so many such cells are added to those of every page
FEWER, MORE = 0.3, 0.6  # logarithms: how far below and above it a font or a script can be
ENOUGH = 5.0  # ems of text or ink: less tells nothing
ENOUGH_WITHOUT_TEXT = 1.0  # of ink, where there is no text at all; a bullet has less
STRAY, LEAST_STRAY, MOST_STRAY = 3, 0.28, 0.4  # how far a true text may be off: spreads; logarithms
STRAY_OF_SHORT = 1.0  # added for a text of one em; a longer text gets less
STRAY_OF_FORMULA = 0.5  # added for a formula, because its lines stand above one another
WEIGHT, MOST_WEIGHT = 0.12, 0.6
MOST_AT, MOST_OF_UNREAD_AT = 80, 40  # ems of difference; the same where there is no text

MISFIT, MISFIT_OF_FEW = 1.9, 3.0  # how far a true text's words may be off; plus this / words
# A text with a misfit below FITS, and FITS_AT words, may stray so many times as far.
FITS, FITS_AT, STRAY_OF_FITTING = 1.0, 4, 1.6
USUAL_MISFIT, STEEPLY = 0.5, 2.5  # on most of a page; words are told badly where it is higher
FITTING_CELLS = (0.45,) * 2  # misfits that are added to those of every page
MOST_WEIGHT_OF_WORDS = 0.35  # one alone does not make a page doubtful, two long ones do

PAGE_OF_TEXT = 12  # ems of writing: a page with more cannot go without any text
OF_ALL_INK = 0.1  # of such a page's ink is in that writing; a photo has less of what looks like it
NOTHING_READ = 0.1  # share of the writing
FEW_WORDS = 2.0  # ems in a cell: if nothing else is read, either, even so few are not passed over
WEIGHT_OF_NOTHING = 0.9


def amount(laid: Laid) -> Iterator[Doubt]:
    """Yield a doubt for each cell with too long or too short a text for its ink, or other words."""
    usual, spread = usual_ratio(laid.cells)
    poor = usual_misfit(laid.cells)
    for index, cell in enumerate(laid.cells):
        told = cell.told / math.exp(usual)
        much = max(told, cell.inked)
        if much < (ENOUGH if told else ENOUGH_WITHOUT_TEXT) or not has_letters(cell):
            continue
        ratio = told / cell.inked
        stray = may_stray(cell, much, spread) * (STRAY_OF_FITTING if fits(cell) else 1)
        if not cell.is_unclear and (not ratio or abs(math.log(ratio)) > stray):
            most_at = MOST_AT if told else MOST_OF_UNREAD_AT
            share = min(1.0, abs(told - cell.inked) / most_at)
            weight = WEIGHT + (MOST_WEIGHT - WEIGHT) * share
            yield Doubt("amount", whole(cell.box), index, weight, {"ratio": round(ratio, 2)})
        elif cell.misfit is not None and cell.misfit > may_misfit(cell, poor):
            weight = WEIGHT + (MOST_WEIGHT_OF_WORDS - WEIGHT) * min(1.0, much / MOST_AT)
            yield Doubt("amount", whole(cell.box), index, weight, {"why": "other words"})


def has_letters(cell: LaidCell) -> bool:
    """Whether a cell has ink in letters, so that it should have a text."""
    return cell.category != "Picture" and cell.inked > 0 and not why_empty(cell)


def fits(cell: LaidCell) -> bool:
    """Whether a text's words match those of its ink so well that all of it was surely read."""
    return cell.misfit is not None and cell.misfit < FITS and len(cell.words) >= FITS_AT


def may_misfit(cell: LaidCell, poor: float) -> float:
    """Return how far a true text's words may be from those in the ink; poor: see usual_misfit()."""
    return (MISFIT + MISFIT_OF_FEW / len(cell.words)) * poor


def usual_misfit(cells: Sequence[LaidCell]) -> float:
    """Return by what factor most words on this page are farther from the ink than elsewhere."""
    found = [cell.misfit for cell in cells if cell.misfit is not None]
    usual = float(numpy.median([*found, *FITTING_CELLS]))
    return float(max(1.0, usual / USUAL_MISFIT) ** STEEPLY)


def may_stray(cell: LaidCell, ems: float, spread: float) -> float:
    """Return how far the logarithm of a true text's ratio may be from the page's."""
    stray = min(max(STRAY * spread, LEAST_STRAY), MOST_STRAY)
    return stray + STRAY_OF_SHORT / ems + STRAY_OF_FORMULA * (cell.category == "Formula")


def usual_ratio(cells: Sequence[LaidCell]) -> tuple[float, float]:
    """Return the ratio of text to ink on most of a page, and how far cells stray (logarithms)."""
    ratios = [
        math.log(cell.told / cell.inked)
        for cell in cells
        if min(cell.told, cell.inked) >= ENOUGH and cell.category != "Formula"
    ]
    usual = float(numpy.median(ratios + [USUAL] * TRUSTED_CELLS))
    usual = min(max(usual, USUAL - FEWER), USUAL + MORE)
    far = [abs(ratio - usual) for ratio in ratios]
    return usual, float(numpy.median(far + [SPREAD] * TRUSTED_CELLS))


def nothing_read(writing: Writing, laid: Laid, size: tuple[int, int]) -> Iterator[Doubt]:
    """Yield a doubt about an answer with next to no text, if the page is full of text, not photos.

    Also if an answer has no cell, or no letter in its text cells, and the page has a few words.
    """
    ems, heights = writing.ems, writing.heights * writing.step
    is_usual = writing.is_text & (abs(heights - laid.em) <= 0.4 * laid.em) & (ems >= 3)
    written = float(ems[is_usual].sum())
    read = sum(cell.told for cell in laid.cells if not why_empty(cell))
    words = any(has_letters(cell) and cell.inked >= FEW_WORDS for cell in laid.cells)
    if not laid.cells:
        words = any(len(find(writing, laid)[0]) for find in (bare_pieces, bare_table))
    if words and not read:
        yield Doubt("amount", (0, 0, *size), None, WEIGHT_OF_NOTHING, {"why": "nothing read"})
        return
    if written < PAGE_OF_TEXT or read >= NOTHING_READ * written:
        return
    if writing.areas[is_usual[writing.line]].sum() >= OF_ALL_INK * int(writing.density.sum()):
        yield Doubt("amount", (0, 0, *size), None, WEIGHT_OF_NOTHING, {"why": "nothing read"})
