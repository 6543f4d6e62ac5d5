"""Turn cells into the invisible text that lies over their page, each line in its place."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy
import pymupdf
from numpy.typing import NDArray

from lib.documents.searchable.glyphless import DESCENT, Letters
from lib.documents.searchable.ink import (
    Box,
    around,
    bands,
    evenly,
    extent,
    ink_in,
    lines_filled,
    lines_of,
    without_rules,
)
from lib.documents.searchable.lines import UNSPACED, as_drawn, shared_out
from lib.documents.searchable.seen import seen, seen_in
from lib.documents.searchable.tilt import moved, straightened, tilt_of
from lib.documents.tables import Grid, read_table
from lib.pages.entries import Cell

Gray = NDArray[numpy.uint8]

TALL = 3.0  # times as high as wide: the box may have a turned line
RIGHT, DOWN, UP = (1, 0), (0, 1), (0, -1)  # reading direction of a line, on the page as shown
LEAST_SIDE = 1.0  # pixels
TIGHTEST = 0.6  # of its width: poppler finds no blanks in letters that are narrower


@dataclass(frozen=True)
class Line:
    """A line of text and its box, in pixels of the page's picture."""

    text: str
    box: Box
    towards: tuple[int, int] = RIGHT


def layer_of(
    cells: Sequence[Cell], gray: Gray, matrix: pymupdf.Matrix, letters: Letters, font: str
) -> str:
    """Return the PDF operators that write the cells' texts.

    gray is the page as it is shown; matrix maps its pixels to the page's own space.
    """
    tilt = tilt_of(gray)
    if tilt:
        cells = moved(cells, tilt, gray.shape[1] / gray.shape[0])
        gray = straightened(gray, tilt)
    lines = [line for cell in cells for line in lines_of_cell(cell, gray, letters)]
    if tilt:
        lines = [word for line in lines for word in leaning(line, tilt, letters)]
    written = "\n".join(operators(line, matrix, letters, font) for line in lines)
    return f"q BT 3 Tr\n{written}\nET Q\n" if written else ""


def lines_of_cell(cell: Cell, gray: Gray, letters: Letters) -> Iterator[Line]:
    """Yield the lines of a cell, at their places on the page."""
    high, wide = gray.shape
    left, top, right, bottom = cell.box
    box = (left * wide, top * high, right * wide, bottom * high)
    if cell.category == "Table":
        yield from lines_of_table(read_table(cell.text), box, gray, letters)
        return
    yield from lines_in(seen_in(cell), box, gray, letters, is_one=cell.category == "Formula")


def lines_of_table(grid: Grid, box: Box, gray: Gray, letters: Letters) -> Iterator[Line]:
    """Yield the lines of a table, with its cells in the rows and columns that the page shows."""
    ink = without_rules(ink_in(gray, box))
    ink = without_rules(ink.T).T
    caption = 1 if grid.caption else 0  # above the table, as most are
    rows = bands(ink.sum(axis=1), grid.rows + caption)
    columns = bands(ink.sum(axis=0), grid.columns)
    places = [(grid.caption, rows[0], (0, ink.shape[1]))] if caption else []
    for cell in grid.cells:
        first, last = cell.row + caption, cell.row + caption + cell.rowspan - 1
        down = rows[first][0], rows[last][1]
        across = columns[cell.column][0], columns[cell.column + cell.colspan - 1][1]
        places.append((cell.text, down, across))
    for text, down, across in places:
        (above, below), (start, end) = around(ink, down, across)
        place = (box[0] + start, box[1] + above, box[0] + end, box[1] + below)
        yield from lines_in(seen(text), place, gray, letters)


def lines_in(
    text: str, box: Box, gray: Gray, letters: Letters, is_one: bool = False
) -> Iterator[Line]:
    """Yield the lines of a text in a box. With is_one it is one line, whatever the ink shows."""
    left, top, right, bottom = box
    wide, high = max(LEAST_SIDE, right - left), max(LEAST_SIDE, bottom - top)
    if not text:
        return
    if not is_one and (towards := turned(text, wide, high, letters)):
        yield Line(text.replace("\n", " "), (left, top, left + wide, top + high), towards)
        return
    ink = without_rules(ink_in(gray, box))
    if not ink.size:  # no more than a line of pixels, or outside of the page
        ink = numpy.zeros((round(high), round(wide)), bool)
    expected = max(lines_filled(letters.width(text), wide, high), text.count("\n") + 1)
    rows = evenly((0, len(ink)), 1) if is_one else lines_of(ink, expected)
    spans = [extent(ink, row) for row in rows]
    texts = shared_out(text, [end - start for start, end in spans], letters.width)
    for line, (above, below), (start, end) in zip(texts, rows, spans, strict=True):
        if line:
            yield Line(line, (left + start, top + above, left + end, top + below))


def turned(text: str, wide: float, high: float, letters: Letters) -> tuple[int, int] | None:
    """Return the direction of a turned line in a tall box; None if the text is not one.

    It is one if its longest word would not fit into lines across the box.
    """
    ems = letters.width(text)
    if high < TALL * wide or "\n" in text or lines_filled(ems, high, wide) >= 1.5:
        return None
    size = high / lines_filled(ems, wide, high)
    if max(map(letters.width, text.split())) * size <= wide:
        return None
    return DOWN if UNSPACED.search(text) or "\uac00" <= text[0] <= "\ud7a3" else UP


def leaning(line: Line, tilt: float, letters: Letters) -> Iterator[Line]:
    """Yield a line word by word, each at its place on a page that is askew.

    The words are upright, because poppler splits a word if its letters are on a slope.
    """
    if line.towards != RIGHT or as_drawn(line.text) != line.text:
        words = [line.text]
    else:
        words = line.text.split(" ")
    left, top, right, bottom = line.box
    em, blank = (right - left) / letters.width(line.text), letters.width(" ")
    for word in words:
        end = left + letters.width(word) * em
        lower = tilt * (left + end) / 2
        yield Line(word, (left, top + lower, end, bottom + lower), line.towards)
        left = end + blank * em


def operators(line: Line, matrix: pymupdf.Matrix, letters: Letters, font: str) -> str:
    """Return the operators that write a line, as high as its box and scaled to its length."""
    left, top, right, bottom = line.box
    x, y = line.towards
    high, length = (bottom - top, right - left) if x else (right - left, bottom - top)
    text = as_drawn(line.text)
    ems = letters.width(text)
    size = min(high, length / (ems * TIGHTEST))
    stand = (high - size) / 2 + DESCENT * size  # in the middle of its box
    start = {
        RIGHT: pymupdf.Point(left, bottom - stand),
        DOWN: pymupdf.Point(left + stand, top),
        UP: pymupdf.Point(right - stand, bottom),
    }[line.towards] * matrix
    along = pymupdf.Point(x * matrix.a + y * matrix.c, x * matrix.b + y * matrix.d)
    upwards = pymupdf.Point(y * matrix.a - x * matrix.c, y * matrix.b - x * matrix.d)
    stretch = 100 * length / (ems * size)
    numbers = " ".join(f"{n:.5f}" for n in (along.x, along.y, upwards.x, upwards.y))
    return (
        f"/{font} {size:.4g} Tf {stretch:.4f} Tz {numbers} {start.x:.2f} {start.y:.2f} Tm "
        f"{letters.encoded(text + ' ')} Tj"
    )
