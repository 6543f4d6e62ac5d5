"""How far a cell's words agree with what another witness has read in its place.

Words are looked for among the letters of the other side without their spaces: so order, line ends
and hyphens do not count.
"""

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from trust.text.folding import EAST_ASIAN

SHORT = 3  # letters: such a word is found in any text
PIECE = 8  # letters that are looked for together: a longer word may be two, without the space
EAST_ASIAN_PIECE = 2  # the same where there are no words
ENOUGH = 4  # letters that are looked for: of less, nothing can be told
LONG = 12  # letters of which it can be told that they are too many


@dataclass(frozen=True, slots=True)
class Agreement:
    """How much of what the cell says the other one has, and the other way round; from 0 to 1.

    letters is how many were looked for, on the side where they are more; lost how many of the
    other's the cell lacks; digits how many of the cell's stand in the place of others.
    """

    precision: float
    recall: float
    letters: int
    lost: float
    digits: int


def agreement(
    said: Sequence[str],
    written: Sequence[str],
    own: Sequence[str],
    near: Sequence[str],
    is_whole: bool = True,
) -> Agreement:
    """The agreement of words.

    said are the cell's, written those of its form, too, since a page may be about LaTeX. own are
    the other's in the cell's box, near those that touch it, too. is_whole: they are all that stands
    there; else nothing can speak against what the cell has besides.
    """
    recall, known = share_found(own, written)
    precision, looked_for = share_found(said, near)
    length = sum(map(len, said))
    if looked_for and length >= LONG:  # what is said twice stands there twice
        precision = min(precision, sum(map(len, near)) / length)
    here, there, around = map(digits_in, (said, own, near))
    digits = min((here - around).total(), (there - here).total())
    if not is_whole:
        precision, digits = 1.0, 0
    return Agreement(precision, recall, max(known, looked_for), known * (1 - recall), digits)


def share_found(words: Iterable[str], among: Iterable[str]) -> tuple[float, int]:
    """How many letters of words are found among others, from 0 to 1; and of how many.

    Of too few nothing can be told: 1, of 0.
    """
    pieces = [piece for word in words for piece in pieces_of(word)]
    total = sum(map(len, pieces))
    if total < ENOUGH:
        return 1.0, 0
    text = "".join(among)
    return sum(len(piece) for piece in pieces if piece in text) / total, total


def pieces_of(word: str) -> list[str]:
    """What is looked for of a word: nothing of a short one, parts of a long one."""
    if EAST_ASIAN.match(word):
        last = len(word) - EAST_ASIAN_PIECE
        return [word[at : at + EAST_ASIAN_PIECE] for at in range(0, last + 1, EAST_ASIAN_PIECE)]
    if len(word) < SHORT or (len(word) == SHORT and not word.isdecimal()):
        return []
    parts = -(-len(word) // PIECE)
    size = -(-len(word) // parts)
    return [word[at : at + size] for at in range(0, len(word), size)]


def digits_in(words: Iterable[str]) -> Counter[str]:
    """How often each digit stands there."""
    return Counter(re.findall(r"\d", "".join(words)))
