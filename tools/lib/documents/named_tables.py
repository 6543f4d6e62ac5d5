"""The tables of a document, each with a name: its page, and its number on that page."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from lib.documents.document import Document
from lib.documents.flow import MISSING, PAGE, Block, blocks_of, page_number, page_source
from lib.documents.tables import Grid, read_table

NO_TABLE = "there is no table in it: no file"
LEFT_OUT = "in a table with more than 1,000 columns or 200,000 places, cells are left out"


@dataclass(frozen=True)
class NamedTable:
    """One table: its page, its number on that page, and its content."""

    page: int
    source: str
    """The page's file, and its number in it, for people."""
    status: str
    number: int
    caption: str
    grid: Grid

    @property
    def name(self) -> str:
        """Its name among the document's tables."""
        return f"page {self.page} table {self.number}"


def tables_of(document: Document) -> Iterator[NamedTable]:
    """Yield the tables of a document that are not empty, in order.

    A table over two pages belongs to the first.
    """
    blocks = [block for block in blocks_of(document) if block.kind not in (PAGE, MISSING)]
    counts = Counter[int]()
    for at, block in enumerate(blocks):
        if block.kind == "Table" and (grid := read_table(block.text)).cells:
            counts[block.page] += 1
            yield NamedTable(
                page=page_number(document, block.page),
                status=document.pages[block.page].entry.status,
                source=page_source(document, block.page),
                number=counts[block.page],
                caption="\n".join(filter(None, (caption_of(blocks, at), grid.caption))),
                grid=grid,
            )


def caption_of(blocks: Sequence[Block], at: int) -> str:
    """Return the caption of the block at a place: just before it, else just after it, or empty."""
    near = [blocks[i] for i in (at - 1, at + 1) if 0 <= i < len(blocks)]
    captions = (" ".join(block.text.split()) for block in near if block.kind == "Caption")
    return next(captions, "")


CONTENTS = ("table", "page", "number", "source", "status", "rows", "columns", "caption")


def contents(table: NamedTable) -> tuple[str, ...]:
    """Return a table's line in the list of tables; CONTENTS names its parts."""
    counts = map(str, (table.grid.rows, table.grid.columns))
    where = (str(table.page), str(table.number), table.source, table.status)
    return (table.name, *where, *counts, table.caption)
