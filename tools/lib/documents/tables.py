"""Turn a table's HTML into a grid of cells. Models write it, so it may be anything, of any size.

It is read as browsers read it (html5ever, by nh3). Only spans are different: none overlaps another,
and none goes beyond the edge.
"""

import html
import re
from bisect import bisect_left
from dataclasses import dataclass, field
from html.parser import HTMLParser

from lib.pages.markup import (
    FORMULAS,
    LONGEST_MARKUP,
    OF_TABLE,
    clean_table,
    in_cells,
    whole_table,
)
from lib.pages.values import clean

MOST_COLUMNS = 1_000
MOST_PLACES = 200_000  # rows times columns
BREAKS = {"br", "p", "li", "ul", "ol", "caption"}
RAISED = dict(zip("0123456789+-=()n", "⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻⁼⁽⁾ⁿ", strict=True))
LOWERED = dict(zip("0123456789+-=()", "₀₁₂₃₄₅₆₇₈₉₊₋₌₍₎", strict=True))
SHIFTS = {"sup": (RAISED, "^"), "sub": (LOWERED, "_")}


@dataclass(frozen=True)
class GridCell:
    """A cell: where it begins, counted from 0, how many places it covers, and its text."""

    row: int
    column: int
    rowspan: int
    colspan: int
    text: str
    """Formulas are LaTeX; a <br> is the end of a line."""
    is_header: bool


@dataclass(frozen=True)
class Grid:
    """A table. In each row and in each column a cell begins. A place may be without a cell."""

    rows: int
    columns: int
    cells: tuple[GridCell, ...]
    """By row, then by column."""
    caption: str = ""
    """Its caption, and any other text outside of its cells."""
    left_out: int = 0
    """How many cells were left out, because the table is larger than any that a page can show."""

    @property
    def header_rows(self) -> int:
        """How many rows at the top have only header cells."""
        others = (cell.row for cell in self.cells if not cell.is_header)
        return min(others, default=self.rows)

    def texts(self) -> list[list[str]]:
        """Return the rows as texts. The text of a merged cell is only where the cell begins."""
        texts = [[""] * self.columns for _ in range(self.rows)]
        for cell in self.cells:
            texts[cell.row][cell.column] = cell.text
        return texts


@dataclass
class Found:
    """A cell as it is in the HTML."""

    rowspan: int
    colspan: int
    is_header: bool
    text: str = ""


def read_table(text: str) -> Grid:
    """Return the grid of a table's text. A text without a table becomes one cell."""
    text = clean(text).strip()
    if not OF_TABLE.search(text) or len(text) > LONGEST_MARKUP:
        return one_cell(text)
    reader = Reader()
    reader.feed(clean_table(in_cells(whole_table(text), literal)))
    reader.close()
    if not any(reader.rows):
        return one_cell(lines(reader.outside))
    placed, left_out = place(reader.rows)
    return gathered(placed, left_out, lines(reader.outside))


def one_cell(text: str) -> Grid:
    """Return a text as a table with one cell; an empty text gives a table without cells."""
    return Grid(1, 1, (GridCell(0, 0, 1, 1, text, False),)) if text else Grid(0, 0, ())


def literal(text: str) -> str:
    """Escape the formulas in the text between tags, so that a < in them is not read as a tag."""
    return FORMULAS.sub(lambda match: html.escape(html.unescape(match[0]), quote=False), text)


@dataclass
class Reader(HTMLParser):
    """Read the rows of clean HTML. A table inside a cell becomes text of that cell."""

    rows: list[list[Found]] = field(default_factory=list)
    outside: str = ""
    depth: int = 0
    in_head: bool = False
    cell: Found | None = None
    shifted: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        super().__init__(convert_charrefs=True)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Begin a table, a row, a cell or a break."""
        if tag == "table":
            self.depth += 1
            self.say("\n")
        elif tag in SHIFTS:
            self.shifted.append(tag)
        elif tag in BREAKS or (self.depth > 1 and tag == "tr"):
            self.say("\n")
        elif self.depth > 1:
            self.say(" ")
        elif tag == "thead":
            self.in_head = True
        elif tag == "tr":
            self.rows.append([])
        elif tag in ("td", "th"):
            spans = dict(attrs)
            self.cell = Found(
                rowspan=int(spans.get("rowspan") or 1),
                colspan=int(spans.get("colspan") or 1),
                is_header=self.in_head or tag == "th",
            )
            self.rows[-1].append(self.cell)

    def handle_endtag(self, tag: str) -> None:
        """End a table, a cell or a paragraph."""
        if tag == "table":
            self.depth -= 1
            self.say("\n")
        elif tag in SHIFTS:
            self.shifted = self.shifted[:-1]
        elif tag in BREAKS:
            self.say("\n")
        elif tag == "thead" and self.depth == 1:
            self.in_head = False
        elif tag in ("td", "th") and self.depth == 1:
            self.cell = None

    def handle_data(self, data: str) -> None:
        """Add text with single blanks. Raised figures stay raised, because 10³ is not 103."""
        text = re.sub(r"\s+", " ", data)
        self.say(shift(text, self.shifted[-1]) if self.shifted else text)

    def say(self, text: str) -> None:
        """Add to the open cell, or to the text outside of cells."""
        if self.cell is not None:
            self.cell.text += text
        else:
            self.outside += text


def shift(text: str, tag: str) -> str:
    """Return raised or lowered text in Unicode's raised or lowered letters, else with ^ or _."""
    letters, sign = SHIFTS[tag]
    text = text.strip()
    if all(letter in letters for letter in text):
        return "".join(letters[letter] for letter in text)
    return f"{sign}{text}" if len(text) == 1 else f"{sign}({text})"


def lines(text: str) -> str:
    """Return the lines of a text without blanks around them, and without empty lines."""
    stripped = (" ".join(line.split()) for line in text.split("\n"))
    return "\n".join(line for line in stripped if line)


def place(rows: list[list[Found]]) -> tuple[list[GridCell], int]:
    """Give each cell its place, as browsers do, but never one that is taken.

    A row's cells fill its free places from the left. Cells of the rows above that reach into it
    have their places already. Also return how many cells were left out: their row was too long.
    """
    taken_until: list[int] = []  # for each column: the first row that is free
    placed, left_out = list[GridCell](), 0
    for row, found in enumerate(rows):
        column = 0
        for cell in found:
            while column < len(taken_until) and taken_until[column] > row:
                column += 1
            if column >= MOST_COLUMNS:
                left_out += 1
                continue
            end = column
            while end < min(column + cell.colspan, MOST_COLUMNS):
                if end == len(taken_until):
                    taken_until.append(0)
                if taken_until[end] > row:
                    break
                taken_until[end] = row + cell.rowspan
                end += 1
            placed.append(
                GridCell(row, column, cell.rowspan, end - column, lines(cell.text), cell.is_header)
            )
            column = end
    return placed, left_out


def gathered(cells: list[GridCell], left_out: int, caption: str) -> Grid:
    """Return the grid without rows and columns in which no cell begins, within MOST_PLACES."""
    width = len({cell.column for cell in cells})
    rows = sorted({cell.row for cell in cells})[: MOST_PLACES // width]
    row_of = places(rows)
    inside = [cell for cell in cells if cell.row in row_of]
    columns = sorted({cell.column for cell in inside})
    column_of = places(columns)
    return Grid(
        rows=len(rows),
        columns=len(columns),
        cells=tuple(
            GridCell(
                row=row_of[cell.row],
                column=column_of[cell.column],
                rowspan=count_between(rows, cell.row, cell.row + cell.rowspan),
                colspan=count_between(columns, cell.column, cell.column + cell.colspan),
                text=cell.text,
                is_header=cell.is_header,
            )
            for cell in inside
        ),
        caption=caption,
        left_out=left_out + len(cells) - len(inside),
    )


def places(numbers: list[int]) -> dict[int, int]:
    """Return the position of each number in the list."""
    return {number: place for place, number in enumerate(numbers)}


def count_between(numbers: list[int], first: int, end: int) -> int:
    """How many of the sorted numbers are at least first, and less than end."""
    return bisect_left(numbers, end) - bisect_left(numbers, first)
