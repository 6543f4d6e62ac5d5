"""Which pages of each file are wanted, as PAGES says. Both sides use this file."""

import re
import sys
from dataclasses import dataclass


@dataclass(frozen=True)
class Selection:
    """Which pages of each file are wanted: sorted ranges (first, last), counted from 1.

    A picture is page 1 of its file.
    """

    parts: tuple[tuple[int, int], ...] = ((1, sys.maxsize),)

    def has(self, index: int | None) -> bool:
        """Whether a page is wanted. index counts from 0; None for a picture."""
        return any(first <= (index or 0) + 1 <= last for first, last in self.parts)

    def count(self, pages: int) -> int:
        """Return how many pages are wanted of a file with this number of pages."""
        return sum(max(0, min(last, pages) - first + 1) for first, last in self.parts)


def selection_from(text: str) -> Selection:
    """Parse PAGES, such as "1-20,35"; an empty text means all pages. Raises ValueError."""
    parts = list[tuple[int, int]]()
    for part in text.replace(" ", "").split(",") if text.strip() else ():
        found = re.fullmatch(r"([1-9][0-9]{0,8})(?:(-)([1-9][0-9]{0,8})?)?", part)
        if not found:
            raise ValueError(f"{text!r} is not a list of pages such as 1-20,35 (the first is 1)")
        first, last = int(found[1]), int(found[3] or (sys.maxsize if found[2] else found[1]))
        if last < first:
            raise ValueError(f"{text!r}: {part} ends before it begins")
        parts.append((first, last))
    merged = list[tuple[int, int]]()
    for first, last in sorted(parts):
        if merged and first <= merged[-1][1]:
            merged[-1] = merged[-1][0], max(last, merged[-1][1])
        else:
            merged.append((first, last))
    return Selection(tuple(merged)) if merged else Selection()
