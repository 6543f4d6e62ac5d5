"""How far a cell's words agree with what another witness has read in the same place.

Words are looked for in the letters of the other side, joined without spaces. So order, line ends
and hyphens do not count.
"""

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from trust.text.folding import EAST_ASIAN

SHORT = 3  # letters: a word this short is found in any text
PIECE = 8  # letters that are looked for together: a longer word may be two, without the space
EAST_ASIAN_PIECE = 2  # the same for scripts without words
ENOUGH = 4  # letters that are looked for: with fewer, nothing can be told
LONG = 12  # letters of a cell: with fewer, one cannot tell if they are too many


@dataclass(frozen=True, slots=True)
class Agreement:
    """How far a cell and another reading agree.

    precision is the share of the cell's letters that the other has, recall the other way round.
    letters is how many were looked for, on the side with more. lost is how many of the other's
    letters the cell lacks. digits is how many of the cell's stand in the place of others.
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
    """Compare a cell's words with those of another reading.

    said are the cell's printed words. written are all words of its text, LaTeX commands included,
    because a page may be about LaTeX. own are the other's words in the cell's box; near has those
    that only touch it, too. is_whole: these are all that stands there. If they are not, nothing can
    speak against what the cell has besides.
    """
    recall, known = share_found(own, written)
    precision, looked_for = share_found(said, near)
    length = sum(map(len, said))
    if looked_for and length >= LONG:  # a word that is said twice must stand there twice
        precision = min(precision, sum(map(len, near)) / length)
    here, there, around = map(digits_in, (said, own, near))
    digits = min((here - around).total(), (there - here).total())
    if not is_whole:
        precision, digits = 1.0, 0
    return Agreement(precision, recall, max(known, looked_for), known * (1 - recall), digits)


def share_found(words: Iterable[str], among: Iterable[str]) -> tuple[float, int]:
    """Return the share of these letters that is found among others, and how many were looked for.

    Too few letters tell nothing: the share is then 1, and the number 0.
    """
    pieces = [piece for word in words for piece in pieces_of(word)]
    total = sum(map(len, pieces))
    if total < ENOUGH:
        return 1.0, 0
    text = "".join(among)
    return sum(len(piece) for piece in pieces if piece in text) / total, total


def pieces_of(word: str) -> list[str]:
    """Return the pieces of a word to look for: none of a short word, parts of a long one."""
    if EAST_ASIAN.match(word):
        last = len(word) - EAST_ASIAN_PIECE
        return [word[at : at + EAST_ASIAN_PIECE] for at in range(0, last + 1, EAST_ASIAN_PIECE)]
    if len(word) < SHORT or (len(word) == SHORT and not word.isdecimal()):
        return []
    parts = -(-len(word) // PIECE)
    size = -(-len(word) // parts)
    return [word[at : at + size] for at in range(0, len(word), size)]


def digits_in(words: Iterable[str]) -> Counter[str]:
    """Count how often each digit stands in these words."""
    return Counter(re.findall(r"\d", "".join(words)))
