"""Make bookmarks from the headings."""

from collections.abc import Mapping
from itertools import islice

import pymupdf

from lib.documents.document import Document
from lib.documents.flow import blocks_of
from lib.documents.searchable.objects import MUPDF_ERRORS, to_own_space
from lib.documents.searchable.seen import seen
from lib.pages.values import Box

LONGEST = 200  # letters of a bookmark
MOST = 10_000  # bookmarks


def put_outline(pdf: pymupdf.Document, document: Document, sheets: Mapping[str, int]) -> None:
    """Write bookmarks, unless the PDF has some of its author's, even broken ones.

    sheets maps the name of each page of the document to its place in the PDF.
    """
    try:
        if pdf.get_toc():
            return
    except MUPDF_ERRORS:
        return
    rows, above = list[list[object]](), list[int]()
    headings = (block for block in blocks_of(document) if block.level)
    for block in islice(headings, MOST):
        number, place = block.cells[0]
        page = document.pages[number]
        index, title = sheets.get(page.entry.page), " ".join(seen(block.text).split())[:LONGEST]
        if index is None or not title:
            continue
        nest(above, block.level)
        target = {"kind": pymupdf.LINK_GOTO, "to": target_on(pdf[index], page.cells[place].box)}
        rows.append([len(above), title, index + 1, target])
    if rows:
        pdf.set_toc(rows)


def nest(above: list[int], level: int) -> None:
    """Go on to a heading of this level: above then has the levels of its parents, and its own.

    How many they are is its level in the PDF, where no level may be skipped.
    """
    while above and above[-1] >= level:
        above.pop()
    above.append(level)


def target_on(page: pymupdf.Page, box: Box) -> pymupdf.Point:
    """Return where a cell begins, in the space of set_toc(), which turns it before it writes it."""
    shown = pymupdf.Point(box[0] * page.rect.width, box[1] * page.rect.height)
    place = shown * to_own_space(page) * ~page.rotation_matrix
    return pymupdf.Point(place.x, page.cropbox.height - place.y)
