"""Turn a document's pages into one flow of blocks, for formats that are read from top to bottom.

A text or table that goes on over the end of a page or a column is joined if that is safe
(chains.py), and headings get levels that hold for the whole document (headings.py). The rest stays
in its order. Only page headers and footers are left out.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from contract import DONE, DOUBTFUL
from lib.console import printable
from lib.documents.breaks import FURNITURE as FURNITURE
from lib.documents.breaks import Place
from lib.documents.chains import Chain, chains_of
from lib.documents.document import Document, Page
from lib.documents.headings import Heading, bare, letter_size, levels
from lib.pages.entries import Cell
from lib.pages.values import clean

PAGE, MISSING = "Page", "Missing"
HEADINGS = ("Title", "Section-header")


@dataclass(frozen=True)
class Block:
    """A piece of a document: the content of cells, or a note about a page.

    Its text is as untrusted as the text of cells.
    """

    kind: str
    """The category of its cells, or PAGE, or MISSING. PAGE marks where a page begins, and has no
    text. MISSING has our own text: why a page is missing, not complete, or doubtful."""
    page: int
    """The page of the document that it begins on, from 0."""
    text: str = ""
    level: int = 0
    """For a heading: 1 to 6, and its text is one line without marks; 0 for all others."""
    cells: tuple[Place, ...] = ()
    """The cells it comes from; several if it goes on over the end of a page or a column."""
    picture: int = 0
    """For a Picture: its number among the pictures of its page, from 1; 0 for all others."""


def blocks_of(document: Document, with_furniture: bool = False) -> list[Block]:
    """Return the blocks of a document in reading order."""
    chains = chains_of(document)
    blocks = [
        block
        for number in range(len(document.pages))
        for block in of_page(document, number, chains)
    ]
    if not with_furniture:
        blocks = [block for block in blocks if block.kind not in FURNITURE]
    return with_levels(blocks, document)


def of_page(document: Document, number: int, chains: dict[Place, Chain | None]) -> Iterator[Block]:
    """Yield the blocks of one page. A chain of cells is one block, on the page where it begins."""
    page = document.pages[number]
    yield Block(PAGE, number)
    if said := what_is_missing(page):
        yield Block(MISSING, number, said)
    pictures = 0
    for place, cell in enumerate(page.cells):
        pictures += cell.category == "Picture"
        alone = Chain(clean(cell.text).strip(), ((number, place),))
        chain = chains.get((number, place), alone)
        if chain is not None and (chain.text or cell.category == "Picture"):
            picture = pictures if cell.category == "Picture" else 0
            yield Block(cell.category, number, chain.text, cells=chain.cells, picture=picture)


def page_number(document: Document, page: int) -> int:
    """A page's number, from 1: in its file if the document is one file, else in the document."""
    first, entry = document.pages[0].entry, document.pages[page].entry
    is_one_file = entry.pdf_page is not None and first.input == entry.input
    return (entry.pdf_page or 0) + 1 if is_one_file else page + 1


def page_source(document: Document, page: int) -> str:
    """Name a page for people: its file, and its number in it. The name is not escaped."""
    entry = document.pages[page].entry
    number = "" if entry.pdf_page is None else f", page {entry.pdf_page + 1}"
    return f"{printable(clean(entry.input))}{number}"


def what_is_missing(page: Page) -> str:
    """Return why a page is missing, partial or doubtful; empty if it is none of these."""
    entry = page.entry
    why = f": {entry.reason}" if entry.reason else ""
    if entry.status not in DONE:
        return f"{printable(entry.name)} is not here: {entry.status}{why}"
    said = {"partial": "was read in part", DOUBTFUL: "is doubtful"}.get(entry.status)
    return f"{printable(entry.name)} {said}{why}" if said else ""


def with_levels(blocks: list[Block], document: Document) -> list[Block]:
    """Return the blocks, with levels for their headings and without the headings' marks."""
    places = [place for place, block in enumerate(blocks) if block.kind in HEADINGS]
    headings = [heading_of(blocks[place], document) for place in places]
    blocks = list(blocks)
    for place, level in zip(places, levels(headings), strict=True):
        block = blocks[place]
        blocks[place] = Block(block.kind, block.page, bare(block.text), level, block.cells)
    return blocks


def heading_of(block: Block, document: Document) -> Heading:
    """Return what a heading's level depends on."""
    page, place = block.cells[0]
    cell: Cell = document.pages[page].cells[place]
    width, height = document.pages[page].entry.size
    left, top, right, bottom = cell.box
    aspect = width / height if height else 0.0
    size = letter_size(block.text, (right - left) * aspect, bottom - top)
    return Heading(block.text, block.kind == "Title", size)
