"""A document's pages -> one flow of blocks, for the formats that are read from top to bottom.

What goes on over the end of a page or a column is put together where that is safe (joins.py), and
headings get one level each over the whole document (headings.py). Everything else stays in its
order, and nothing is left out but page headers and footers.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from contract import DONE
from lib.documents.document import Document, Page
from lib.documents.headings import Heading, bare, letter_size, levels
from lib.pages.entries import Cell
from lib.pages.values import clean

PAGE, MISSING = "Page", "Missing"
FURNITURE = ("Page-header", "Page-footer")
HEADINGS = ("Title", "Section-header")

Place = tuple[int, int]
"""A cell: which page of the document, and which cell of the page, from 0."""


@dataclass(frozen=True)
class Block:
    """A piece of a document: what cells say, or what is said of a page.

    Its text is as untrusted as theirs.
    """

    kind: str
    """The category of its cells; PAGE: here a page begins, which has no text; MISSING: why one is
    not here, or not whole, in words of ours."""
    page: int
    """Which page of the document it begins on, from 0."""
    text: str = ""
    level: int = 0
    """Of a heading, from 1 to 6; its text is without marks and in one line."""
    cells: tuple[Place, ...] = ()
    """Where it is from; several where it goes on over a page or a column."""
    picture: int = 0
    """Of a Picture: which of its page's, from 1."""


def blocks_of(document: Document, with_furniture: bool = False) -> list[Block]:
    """The blocks of a document in reading order."""
    blocks = [block for number in range(len(document.pages)) for block in of_page(document, number)]
    if not with_furniture:
        blocks = [block for block in blocks if block.kind not in FURNITURE]
    return with_levels(blocks, document)


def of_page(document: Document, number: int) -> Iterator[Block]:
    """The blocks of one page, each of one cell."""
    page = document.pages[number]
    yield Block(PAGE, number)
    if said := what_is_missing(page):
        yield Block(MISSING, number, said)
    pictures = 0
    for place, cell in enumerate(page.cells):
        pictures += cell.category == "Picture"
        text = clean(cell.text).strip()
        if text or cell.category == "Picture":
            picture = pictures if cell.category == "Picture" else 0
            yield Block(cell.category, number, text, cells=((number, place),), picture=picture)


def what_is_missing(page: Page) -> str:
    """What a document has to say in a page's place; nothing of one that is here whole."""
    entry = page.entry
    why = f": {entry.reason}" if entry.reason else ""
    if entry.status not in DONE:
        return f"Page {entry.name} is not here ({entry.status}{why})"
    return f"Page {entry.name} was read in part{why}" if entry.status == "partial" else ""


def with_levels(blocks: list[Block], document: Document) -> list[Block]:
    """The blocks, their headings with levels and without marks."""
    places = [place for place, block in enumerate(blocks) if block.kind in HEADINGS]
    headings = [heading_of(blocks[place], document) for place in places]
    blocks = list(blocks)
    for place, level in zip(places, levels(headings), strict=True):
        block = blocks[place]
        blocks[place] = Block(block.kind, block.page, bare(block.text), level, block.cells)
    return blocks


def heading_of(block: Block, document: Document) -> Heading:
    """What tells a heading's level."""
    page, place = block.cells[0]
    cell: Cell = document.pages[page].cells[place]
    width, height = document.pages[page].entry.size
    left, top, right, bottom = cell.box
    aspect = width / height if height else 0.0
    size = letter_size(block.text, (right - left) * aspect, bottom - top)
    return Heading(block.text, block.kind == "Title", size)
