"""Find the cells that two readings of a page have in common: by their boxes, then by their text."""

import re
from bisect import bisect_left, bisect_right
from collections.abc import Sequence

from lib.pages.entries import Cell
from lib.pages.values import Box

SAME_CELL = 0.5  # boxes that overlap less are not the same cell
# A word and the blank after it. Chinese and Japanese have no blanks: each character is a word.
UNSPACED = r"\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff"
WORD = re.compile(rf"[{UNSPACED}]\s*|[^\s{UNSPACED}]+\s*")


def match(first: Sequence[Cell], second: Sequence[Cell]) -> list[tuple[int, int, float]]:
    """Return the cells that are the same: (number in first, number in second, overlap of boxes).

    First come pairs by overlap, the largest first. Then come pairs of the cells that are left if
    they have the same text and category, wherever they are on the page.
    """
    by_top = sorted(range(len(second)), key=lambda b: second[b].box[1])
    tops = [second[b].box[1] for b in by_top]
    candidates = [
        (overlap, one.category == second[b].category, -a, -b)
        for a, one in enumerate(first)
        for b in by_top[slice(*near(one.box, tops))]
        if (overlap := overlap_of(one.box, second[b].box)) >= SAME_CELL
    ]
    pairs: list[tuple[int, int, float]] = []
    left, right = set(range(len(first))), set(range(len(second)))
    for overlap, _, minus_a, minus_b in sorted(candidates, reverse=True):
        if -minus_a in left and -minus_b in right:
            pairs.append((-minus_a, -minus_b, overlap))
            left.remove(-minus_a)
            right.remove(-minus_b)
    by_text = {(first[a].category, first[a].text): a for a in sorted(left, reverse=True)}
    for b in sorted(right):
        a = by_text.pop((second[b].category, second[b].text), None)
        if a is not None and second[b].text:
            pairs.append((a, b, overlap_of(first[a].box, second[b].box)))
    return pairs


def near(box: Box, tops: Sequence[float]) -> tuple[int, int]:
    """Return the range (start, end) of the sorted tops in which the same cell's box can be.

    Such a box is at most twice as high as this one, and at least half of it lies within this one.
    """
    _, top, _, bottom = box
    return bisect_left(tops, top - 2 * (bottom - top)), bisect_right(tops, bottom)


def overlap_of(one: Box, other: Box) -> float:
    """Return the area that two boxes share, divided by the area that they cover together."""
    shared = shared_area(one, other)
    return shared / (area(one) + area(other) - shared) if shared else 0.0


def shared_area(one: Box, other: Box) -> float:
    """The area that two boxes share."""
    width = min(one[2], other[2]) - max(one[0], other[0])
    height = min(one[3], other[3]) - max(one[1], other[1])
    return width * height if width > 0 and height > 0 else 0.0


def area(box: Box) -> float:
    """The area of a box, in parts of the page."""
    return (box[2] - box[0]) * (box[3] - box[1])
