"""Find the level of each heading. Headings of one kind have one level in the whole document.

The model sees one page at a time, so its marks (#, ##) differ from page to page. A number (2.3,
제1장) gives a sure level. Without a number, the marks and the size of the letters decide.
"""

import math
import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median

DEEPEST = 6
CLOSE, FAR = 1.15, 1.3  # ratio of two sizes: up to CLOSE they are the same, from FAR they differ
MARKS = re.compile(r"^\s*(#{1,6})(?:\s+|$)")
BOLD = re.compile(r"\*\*([^*]+)\*\*")
NUMBERS: tuple[str, ...] = (  # from the outermost numbering to the innermost
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
"""A place among NUMBERS; then, without a number, how small the letters are, and the marks."""


@dataclass(frozen=True)
class Heading:
    """A heading as it was read."""

    text: str
    is_title: bool
    size: float
    """The height of its letters, in parts of the page's height; 0 if it is not known."""


def bare(text: str) -> str:
    """Return a heading's text in one line, without its marks."""
    whole = " ".join(MARKS.sub("", text).split())
    return inside[1] if (inside := BOLD.fullmatch(whole)) else whole


def letter_size(text: str, width: float, height: float) -> float:
    """Estimate the height of the letters of a text that fills a box in one line or several."""
    ems = sum(1.0 if unicodedata.east_asian_width(sign) in "WF" else 0.5 for sign in bare(text))
    if not ems or width <= 0 or height <= 0:
        return 0.0
    lines = max(1, round(height / (1.25 * math.sqrt(width * height / ems))))
    return height / (1.2 * lines - 0.2)


def levels(headings: Sequence[Heading]) -> list[int]:
    """Return the level of each heading, from 1 to DEEPEST."""
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
    """Return the rank by a heading's number, or None. A title without a number is above all."""
    text = bare(heading.text)
    for place, pattern in enumerate(PATTERNS):
        if pattern.match(text):
            return (float(place), 0.0, 0.0)
    return (-1.0, 0.0, 0.0) if heading.is_title else None


def rank_by_size(size: float, marks: int, sizes: dict[Rank, float]) -> Rank:
    """Return the rank of headings without a number, by the sizes of the numbered ones.

    It is the rank of numbered ones of the same size. If there are none, it is just above the
    smaller ones, or below all.
    """
    below_title = {rank: known for rank, known in sizes.items() if rank[0] >= 0}
    for rank in sorted(below_title):
        if size and ratio(size, below_title[rank]) <= CLOSE:
            return rank
    smaller = [rank for rank, known in below_title.items() if known < size]
    place = min(smaller)[0] - 0.5 if smaller else max(below_title, default=(0.0, 0.0, 0.0))[0] + 0.5
    return (place, -float(round(math.log(size, 1.2))) if size else 0.0, float(marks))


def corrected(size: float, rank: Rank, sizes: dict[Rank, float]) -> Rank:
    """Return a heading's rank by its marks, or another rank if only that one has its size."""
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
    """Return the larger size divided by the smaller; 1 if one of them is not known."""
    return max(one, other) / min(one, other) if one and other else 1.0


def marks_of(heading: Heading) -> int:
    """Return the number of a heading's marks; 2 without any, as the model marks most sections."""
    found = MARKS.match(heading.text)
    return len(found[1]) if found else 2
