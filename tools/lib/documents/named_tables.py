"""The tables of a document by names of their own: which page, and which on it."""

from collections.abc import Iterator
from dataclasses import dataclass

from lib.documents.document import Document, Page
from lib.documents.tables import Grid, read_table
from lib.pages.entries import Entry
from lib.pages.values import clean

NONE = "there is no table in it: no file"
LEFT_OUT = "of a table with more than 1,000 columns or 200,000 places, cells are left out"


@dataclass(frozen=True)
class NamedTable:
    """One table: the document's page, counted from 1, which of the page's, and what it says."""

    entry: Entry
    page: int
    number: int
    caption: str
    grid: Grid

    @property
    def name(self) -> str:
        """What it is called among the document's."""
        return f"page {self.page} table {self.number}"


def tables_of(document: Document) -> Iterator[NamedTable]:
    """All tables of a document that say something, in order."""
    for number, page in enumerate(document.pages, 1):
        grids = (
            (at, grid)
            for at, cell in enumerate(page.cells)
            if cell.category == "Table" and (grid := read_table(cell.text)).cells
        )
        for count, (at, grid) in enumerate(grids, 1):
            caption = "\n".join(filter(None, (caption_of(page, at), grid.caption)))
            yield NamedTable(page.entry, number, count, caption, grid)


def caption_of(page: Page, at: int) -> str:
    """The caption of the cell at a place: the one just before it, else just behind it."""
    near = [page.cells[i] for i in (at - 1, at + 1) if 0 <= i < len(page.cells)]
    captions = (" ".join(clean(c.text).split()) for c in near if c.category == "Caption")
    return next(captions, "")


CONTENTS = ("table", "page", "number", "source", "status", "rows", "columns", "caption")


def contents(table: NamedTable) -> tuple[str, ...]:
    """A table's line in the list of all, as CONTENTS names its parts."""
    grid, entry = table.grid, table.entry
    source = entry.input if entry.pdf_page is None else f"{entry.input} {entry.pdf_page + 1}"
    counts = (str(grid.rows), str(grid.columns))
    return (
        *(table.name, str(table.page), str(table.number), source, entry.status),
        *(*counts, table.caption),
    )
