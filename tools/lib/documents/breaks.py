"""Find where a text or a table may go on: over the end of a page or a column, or right below.

Only boxes count here: the first cell fills its column down to the end, the second begins the next
one, and nothing between them would end a paragraph. Or a paragraph was read as two cells, one right
under the other like lines. chains.py decides whether the text or table really goes on.
"""

import itertools
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import PurePosixPath

from contract import DONE
from lib.documents.document import Document, Page
from lib.pages.entries import Cell, Entry
from lib.pages.values import Box
from walk import natural

FURNITURE = ("Page-header", "Page-footer")
ASIDE = ("Footnote", *FURNITURE)  # may stand between any two parts
FLOATING = (*ASIDE, "Picture", "Caption")  # these may stand between two parts of a text
GAPS = {"Text": 0.08, "Table": 0.12}
"""How much of a page's height may be free at a break: room for a line or row that did not fit."""
SAME_EDGE = 0.02  # of a page's width
SAME_WIDTH, NARROWER = 0.9, 0.85
TIGHT = 0.006  # of a page's height: half a line, less than between paragraphs
WIDE = 0.3  # of a page's width: a line of text, not the label of a form
ONE_LINE = 0.03  # of a page's height: the last line of a paragraph may be short

Place = tuple[int, int]
"""A cell: which page of the document, and which cell of the page, from 0."""


@dataclass(frozen=True)
class Break:
    """Two cells of one category: the text or table of the first may go on in the second."""

    before: Place
    after: Place


def breaks_of(document: Document) -> Iterator[Break]:
    """Yield all places where a text or a table may go on."""
    edges = body_edges(document)
    for number, page in enumerate(document.pages):
        yield from splits(number, page)
        goes_on = number + 1 < len(document.pages) and follows(page, document.pages[number + 1])
        for category in GAPS:
            yield from column_breaks(number, page, category, edges)
            if goes_on:
                yield from page_break(number, document, category, edges)


def follows(one: Page, other: Page) -> bool:
    """Whether `other` is the page after `one`, and both were read completely."""
    return (
        all(page.entry.status in DONE and page.entry.status != "partial" for page in (one, other))
    ) and is_next(one.entry, other.entry)


def is_next(one: Entry, other: Entry) -> bool:
    """Whether `other` follows `one` directly: by their numbers in one file, else by file names."""
    if one.pdf_page is not None or other.pdf_page is not None:
        return one.input == other.input and (one.pdf_page or 0) + 1 == other.pdf_page
    first, second = (natural(PurePosixPath(entry.input).stem) for entry in (one, other))
    if one.folder != other.folder or len(first) != len(second):
        return False
    different = [(a, b) for a, b in zip(first, second, strict=True) if a != b]
    return len(different) == 1 and all(a[0] == b[0] == 0 and a[1] + 1 == b[1] for a, b in different)


def page_break(
    number: int, document: Document, category: str, edges: tuple[float, float]
) -> Iterator[Break]:
    """Yield the last body cell of a page and the first of the next page, if they may be one."""
    page, following = document.pages[number], document.pages[number + 1]
    body, rest = body_of(page, category), body_of(following, category)
    if not body or not rest:
        return
    last, first = body[-1], rest[0]
    before, after = page.cells[last], following.cells[first]
    if (
        before.category == after.category == category
        and fills_to_the_end(page, last, edges, GAPS[category])
        and begins_at_the_top(following, first, edges, GAPS[category])
        and fit(page, before, after)
    ):
        yield Break((number, last), (number + 1, first))


def column_breaks(
    number: int, page: Page, category: str, edges: tuple[float, float]
) -> Iterator[Break]:
    """Yield the last cell of a column and the first of the next column, if they may be one."""
    for one, other in itertools.pairwise(body_of(page, category)):
        before, after = page.cells[one], page.cells[other]
        if (
            before.category == after.category == category
            and after.box[0] >= before.box[2] - SAME_EDGE
            and after.box[1] < before.box[3]
            and fills_to_the_end(page, one, edges, GAPS[category])
            and begins_at_the_top(page, other, edges, GAPS[category])
            and fit(page, before, after)
        ):
            yield Break((number, one), (number, other))


def splits(number: int, page: Page) -> Iterator[Break]:
    """Yield pairs of text cells: one stands right under the other, like lines of a paragraph."""
    for one, (before, after) in enumerate(itertools.pairwise(page.cells)):
        if (
            before.category == after.category == "Text"
            and width(before) >= WIDE
            and abs(after.box[0] - before.box[0]) <= SAME_EDGE
            and abs(after.box[1] - before.box[3]) <= TIGHT
            and fit(page, before, after)
        ):
            yield Break((number, one), (number, one + 1))


def body_of(page: Page, category: str) -> list[int]:
    """Return the numbers of a page's cells, without cells that may stand between two parts."""
    between = FLOATING if category == "Text" else ASIDE
    return [place for place, cell in enumerate(page.cells) if cell.category not in between]


def body_edges(document: Document) -> tuple[float, float]:
    """Return the highest top and the lowest bottom of the body on all pages of the document."""
    boxes = [
        cell.box
        for page in document.pages
        for cell in page.cells
        if cell.category not in (*FURNITURE, "Picture")
    ]
    return (
        min((box[1] for box in boxes), default=0.0),
        max((box[3] for box in boxes), default=1.0),
    )


def fills_to_the_end(page: Page, place: int, edges: tuple[float, float], gap: float) -> bool:
    """Whether at most `gap` is free below a cell, down to the next one or to the body's end."""
    box = page.cells[place].box
    below = [other[1] for other in others(page, place) if other[1] >= middle(box)]
    return min([edges[1], *below]) - box[3] <= gap


def begins_at_the_top(page: Page, place: int, edges: tuple[float, float], gap: float) -> bool:
    """Whether at most `gap` is free above a cell, up to the one before or to the body's top."""
    box = page.cells[place].box
    above = [other[3] for other in others(page, place) if other[3] <= middle(box)]
    return box[1] - max([edges[0], *above]) <= gap


def others(page: Page, place: int) -> Iterator[Box]:
    """Yield the boxes above and below a cell: those that overlap its width."""
    left, _, right, _ = page.cells[place].box
    for number, cell in enumerate(page.cells):
        if number != place and cell.box[0] < right and left < cell.box[2]:
            yield cell.box


def middle(box: Box) -> float:
    """The vertical middle of a box."""
    return (box[1] + box[3]) / 2


def fit(page: Page, before: Cell, after: Cell) -> bool:
    """Whether two cells can be in one column. If they are texts, the first needs full lines."""
    first, second = width(before), width(after)
    if before.category == "Table":
        return min(first, second) >= SAME_WIDTH * max(first, second)
    left = before.box[0]
    beside = [cell for cell in page.cells if cell.category == "Text"]
    widest = max(width(cell) for cell in beside if abs(cell.box[0] - left) <= SAME_EDGE)
    is_short = after.box[3] - after.box[1] <= ONE_LINE
    return (
        first >= SAME_WIDTH * widest
        and second <= first / SAME_WIDTH
        and (second >= NARROWER * first or is_short)
    )


def width(cell: Cell) -> float:
    """The width of a cell, in parts of the page's width."""
    return cell.box[2] - cell.box[0]
