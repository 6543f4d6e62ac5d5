"""How deep each heading of a document is: one level for one kind of heading, over all its pages.

The model sees a page at a time, so its marks (#, ##) differ from page to page. Numbers (2.3, 제1장)
tell the level for sure. Headings without one go by their marks and by the size of their letters.
"""

import math
import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median

DEEPEST = 6
CLOSE, FAR = 1.15, 1.3  # sizes by ratio: one, and certainly two
MARKS = re.compile(r"^\s*(#{1,6})(?:\s+|$)")
BOLD = re.compile(r"\*\*([^*]+)\*\*")
NUMBERS: tuple[str, ...] = (  # the outer ones first
    r"(?:part\s+(?:[0-9]{1,3}|[ivx]{1,6})\b|제\s?[0-9]{1,3}\s?편)",
    r"(?:chapter\s+(?:[0-9]{1,3}|[ivx]{1,6})\b|제\s?[0-9]{1,3}\s?장|第\s?[0-9一二三四五六七八九十]{1,4}\s?章)",
    r"(?:제\s?[0-9]{1,3}\s?절|第\s?[0-9一二三四五六七八九十]{1,4}\s?節|第\s?[0-9一二三四五六七八九十]{1,4}\s?节)",
    r"제\s?[0-9]{1,3}\s?관",
    r"(?:article\s+[0-9]{1,4}\b|제\s?[0-9]{1,4}\s?조)",
    r"(?:[ivx]{1,6}|[Ⅰ-Ⅻ])\.\s",
    r"(?:[0-9]{1,2}(?:\.\s|\s)|appendix\s+[a-z0-9]\b|[a-z]\.\s|부록)",
    *(rf"[0-9a-z]{{1,2}}(?:\.[0-9]{{1,3}}){{{parts}}}(?:\.?\s|\.?$)" for parts in (1, 2, 3, 4)),
    r"[가-하]\.\s",
    r"[0-9]{1,2}\)\s",
    r"[가-하]\)\s",
    r"\([0-9]{1,2}\)\s",
    r"\([가-하]\)\s",
    r"[①-⑳]",
)
PATTERNS = tuple(re.compile(pattern, re.IGNORECASE) for pattern in NUMBERS)

Rank = tuple[float, float, float]
"""Its place among the numberings, and of what has none: how small it is, and its marks."""


@dataclass(frozen=True)
class Heading:
    """A heading as it was read."""

    text: str
    is_title: bool
    size: float
    """The height of its letters, in parts of the page's height; 0: not known."""


def bare(text: str) -> str:
    """A heading's text without its marks, in one line."""
    whole = " ".join(MARKS.sub("", text).split())
    return inside[1] if (inside := BOLD.fullmatch(whole)) else whole


def letter_size(text: str, width: float, height: float) -> float:
    """The height of letters whose text fills a box, however many lines it takes."""
    ems = sum(1.0 if unicodedata.east_asian_width(sign) in "WF" else 0.5 for sign in bare(text))
    if not ems or width <= 0 or height <= 0:
        return 0.0
    lines = max(1, round(height / (1.25 * math.sqrt(width * height / ems))))
    return height / (1.2 * lines - 0.2)


def levels(headings: Sequence[Heading]) -> list[int]:
    """The level of each, from 1."""
    numbered = {place: rank_of(heading) for place, heading in enumerate(headings)}
    known = {place: rank for place, rank in numbered.items() if rank is not None}
    sizes = sizes_of(headings, known)
    classes: dict[int, list[float]] = {}
    for place, heading in enumerate(headings):
        if place not in known:
            classes.setdefault(marks_of(heading), []).append(heading.size)
    ranks = {marks: rank_by_size(middle(found), marks, sizes) for marks, found in classes.items()}
    by_marks = {place: ranks[marks_of(headings[place])] for place in numbered.keys() - known.keys()}
    all_sizes = sizes | sizes_of(headings, by_marks)
    found = known | {
        place: corrected(headings[place].size, rank, all_sizes) for place, rank in by_marks.items()
    }
    order = {rank: number for number, rank in enumerate(sorted(set(found.values())), 1)}
    return [min(order[found[place]], DEEPEST) for place in range(len(headings))]


def rank_of(heading: Heading) -> Rank | None:
    """The rank that its number gives it; a title without one is above all."""
    text = bare(heading.text)
    for place, pattern in enumerate(PATTERNS):
        if pattern.match(text):
            return (float(place), 0.0, 0.0)
    return (-1.0, 0.0, 0.0) if heading.is_title else None


def rank_by_size(size: float, marks: int, sizes: dict[Rank, float]) -> Rank:
    """The rank of headings without number: that of numbered ones of their size, if there are."""
    below_title = {rank: known for rank, known in sizes.items() if rank[0] >= 0}
    for rank in sorted(below_title):
        if size and ratio(size, below_title[rank]) <= CLOSE:
            return rank
    smaller = [rank for rank, known in below_title.items() if known < size]
    place = min(smaller)[0] - 0.5 if smaller else max(below_title, default=(0.0, 0.0, 0.0))[0] + 0.5
    return (place, -float(round(math.log(size, 1.2))) if size else 0.0, float(marks))


def corrected(size: float, rank: Rank, sizes: dict[Rank, float]) -> Rank:
    """A rank by marks, or that of another kind whose size it has, and not its own's."""
    if not size or ratio(size, sizes.get(rank, 0.0)) < FAR:
        return rank
    near = [other for other in sizes if other[0] >= 0 and ratio(size, sizes[other]) <= CLOSE]
    return min(near, key=lambda other: ratio(size, sizes[other]), default=rank)


def sizes_of(headings: Sequence[Heading], ranks: dict[int, Rank]) -> dict[Rank, float]:
    """The usual size of each rank, as far as it is known."""
    found: dict[Rank, list[float]] = {}
    for place, rank in ranks.items():
        found.setdefault(rank, []).append(headings[place].size)
    return {rank: size for rank, sizes in found.items() if (size := middle(sizes))}


def middle(sizes: Sequence[float]) -> float:
    """The median of the sizes that are known."""
    known = [size for size in sizes if size]
    return median(known) if known else 0.0


def ratio(one: float, other: float) -> float:
    """How many times the larger is the smaller; of nothing, 1."""
    return max(one, other) / min(one, other) if one and other else 1.0


def marks_of(heading: Heading) -> int:
    """How many marks it has; none are as many as a section's, which the model gives most."""
    found = MARKS.match(heading.text)
    return len(found[1]) if found else 2
