"""A page's answer as somebody may correct it: its cells as they are, and what tells the reading."""

import hashlib
from typing import Any

from lib.pages.entries import Entry, candidates_in, read_cell
from lib.pages.values import clean, number

DIGITS = 16  # of a SHA-256: enough to see that it is another reading


def mark_of(answer: bytes) -> str:
    """What tells one reading of a page from the next, by its JSON; empty: there is none."""
    return hashlib.sha256(answer).hexdigest()[:DIGITS] if answer else ""


def editable(answer: bytes, entry: Entry) -> list[list[Any]]:
    """The cells that read_cells() finds: [left, top, right, bottom, category, text] of each.

    In whole pixels, within the page; the text is None where there is none.
    """
    found = []
    for one in candidates_in(answer):
        if (cell := read_cell(one, entry.size)) is not None:
            text = clean(one["text"]) if isinstance(one.get("text"), str) else None
            found.append([*pixels(one["bbox"], entry.size), cell.category, text])
    return found


def pixels(box: list[Any], size: tuple[float, float]) -> list[int]:
    """A box in whole pixels, within a page of this size."""
    limits = (*size, *size)
    left, top, right, bottom = (
        int(min(number(value), limit)) for value, limit in zip(box, limits, strict=True)
    )
    return [left, top, max(left, right), max(top, bottom)]
