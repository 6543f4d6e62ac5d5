"""Cells with too much or too little text for their ink, or other words; pages not read at all.

Fonts differ in width, so that a text is compared with its ink by how much more or less it is than
elsewhere on the page.
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

USUAL, SPREAD = 0.14, 0.08  # of text to ink where both are measured right: a logarithm
TRUSTED_CELLS = 2  # so many such cells are thought of on every page beside its own
FEWER, MORE = 0.3, 0.6  # logarithms: as far as a font or a script can be from it
ENOUGH = 5.0  # ems of text or ink: less tells nothing
ENOUGH_WITHOUT_TEXT = 1.0  # of ink, where there is no text at all; a bullet has less
STRAY, LEAST_STRAY, MOST_STRAY = 3, 0.28, 0.4  # how far a true text may be: spreads; logarithms
STRAY_OF_SHORT = 1.0  # more, of one em
STRAY_OF_FORMULA = 0.5  # more: its lines stand above one another
WEIGHT, MOST_WEIGHT = 0.12, 0.6
MOST_AT, MOST_OF_UNREAD_AT = 80, 40  # ems too much or too little; without any text

MISFIT, MISFIT_OF_FEW = 1.9, 3.0  # how far a true text's words may be off; more, of one word
FITS, FITS_AT, STRAY_OF_FITTING = 1.0, 4, 1.6  # words that fit, if so many, may be so much longer
USUAL_MISFIT, STEEPLY = 0.5, 2.5  # on most of a page; where it is more, words are told badly
FITTING_CELLS = (0.45,) * 2  # thought of on every page beside its own
MOST_WEIGHT_OF_WORDS = 0.35  # one alone makes no page doubtful, two long ones do

PAGE_OF_TEXT = 12  # ems of writing on a page that cannot go without any text
OF_ALL_INK = 0.1  # on such a page is in that writing; of a photo's, what looks like some is less
NOTHING_READ = 0.1  # of the writing
FEW_WORDS = 2.0  # ems, in a cell: where nothing else is read, either, they are not passed over
WEIGHT_OF_NOTHING = 0.9


def amount(laid: Laid) -> Iterator[Doubt]:
    """What speaks against each cell whose text is not as long as its ink, or not of its words."""
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
    """Whether there is ink in letters that there should be a text to."""
    return cell.category != "Picture" and cell.inked > 0 and not why_empty(cell)


def fits(cell: LaidCell) -> bool:
    """Whether the words of a text are so surely those of its ink that all of it was read."""
    return cell.misfit is not None and cell.misfit < FITS and len(cell.words) >= FITS_AT


def may_misfit(cell: LaidCell, poor: float) -> float:
    """How far a true text's words may be from those in the ink, on a page that is so poor."""
    return (MISFIT + MISFIT_OF_FEW / len(cell.words)) * poor


def usual_misfit(cells: Sequence[LaidCell]) -> float:
    """How much farther than elsewhere words may be from the ink on this page, by most of them."""
    found = [cell.misfit for cell in cells if cell.misfit is not None]
    usual = float(numpy.median([*found, *FITTING_CELLS]))
    return float(max(1.0, usual / USUAL_MISFIT) ** STEEPLY)


def may_stray(cell: LaidCell, ems: float, spread: float) -> float:
    """How far the logarithm of a true text's ratio may be from the page's."""
    stray = min(max(STRAY * spread, LEAST_STRAY), MOST_STRAY)
    return stray + STRAY_OF_SHORT / ems + STRAY_OF_FORMULA * (cell.category == "Formula")


def usual_ratio(cells: Sequence[LaidCell]) -> tuple[float, float]:
    """Text to ink on most of a page, what fonts and scripts make of it, and how far cells stray."""
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
    """What speaks against an answer without text to a page that is full of it, not of photos.

    And against one without a cell, or a letter in its cells of text, to a page with a few words.
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
