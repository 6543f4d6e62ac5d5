"""A page's answer in the form that a person corrects: its cells, and a mark of the reading."""

import hashlib
from typing import Any

from lib.pages.entries import Entry, candidates_in, read_cell
from lib.pages.values import clean, number

DIGITS = 16  # of a SHA-256: enough to tell two readings apart


def mark_of(answer: bytes) -> str:
    """Return a mark that tells two readings of a page apart: a hash of its JSON.

    Empty if there is no JSON.
    """
    return hashlib.sha256(answer).hexdigest()[:DIGITS] if answer else ""


def editable(answer: bytes, entry: Entry) -> list[list[Any]]:
    """Return the cells that read_cells() finds, each as [left, top, right, bottom, category, text].

    Boxes are in whole pixels, within the page. The text is None if a cell has no text.
    """
    found = []
    for one in candidates_in(answer):
        if (cell := read_cell(one, entry.size)) is not None:
            text = clean(one["text"]) if isinstance(one.get("text"), str) else None
            found.append([*pixels(one["bbox"], entry.size), cell.category, text])
    return found


def pixels(box: list[Any], size: tuple[float, float]) -> list[int]:
    """Return a box in whole pixels, cut to a page of this size."""
    limits = (*size, *size)
    left, top, right, bottom = (
        int(min(number(value), limit)) for value, limit in zip(box, limits, strict=True)
    )
    return [left, top, max(left, right), max(top, bottom)]
