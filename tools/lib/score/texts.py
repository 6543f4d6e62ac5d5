"""Texts as they are compared, and how many edits one is from another."""

import functools
import re
import unicodedata
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from lib.pages.matching import UNSPACED, WORD

MOST_WORK = 4 * 10**10  # of the lengths of two texts: two of 200,000 characters, some 1.5 s
GAP = re.compile(rf"(?<=[{UNSPACED}]) | (?=[{UNSPACED}])")


@dataclass(frozen=True)
class Edits:
    """How many edits of how much."""

    errors: int = 0
    of: int = 0

    def __add__(self, other: "Edits") -> "Edits":
        return Edits(self.errors + other.errors, self.of + other.of)

    @property
    def rate(self) -> float:
        """Errors by what is true. Above 1 where much was invented; 1 where nothing is true."""
        return self.errors / self.of if self.of else float(self.errors > 0)


def normal(text: str) -> str:
    """NFC; white space is one blank, and none beside a sign of Chinese or Japanese."""
    return GAP.sub("", " ".join(unicodedata.normalize("NFC", text).split()))


def words_in(text: str) -> list[str]:
    """The words of a text that is normal(); a sign of Chinese or Japanese is one."""
    return [word.rstrip() for word in WORD.findall(text)]


def edits(true: Sequence[str], told: Sequence[str]) -> Edits | None:
    """Levenshtein's distance, by what is true: of two texts, or of two lists of words.

    None where both are so long that it would take minutes.
    """
    if true != told and len(true) * len(told) > MOST_WORK:
        return None
    return Edits(distance(true, told), len(true))


def distance(one: Sequence[object], other: Sequence[object]) -> int:
    """Levenshtein's distance."""
    return levenshtein()(one, other)


@functools.cache
def levenshtein() -> Callable[[Sequence[object], Sequence[object]], int]:
    """rapidfuzz's, which is there only once lib.extras has seen to it."""
    from rapidfuzz.distance.Levenshtein import distance as found  # noqa: PLC0415

    return found
