"""The tables of a document by names of their own: which page, and which on it."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from lib.documents.document import Document
from lib.documents.flow import MISSING, PAGE, Block, blocks_of, page_number, page_source
from lib.documents.tables import Grid, read_table

NO_TABLE = "there is no table in it: no file"
LEFT_OUT = "of a table with more than 1,000 columns or 200,000 places, cells are left out"


@dataclass(frozen=True)
class NamedTable:
    """One table: of which page, which of the page's, and what it says."""

    page: int
    source: str
    """What the page is of, for people."""
    status: str
    number: int
    caption: str
    grid: Grid

    @property
    def name(self) -> str:
        """What it is called among the document's."""
        return f"page {self.page} table {self.number}"


def tables_of(document: Document) -> Iterator[NamedTable]:
    """All tables of a document that say something, in order; one over two pages is the first's."""
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
    """The caption of the block at a place: the one just before it, else just behind it."""
    near = [blocks[i] for i in (at - 1, at + 1) if 0 <= i < len(blocks)]
    captions = (" ".join(block.text.split()) for block in near if block.kind == "Caption")
    return next(captions, "")


CONTENTS = ("table", "page", "number", "source", "status", "rows", "columns", "caption")


def contents(table: NamedTable) -> tuple[str, ...]:
    """A table's line in the list of all, as CONTENTS names its parts."""
    counts = map(str, (table.grid.rows, table.grid.columns))
    where = (str(table.page), str(table.number), table.source, table.status)
    return (table.name, *where, *counts, table.caption)
