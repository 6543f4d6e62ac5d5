"""Bookmarks from the headings."""

from collections.abc import Sequence
from dataclasses import dataclass

import pymupdf

from lib.documents.searchable.seen import seen_in
from lib.pages.entries import Cell

TITLE, SECTION = "Title", "Section-header"
LONGEST = 200  # letters of a bookmark
MOST = 10_000  # bookmarks


@dataclass(frozen=True)
class Heading:
    """A heading: how deep it stands as its text says, and where, as PyMuPDF wants to hear it."""

    depth: int
    text: str
    page: int
    place: pymupdf.Point


def heading_in(cell: Cell, page: pymupdf.Page, to_own_space: pymupdf.Matrix) -> Heading | None:
    """A cell as a heading, if it is one."""
    text = " ".join(seen_in(cell).split())[:LONGEST]
    if cell.category not in (TITLE, SECTION) or not text:
        return None
    signs = len(cell.text.lstrip()) - len(cell.text.lstrip().lstrip("#"))
    shown = pymupdf.Point(cell.box[0] * page.rect.width, cell.box[1] * page.rect.height)
    place = shown * to_own_space * ~page.rotation_matrix  # set_toc() turns it, and then back
    place.y = page.cropbox.height - place.y
    return Heading(1 if cell.category == TITLE else max(2, signs), text, page.number, place)


def levels(depths: Sequence[int]) -> list[int]:
    """Depths as levels, from 1 and without a gap: each heading stands below the last less deep."""
    above, found = list[int](), list[int]()
    for depth in depths:
        while above and above[-1] >= depth:
            above.pop()
        above.append(depth)
        found.append(len(above))
    return found


def put_outline(pdf: pymupdf.Document, headings: Sequence[Heading]) -> None:
    """Write bookmarks, unless the PDF has some: those are its author's."""
    if pdf.get_toc():
        return
    some = headings[:MOST]
    found = zip(levels([heading.depth for heading in some]), some, strict=True)
    rows = [
        [level, it.text, it.page + 1, {"kind": pymupdf.LINK_GOTO, "to": it.place}]
        for level, it in found
    ]
    if rows:
        pdf.set_toc(rows)
