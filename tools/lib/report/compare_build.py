"""The report of what differs between two result sets: compare.html and compare_files/.

The pages' pictures are those of the two reports, if these exist. No pictures are made here.
"""

import os
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from contract import CATEGORIES, COMPARISON, DOUBT_KINDS
from lib import files
from lib.alone import alone_in
from lib.pages.entries import Entry, read_cells
from lib.report import build, pictures
from lib.report.chunks import PAGES_PER_CHUNK, doubt_row, percents
from lib.report.comparison import Compared, Side, cells_of, totals
from lib.report.document import render
from lib.report.matching import Difference
from lib.report.scripts import remove_above, write_script

HTML, FOLDER = COMPARISON, "compare_files"


def write(first: Side, second: Side, pages: Sequence[Compared]) -> Path:
    """Write the report into the second result set. Return its path."""
    output = second.root
    folder = output / FOLDER
    folder.mkdir(exist_ok=True)
    with alone_in(folder):
        write_alone(folder, first, second, pages)
        files.write_whole(output / HTML, document())
    return output / HTML


def write_alone(folder: Path, first: Side, second: Side, pages: Sequence[Compared]) -> None:
    """Write the data that the report loads, while no other process writes there."""
    thumbs = [side.root / build.FOLDER / pictures.THUMBS for side in (first, second)]
    seen = [pictures.names_in(folder) for folder in thumbs]
    chunks = range(0, len(pages), PAGES_PER_CHUNK)
    for number, start in enumerate(chunks):
        part = pages[start : start + PAGES_PER_CHUNK]
        write_script(folder, f"data/{number}", [detail(first, second, page) for page in part])
    remove_above(folder / "data", len(chunks))
    write_script(folder, "index", index(first, second, pages, seen))


def document() -> str:
    """The report's HTML, the same for all results."""
    return render("compare.html", ("report.css", "compare.css"), ("differences.js", "compare.js"))


def index(
    first: Side, second: Side, pages: Sequence[Compared], seen: Sequence[set[str]]
) -> dict[str, Any]:
    """The data that the report loads first."""
    places = [os.path.relpath(side.root / build.FOLDER, second.root) for side in (first, second)]
    return {
        "made": int(time.time()),
        "chunk": PAGES_PER_CHUNK,
        "categories": CATEGORIES,
        "doubtKinds": DOUBT_KINDS,
        "places": [Path(place).as_posix() for place in places],
        **totals(first, second, pages),
        "page": [page.page for page in pages],
        "pictures": [
            [
                picture(entry, names)
                for entry, names in zip((page.first, page.second), seen, strict=True)
            ]
            for page in pages
        ],
        "aspects": [[shape(entry) for entry in (page.first, page.second)] for page in pages],
        "statuses": [
            [entry.status if entry else "" for entry in (page.first, page.second)] for page in pages
        ],
        "trusts": [[build.trust(entry) for entry in (page.first, page.second)] for page in pages],
        "ways": [page.kinds for page in pages],
        "facts": [
            [
                round(page.found.text_alike, 4),
                page.found.words_changed,
                page.found.moved,
                page.found.added,
                page.found.removed,
                page.found.recategorised,
                len(page.gone),
                len(page.new),
            ]
            for page in pages
        ],
    }


def picture(entry: Entry | None, seen: set[str]) -> str:
    """The name of a page's picture; "" if there is none."""
    return entry.picture if entry and entry.picture in seen else ""


def shape(entry: Entry | None) -> float:
    """Width divided by height of a page; 0 if this side does not have the page."""
    return build.aspect(entry) if entry else 0.0


def detail(first: Side, second: Side, page: Compared) -> dict[str, Any]:
    """What the view of a page loads: the boxes of both sides, and the differences."""
    if page.first and page.second:
        sides = cells_of((first.root, page.first, second.root, page.second))
    else:
        sides = (
            read_cells(first.root, page.first) if page.first else [],
            read_cells(second.root, page.second) if page.second else [],
        )
    return {
        "cells": [
            [[CATEGORIES.index(cell.category), *percents(cell.box)] for cell in cells]
            for cells in sides
        ],
        "texts": [
            [
                cell.text[:400] if is_alone(page, side, place) else ""
                for place, cell in enumerate(cells)
            ]
            for side, cells in enumerate(sides)
        ],
        "doubts": [[doubt_row(doubt) for doubt in doubts] for doubts in (page.gone, page.new)],
        "reasons": [entry.reason if entry else "" for entry in (page.first, page.second)],
        "differences": [row(difference) for difference in page.found.differences],
    }


def is_alone(page: Compared, side: int, place: int) -> bool:
    """Whether a cell is on one side only. The text of such a cell is shown."""
    return any(
        (one, other)[side] == place and (one, other)[1 - side] is None
        for one, other in ((d.first, d.second) for d in page.found.differences)
    )


def row(difference: Difference) -> list[Any]:
    """A difference for the browser: the cell's number on each side (-1: none), overlap, words."""
    numbers = (difference.first, difference.second)
    return [*(-1 if n is None else n for n in numbers), difference.overlap, difference.words]
