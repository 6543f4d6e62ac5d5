"""xlsx: one sheet for each table, and a first sheet that lists them. Every cell is text, as read.

A number stays as it is printed (007, 1.10), and nothing is a formula: cells have the type of text.
They have its format, too, so that they stay text when somebody edits them.
"""

import re
from collections.abc import Iterator
from pathlib import Path

from openpyxl import Workbook
from openpyxl.styles import Alignment, Font
from openpyxl.utils import get_column_letter
from openpyxl.worksheet.worksheet import Worksheet

from lib.documents.document import Document, Sources
from lib.documents.named_tables import CONTENTS, LEFT_OUT, NO_TABLE, contents, tables_of
from lib.documents.office.xml_text import xml_text
from lib.documents.tables import Grid, GridCell

MOST_UNITS = 32_767  # UTF-16 units in one cell
CUT = "Excel takes at most 32,767 characters in a cell: the rest is left out"
ESCAPED = re.compile(r"_(?=x[0-9A-Fa-f]{4}_)")  # Excel reads _x0041_ as A, and _x005F_ as _
NARROWEST, WIDEST = 8, 60  # width of a column, in characters
FORMAT, PLACE, BOLD = "@", Alignment(wrap_text=True, vertical="top"), Font(bold=True)


def write(document: Document, sources: Sources, folder: Path) -> list[str]:
    """Write <name>.xlsx."""
    tables = list(tables_of(document))
    if not tables:
        return [NO_TABLE]
    book = Workbook()
    book.properties.creator, book.properties.title = "", xml_text(document.name)
    listed = listing([CONTENTS, *map(contents, tables)])
    sheets = [("tables", listed), *((table.name, table.grid) for table in tables)]
    book.remove(book.active)
    are_cut = [fill(book.create_sheet(name), grid) for name, grid in sheets]
    book.save(folder / f"{document.name}.xlsx")
    left_out = any(table.grid.left_out for table in tables)
    return [*([CUT] if any(are_cut) else []), *([LEFT_OUT] if left_out else [])]


def listing(rows: list[tuple[str, ...]]) -> Grid:
    """Return rows of texts as a grid; the first row has headers."""
    cells = [
        GridCell(row, column, 1, 1, text, row == 0)
        for row, texts in enumerate(rows)
        for column, text in enumerate(texts)
    ]
    return Grid(len(rows), len(rows[0]), tuple(cells))


def fill(sheet: Worksheet, grid: Grid) -> bool:
    """Put a grid's cells in a sheet. Return whether one had to be cut."""
    is_cut = False
    for found in grid.cells:
        row, column = found.row + 1, found.column + 1
        text = fitting(xml_text(found.text))
        is_cut |= text != xml_text(found.text)
        cell = sheet.cell(row, column)
        if text:
            cell.value = ESCAPED.sub("_x005F_", text)
            cell.data_type = "s"
        cell.number_format, cell.alignment = FORMAT, PLACE
        if found.is_header:
            cell.font = BOLD
        if found.rowspan > 1 or found.colspan > 1:
            sheet.merge_cells(
                start_row=row,
                start_column=column,
                end_row=row + found.rowspan - 1,
                end_column=column + found.colspan - 1,
            )
    if 0 < grid.header_rows < grid.rows:
        sheet.freeze_panes = sheet.cell(grid.header_rows + 1, 1)
    for number, width in widths(grid):
        sheet.column_dimensions[get_column_letter(number)].width = width
    return is_cut


def fitting(text: str) -> str:
    """Cut a text to what a cell can hold. A text that was cut ends with an ellipsis."""
    units = text.encode("utf-16-le")
    if len(units) <= 2 * MOST_UNITS:
        return text
    return units[: 2 * (MOST_UNITS - 1)].decode("utf-16-le", "ignore") + "…"


def widths(grid: Grid) -> Iterator[tuple[int, int]]:
    """Yield (column, counted from 1; its width in characters), by the longest line in it."""
    widest = [NARROWEST] * grid.columns
    for cell in grid.cells:
        if cell.colspan == 1:
            longest = max(map(width, cell.text.split("\n")), default=0)
            widest[cell.column] = max(widest[cell.column], min(longest + 2, WIDEST))
    yield from enumerate(widest, 1)


def width(line: str) -> int:
    """How many characters wide a line is: East Asian letters count as two."""
    return sum(1 if letter < "\u1100" else 2 for letter in line[:WIDEST])
