"""A table's HTML -> the tree that is compared with other tables."""

import re
from dataclasses import dataclass

from lib.documents.tables import Grid, read_table
from lib.pages.markup import LONGEST_MARKUP
from lib.pages.values import clean
from lib.score.texts import normal

HAS_TABLE = re.compile(r"<(?:table|tr|td)\b", re.IGNORECASE)


@dataclass(frozen=True)
class Node:
    """A part of a table: the whole, a row, or a cell with its text."""

    tag: str
    text: str = ""
    columns: int = 1
    rows: int = 1
    children: tuple["Node", ...] = ()

    @property
    def label(self) -> tuple[str, str, int, int]:
        """All that the node is, without its children."""
        return self.tag, self.text, self.columns, self.rows


def is_too_large(text: str) -> bool:
    """Whether a table is too long to be read."""
    return len(text) > LONGEST_MARKUP


def read_tree(text: str, is_foreign: bool) -> Node | None:
    """Read the table in a text as a tree: table, rows, cells. None if there is no table.

    A cell is th if it heads its column or row: by its own tag, or as a part of the table's head;
    else it is td. is_foreign: all cells are td. The spans are those of the visible grid.
    """
    grid = read_grid(text)
    if grid is None:
        return None
    rows = list[list[Node]]([] for _ in range(grid.rows))
    for cell in grid.cells:
        tag = "th" if cell.is_header and not is_foreign else "td"
        rows[cell.row].append(Node(tag, normal(cell.text), cell.colspan, cell.rowspan))
    return Node("table", children=tuple(Node("tr", children=tuple(row)) for row in rows))


def read_grid(text: str) -> Grid | None:
    """The table in a text; None if there is none."""
    if not HAS_TABLE.search(text):
        return None
    grid = read_table(text)
    # without a whole tag of a table, read_table() returns the text itself as one cell
    is_empty = [cell.text for cell in grid.cells] == [clean(text).strip()]
    return Grid(0, 0, ()) if is_empty else grid


def text_in(text: str) -> str:
    """The words of a table: its caption, then its cells row by row. If it is not one, the text."""
    grid = None if is_too_large(text) else read_grid(text)
    if grid is None:
        return normal(text)
    return normal(" ".join([grid.caption, *(cell.text for cell in grid.cells)]))


def count(node: Node) -> int:
    """The number of nodes below this one."""
    return sum(1 + count(child) for child in node.children)
