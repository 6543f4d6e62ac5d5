"""Find the text that a PDF's page has already: a second layer of it would double each hit."""

import itertools
import unicodedata
from collections import Counter
from collections.abc import Iterable, Sequence

import pymupdf

from lib.documents.searchable.seen import seen_in
from lib.pages.entries import Cell

ENOUGH = 0.8  # of a cell's pairs of letters
GOOD, LEAST = 0.95, 0.5  # if a layer has GOOD of its page's text, LEAST of a cell is enough
MARGIN = 0.01  # of the page's width and height: boxes are not exact

Word = tuple[float, float, str]  # x and y of its middle, in parts of the page as shown; its text


def lacking(words: Sequence[Word], cells: Iterable[Cell]) -> list[Cell]:
    """Return the cells whose text is not in the page's own layer at their place.

    If a layer has nearly all text of its page, a cell with other text was probably misread.
    """
    found = [(cell, *shared(cell, words)) for cell in cells]
    is_good = sum(common for _, common, _ in found) >= GOOD * sum(whole for *_, whole in found)
    enough = LEAST if is_good else ENOUGH
    return [cell for cell, common, whole in found if common < enough * whole]


def words_of(page: pymupdf.Page) -> list[Word]:
    """Return the words of a page's own text layer, also the invisible ones."""
    wide, high = page.rect.width, page.rect.height
    found = list[Word]()
    for x0, y0, x1, y1, text, *_ in page.get_text("words"):
        middle = pymupdf.Point((x0 + x1) / 2, (y0 + y1) / 2) * page.rotation_matrix
        found.append((middle.x / wide, middle.y / high, text))
    return found


def shared(cell: Cell, words: Sequence[Word]) -> tuple[int, int]:
    """Return how much of a cell's text is in its box already, and how much text it has.

    Any text in the box is enough for a formula. For others, pairs of letters are compared, so that
    blanks, hyphens, ligatures and the order of columns do not count.
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
    """Count the letters and digits of a text, each alone and together with the next one."""
    plain = unicodedata.normalize("NFKC", text).casefold()
    letters = "".join(filter(str.isalnum, plain))
    return Counter([*letters, *(a + b for a, b in itertools.pairwise(letters))])
