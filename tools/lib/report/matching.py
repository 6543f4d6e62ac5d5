"""What differs between two readings of a page: boxes (by overlap), text (word by word), categories,
and doubts (by kind and overlap).
"""

import difflib
from collections.abc import Sequence
from dataclasses import dataclass

from lib.pages.doubts import Doubt
from lib.pages.entries import Cell
from lib.pages.markup import plain_text
from lib.pages.matching import SAME_CELL, WORD, match, overlap_of

SAME_PLACE = 0.9  # boxes that overlap by this or more have not moved
MANY_WORDS = 2_000  # for more words, difflib uses its faster but less exact rule (autojunk)

Words = list[tuple[str, str]]
"""Two texts as runs: ("=", in both), ("-", only in the first), ("+", only in the second)."""


@dataclass(frozen=True)
class Difference:
    """A cell that is not the same in both: its number in each; None if it is missing there."""

    first: int | None
    second: int | None
    overlap: float = 0.0
    recategorised: bool = False
    words: Words | None = None
    """The text of both, if it differs."""

    @property
    def moved(self) -> bool:
        """Whether the cell is in both, but at another place or with another size."""
        return self.first is not None and self.second is not None and self.overlap < SAME_PLACE


@dataclass(frozen=True)
class PageDifference:
    """What differs in a page."""

    differences: tuple[Difference, ...] = ()
    words_changed: int = 0
    words: int = 0
    """The number of words in the longer of the two texts."""
    text_alike: float = 1.0
    """How much of both texts is the same, from 0 to 1. The places of the boxes do not matter."""
    boxes_alike: int = 0
    boxes: int = 0
    """Boxes of both pages together. A matched pair counts once."""

    @property
    def moved(self) -> int:
        return sum(difference.moved for difference in self.differences)

    @property
    def added(self) -> int:
        return sum(difference.first is None for difference in self.differences)

    @property
    def removed(self) -> int:
        return sum(difference.second is None for difference in self.differences)

    @property
    def recategorised(self) -> int:
        return sum(difference.recategorised for difference in self.differences)


def compare_pages(first: Sequence[Cell], second: Sequence[Cell]) -> PageDifference:
    """Find all differences: in the second's reading order, then the cells only the first has."""
    pairs = match(first, second)
    partner = {b: (a, overlap) for a, b, overlap in pairs}
    texts = [[plain_text(cell) for cell in cells] for cells in (first, second)]
    differences = []
    for b, cell in enumerate(second):
        if b not in partner:
            differences.append(Difference(None, b))
            continue
        a, overlap = partner[b]
        found = Difference(
            a,
            b,
            round(overlap, 3),
            recategorised=first[a].category != cell.category,
            words=differing(texts[0][a], texts[1][b]),
        )
        if found.moved or found.recategorised or found.words is not None:
            differences.append(found)
    taken = {a for a, _, _ in pairs}
    differences += [Difference(a, None) for a in range(len(first)) if a not in taken]
    words = compare_words(*(" ".join(filter(None, side)) for side in texts))
    counts = {sign: sum(count_words(run) for s, run in words if s == sign) for sign in "=-+"}
    both = 2 * counts["="] + counts["-"] + counts["+"]
    return PageDifference(
        differences=tuple(differences),
        words_changed=max(counts["-"], counts["+"]),
        words=counts["="] + max(counts["-"], counts["+"]),
        text_alike=2 * counts["="] / both if both else 1.0,
        boxes_alike=sum(overlap >= SAME_PLACE for _, _, overlap in pairs),
        boxes=len(first) + len(second) - len(pairs),
    )


def differing(one: str, other: str) -> Words | None:
    """The words of two texts as runs; None if they do not differ."""
    words = compare_words(one, other)
    return words if any(sign != "=" for sign, _ in words) else None


def compare_doubts(
    first: Sequence[Doubt], second: Sequence[Doubt]
) -> tuple[tuple[Doubt, ...], tuple[Doubt, ...]]:
    """The doubts that are only in the first, and those that are only in the second."""
    gone, new = [], list(second)
    for doubt in first:
        same = next((other for other in new if is_same(doubt, other)), None)
        if same is None:
            gone.append(doubt)
        else:
            new.remove(same)
    return tuple(gone), tuple(new)


def is_same(one: Doubt, other: Doubt) -> bool:
    """Whether two doubts have the same kind and the same place."""
    is_there = one.box == other.box or overlap_of(one.box, other.box) >= SAME_CELL
    return one.kind == other.kind and is_there


def compare_words(one: str, other: str) -> Words:
    """Compare two texts word by word: runs of words that are in both, or only in one."""
    texts = WORD.findall(one), WORD.findall(other)
    first, second = ([word.rstrip() for word in words] for words in texts)
    many = max(len(first), len(second)) > MANY_WORDS
    matcher = difflib.SequenceMatcher(None, first, second, autojunk=many)
    runs: Words = []
    for kind, a1, a2, b1, b2 in matcher.get_opcodes():
        if kind == "equal":
            runs.append(("=", "".join(texts[1][b1:b2])))
            continue
        if a1 < a2:
            runs.append(("-", "".join(texts[0][a1:a2])))
        if b1 < b2:
            runs.append(("+", "".join(texts[1][b1:b2])))
    return runs


def count_words(text: str) -> int:
    """How many words a text has."""
    return len(WORD.findall(text))
