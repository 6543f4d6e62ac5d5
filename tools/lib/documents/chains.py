"""Join texts and tables that go on over the end of a page or a column.

Two things must agree: the boxes (breaks.py) and the content (sentences.py, table_joins.py).
"""

from collections import Counter
from dataclasses import dataclass

from lib.documents import sentences, table_joins
from lib.documents.breaks import Break, Place, breaks_of
from lib.documents.document import Document
from lib.pages.entries import Cell
from lib.pages.values import clean


@dataclass(frozen=True)
class Chain:
    """Cells that are one text or one table together."""

    text: str
    cells: tuple[Place, ...]


def chains_of(document: Document) -> dict[Place, Chain | None]:
    """Return each chain by the place of its first cell; its other cells have None."""
    texts = [cell.text for page in document.pages for cell in page.cells if cell.category == "Text"]
    words = sentences.words_of(texts)
    found: dict[Place, Chain | None] = {}
    heads: dict[Place, Place] = {}  # last cell of a chain -> its first cell
    for one in sorted(breaks_of(document), key=lambda one: one.before):
        head = heads.get(one.before, one.before)
        chain = found.get(head) or Chain(text_of(document, one.before), (one.before,))
        if one.after not in found and (whole := joined(document, one, chain.text, words)):
            found[head] = Chain(whole, (*chain.cells, one.after))
            found[one.after] = None
            heads[one.after] = head
    return found


def joined(document: Document, one: Break, before: str, words: Counter[str]) -> str | None:
    """Join the content before and after a break; None if they are two texts or tables."""
    after = text_of(document, one.after)
    if cell_at(document, one.after).category == "Table":
        return table_joins.joined(before, after)
    return sentences.joined(before, after, words)


def text_of(document: Document, place: Place) -> str:
    """A cell's text."""
    return clean(cell_at(document, place).text).strip()


def cell_at(document: Document, place: Place) -> Cell:
    """A cell by its place."""
    return document.pages[place[0]].cells[place[1]]
