"""What a PDF's page can already be searched for: a second layer of it would double each hit."""

import itertools
import unicodedata
from collections import Counter
from collections.abc import Iterable, Sequence

import pymupdf

from lib.documents.searchable.seen import seen_in
from lib.pages.entries import Cell

ENOUGH = 0.8  # of a cell's pairs of letters
GOOD, LEAST = 0.95, 0.5  # where a layer has so much of its page, so much of a cell is enough
MARGIN = 0.01  # of the page's width: boxes are not exact

Word = tuple[float, float, str]  # its middle, in parts of the page as it is shown; its text


def lacking(words: Sequence[Word], cells: Iterable[Cell]) -> list[Cell]:
    """The cells whose text is not in the page's own layer, at their place.

    Where a layer has nearly all of its page, a cell that differs was misread.
    """
    found = [(cell, *shared(cell, words)) for cell in cells]
    is_good = sum(common for _, common, _ in found) >= GOOD * sum(whole for *_, whole in found)
    enough = LEAST if is_good else ENOUGH
    return [cell for cell, common, whole in found if common < enough * whole]


def words_of(page: pymupdf.Page) -> list[Word]:
    """The words of a page's own text layer, unseen ones too."""
    wide, high = page.rect.width, page.rect.height
    found = list[Word]()
    for x0, y0, x1, y1, text, *_ in page.get_text("words"):
        middle = pymupdf.Point((x0 + x1) / 2, (y0 + y1) / 2) * page.rotation_matrix
        found.append((middle.x / wide, middle.y / high, text))
    return found


def shared(cell: Cell, words: Sequence[Word]) -> tuple[int, int]:
    """How much of a cell's text stands in its box already, of how much. A formula does if anything
    does.

    Pairs of letters are compared: no blank, hyphen, ligature or order of columns counts.
    """
    left, top, right, bottom = cell.box
    there = [
        text
        for x, y, text in words
        if left - MARGIN <= x <= right + MARGIN and top - MARGIN <= y <= bottom + MARGIN
    ]
    own = pairs("".join(there))
    if cell.category == "Formula":
        return bool(own), 1
    wanted = pairs(seen_in(cell))
    return (wanted & own).total(), wanted.total()


def pairs(text: str) -> Counter[str]:
    """Letters and digits, each alone and with what follows it."""
    plain = unicodedata.normalize("NFKC", text).casefold()
    letters = "".join(filter(str.isalnum, plain))
    return Counter([*letters, *(a + b for a, b in itertools.pairwise(letters))])
