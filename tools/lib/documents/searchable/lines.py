"""Split a text into as many lines as the page has. Which words are on which line is not known."""

import itertools
import re
import unicodedata
from collections.abc import Callable, Sequence

from lib.documents.searchable.glyphless import letters_in

WORD = re.compile(r"\S+\s*")
UNSPACED = re.compile("[\u0e00-\u0fff\u3040-\u30ff\u3400-\u9fff]")  # Korean has blanks
REACH = 0.25  # of a line: how far from the end of its share it may end
OWN_END = 0.2  # so much of the distance counts if the text itself has the end of a line there
LEFTWARDS, RIGHTWARDS = ("R", "AL"), ("L", "EN", "AN")  # by Unicode's names


def shared_out(text: str, widths: Sequence[float], measure: Callable[[str], float]) -> list[str]:
    """Share a text out over lines of these widths: each line gets its part of the text.

    If the text itself has the same number of lines, they are taken.
    """
    own = text.split("\n")
    if len(own) == len(widths):
        return own
    pieces = [piece for word in WORD.findall(text) for piece in pieces_of(word)]
    sizes = [measure(piece) for piece in pieces]
    scale = sum(sizes) / (sum(widths) or 1.0)
    lines, at, used, wanted = list[str](), 0, 0.0, 0.0
    for width in widths[:-1]:
        wanted += width * scale
        start, best, reach = at, abs(used - wanted), REACH * width * scale
        end, reached = at, used
        while end < len(pieces) and reached < wanted + reach:
            reached += sizes[end]
            end += 1
            apart = abs(reached - wanted)
            if apart <= reach and pieces[end - 1].endswith("\n"):
                apart *= OWN_END
            if apart <= best:
                at, used, best = end, reached, apart
        lines.append("".join(pieces[start:at]))
    lines.append("".join(pieces[at:]))
    return [" ".join(line.split()) for line in lines]


def pieces_of(word: str) -> Sequence[str]:
    """Return the parts of a word between which a line may end: Chinese, Japanese, Thai letters."""
    return word if UNSPACED.search(word) else (word,)


def as_drawn(line: str) -> str:
    """Order a line's letters from left to right, as in a PDF: viewers turn Hebrew and Arabic back.

    It knows two levels, as most text has: words of one direction among those of the other.
    """
    letters = list(letters_in(line))
    turned = [direction(letter) for letter in letters]
    if True not in turned:
        return line
    is_leftward = next(way for way in turned if way is not None)
    after, before = known(turned, is_leftward), known(turned[::-1], is_leftward)[::-1]
    ways = [a if a == b else is_leftward for a, b in zip(after, before, strict=True)]
    runs = [
        (way, [letter for _, letter in run])
        for way, run in itertools.groupby(zip(ways, letters, strict=True), lambda pair: pair[0])
    ]
    drawn = ["".join(run[::-1] if way else run) for way, run in runs]
    return "".join(drawn[::-1] if is_leftward else drawn)


def direction(letter: str) -> bool | None:
    """Whether a letter is written from right to left; None if its neighbours decide that."""
    kind = unicodedata.bidirectional(letter[0])
    return True if kind in LEFTWARDS else False if kind in RIGHTWARDS else None


def known(ways: Sequence[bool | None], start: bool) -> list[bool]:
    """Return the direction at each letter: its own, or that of the last letter that has one."""
    found = list[bool]()
    for way in ways:
        found.append(way if way is not None else found[-1] if found else start)
    return found
