"""A table's HTML -> the tree that tables are compared by."""

from collections.abc import Iterator
from dataclasses import dataclass
from html.parser import HTMLParser

import nh3

from lib.pages.markup import SPAN
from lib.pages.values import clean
from lib.score.texts import normal

LONGEST = 1_000_000  # characters; one of 5,000 cells has some 100,000
CELLS = ("td", "th")
APART = {"br", "p", "div", "li"}  # what stands in one is no word with what stands before it
TAGS = {"table", "thead", "tbody", "tfoot", "tr", *CELLS, *APART}
SPANS = {"colspan", "rowspan"}


@dataclass(frozen=True)
class Node:
    """A part of a table: the whole, its head, a row, or a cell with its text."""

    tag: str
    text: str = ""
    columns: int = 1
    rows: int = 1
    children: tuple["Node", ...] = ()

    @property
    def label(self) -> tuple[str, str, int, int]:
        """What it is without its children."""
        return self.tag, self.text, self.columns, self.rows


class Reader(HTMLParser):
    """Reads the rows of well-formed HTML. A table inside of a cell is text of that cell."""

    def __init__(self) -> None:
        super().__init__()
        self.depth = 0
        self.heads = list[Node]()
        self.body = list[Node]()
        self.in_head = False
        self.row: list[Node] | None = None
        self.cell: tuple[str, int, int] | None = None
        self.words = list[str]()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.depth += tag == "table"
        if self.depth != 1 or tag in APART:
            self.words.append(" ")
        elif tag == "thead":
            self.in_head = True
        elif tag == "tr":
            self.row = []
        elif tag in CELLS:
            spans = {name: int(value or 1) for name, value in attrs}
            self.cell = tag, spans.get("colspan", 1), spans.get("rowspan", 1)
            self.words = []

    def handle_endtag(self, tag: str) -> None:
        self.depth -= tag == "table"
        if self.depth != 1:
            return
        if tag == "thead":
            self.in_head = False
        elif tag == "tr" and self.row is not None:
            (self.heads if self.in_head else self.body).append(Node("tr", children=tuple(self.row)))
            self.row = None
        elif tag in CELLS and self.cell is not None and self.row is not None:
            name, columns, rows = self.cell
            self.row.append(Node(name, normal("".join(self.words)), columns, rows))
            self.cell = None

    def handle_data(self, data: str) -> None:
        if self.cell is not None:
            self.words.append(data)


def read_table(text: str) -> Node | None:
    """The table in a text; None if there is none, or it is longer than any table.

    A head is a part of its own. A body is not: HTML has one, whether it is written or not. Of
    several tables the rows follow each other.
    """
    if "<table" not in text.lower() or len(text) > LONGEST:
        return None
    reader = Reader()
    reader.feed(
        nh3.clean(
            clean(text),
            tags=TAGS,
            clean_content_tags={"script", "style"},
            attributes=dict.fromkeys(CELLS, SPANS),
            attribute_filter=lambda tag, name, value: value if SPAN.fullmatch(value) else None,
        )
    )
    reader.close()
    head = (Node("thead", children=tuple(reader.heads)),) if reader.heads else ()
    return Node("table", children=(*head, *reader.body))


def without_head(table: Node) -> Node:
    """The same with a head that is rows as all others, and cells as all others."""
    rows = tuple(
        row for part in table.children for row in (part.children if part.tag == "thead" else [part])
    )
    return Node("table", children=tuple(with_cells(row) for row in rows))


def with_cells(row: Node) -> Node:
    """A row whose cells are no headings."""
    cells = (Node("td", cell.text, cell.columns, cell.rows) for cell in row.children)
    return Node("tr", children=tuple(cells))


def texts_in(node: Node) -> Iterator[str]:
    """The texts of the cells, row by row."""
    if node.text:
        yield node.text
    for child in node.children:
        yield from texts_in(child)


def count(node: Node) -> int:
    """How many nodes there are below one."""
    return sum(1 + count(child) for child in node.children)
