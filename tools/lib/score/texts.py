"""Texts in the form in which they are compared, and how many edits they are apart."""

import functools
import re
import unicodedata
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from lib.pages.matching import UNSPACED, WORD

MOST_WORK = 4 * 10**10  # product of two texts' lengths: 200,000 characters each take some 1.5 s
GAP = re.compile(rf"(?<=[{UNSPACED}]) | (?=[{UNSPACED}])")


@dataclass(frozen=True)
class Edits:
    """The number of edits (errors), and the length of the true text (of)."""

    errors: int = 0
    of: int = 0

    def __add__(self, other: "Edits") -> "Edits":
        return Edits(self.errors + other.errors, self.of + other.of)

    @property
    def rate(self) -> float:
        """Errors by true length. Above 1 if much was invented; 1 if all of it was (0 true)."""
        return self.errors / self.of if self.of else float(self.errors > 0)


def normal(text: str) -> str:
    """The text in NFC. White space becomes one blank; none beside Chinese or Japanese signs."""
    return GAP.sub("", " ".join(unicodedata.normalize("NFC", text).split()))


def words_in(text: str) -> list[str]:
    """The words of a text that is normal(). Each Chinese or Japanese sign is a word."""
    return [word.rstrip() for word in WORD.findall(text)]


def edits(true: Sequence[str], told: Sequence[str]) -> Edits | None:
    """Levenshtein's distance from the true text, or from the true list of words.

    None if both are so long that it would take too long (MOST_WORK).
    """
    if true != told and len(true) * len(told) > MOST_WORK:
        return None
    return Edits(distance(true, told), len(true))


def distance(one: Sequence[object], other: Sequence[object]) -> int:
    """Levenshtein's distance."""
    return levenshtein()(one, other)


@functools.cache
def levenshtein() -> Callable[[Sequence[object], Sequence[object]], int]:
    """The function of rapidfuzz. It can be imported only after lib.extras has installed it."""
    from rapidfuzz.distance.Levenshtein import distance as found  # noqa: PLC0415

    return found
