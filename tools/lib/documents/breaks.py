"""Where a text or a table may go on: over the end of a page, or of a column, or right below.

By the boxes alone: the first fills its column down to the end, the second begins the next one, and
nothing stands between that would end a paragraph. Or a paragraph was read as two cells: one stands
under the other, as lines do. Whether it does go on, others say.
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
FLOATING = (*ASIDE, "Picture", "Caption")  # and these, between two parts of a text
GAPS = {"Text": 0.08, "Table": 0.12}
"""How much of a page's height may be free below and above: a line or a row that did not fit."""
SAME_EDGE = 0.02  # of a page's width
SAME_WIDTH, NARROWER = 0.9, 0.85
TIGHT = 0.006  # of a page's height: half a line, less than between paragraphs
WIDE = 0.3  # of a page's width: a line of text, and no label of a form
ONE_LINE = 0.03  # of a page's height: the last line of a paragraph may be short

Place = tuple[int, int]
"""A cell: which page of the document, and which cell of the page, from 0."""


@dataclass(frozen=True)
class Break:
    """Two cells of one category, of which the second may go on with the first."""

    before: Place
    after: Place


def breaks_of(document: Document) -> Iterator[Break]:
    """All places where something may go on."""
    edges = body_edges(document)
    for number, page in enumerate(document.pages):
        yield from splits(number, page)
        goes_on = number + 1 < len(document.pages) and follows(page, document.pages[number + 1])
        for category in GAPS:
            yield from column_breaks(number, page, category, edges)
            if goes_on:
                yield from page_break(number, document, category, edges)


def follows(one: Page, other: Page) -> bool:
    """Whether a page is the next one, and both are here whole."""
    return (
        all(page.entry.status in DONE and page.entry.status != "partial" for page in (one, other))
    ) and is_next(one.entry, other.entry)


def is_next(one: Entry, other: Entry) -> bool:
    """Whether no page is between: in one file by its count, else by the numbers in two names."""
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
    """The last cell of a page's body and the first of the next one's, if they may be one."""
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
    """The last cell of a column and the first of the next one, if they may be one."""
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
    """Each two cells of text that stand one under the other as lines of one paragraph do."""
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
    """The cells of a page without those that may stand between two parts of this category."""
    between = FLOATING if category == "Text" else ASIDE
    return [place for place, cell in enumerate(page.cells) if cell.category not in between]


def body_edges(document: Document) -> tuple[float, float]:
    """Where the body begins and ends on the document's pages, at most."""
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
    """Whether there is no room below a cell, down to the next one or to where the body ends."""
    box = page.cells[place].box
    below = [other[1] for other in others(page, place) if other[1] >= middle(box)]
    return min([edges[1], *below]) - box[3] <= gap


def begins_at_the_top(page: Page, place: int, edges: tuple[float, float], gap: float) -> bool:
    """Whether there is no room above a cell."""
    box = page.cells[place].box
    above = [other[3] for other in others(page, place) if other[3] <= middle(box)]
    return box[1] - max([edges[0], *above]) <= gap


def others(page: Page, place: int) -> Iterator[Box]:
    """The boxes above and below a cell."""
    left, _, right, _ = page.cells[place].box
    for number, cell in enumerate(page.cells):
        if number != place and cell.box[0] < right and left < cell.box[2]:
            yield cell.box


def middle(box: Box) -> float:
    """The height of a box's middle."""
    return (box[1] + box[3]) / 2


def fit(page: Page, before: Cell, after: Cell) -> bool:
    """Whether two cells can be of one column's width; the first is a full line wide."""
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
    """In parts of the page's."""
    return cell.box[2] - cell.box[0]
