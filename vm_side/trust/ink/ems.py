"""How long and how high a text is when it is printed, in ems."""

import functools
import unicodedata
from collections import Counter

from trust.printed import Printed

NARROW, WIDE = frozenset("iljtfrI.,:;'|!()[]{}`-\"1/\\·"), frozenset("mwMWQO@%&—…")
SCRIPT = 0.4  # a small letter above or below the line is shorter than others by this share
TALL = frozenset("bdfhijklt!?'\"|/\\()[]{}")
EAST_ASIAN_HEIGHT, TALL_HEIGHT, LOW_HEIGHT = 0.86, 0.7, 0.47


def length(printed: Printed) -> float:
    """Return the length of a text, as if it were printed in one line without spaces."""
    return width_of(printed.text) - SCRIPT * width_of(printed.small)


def width_of(text: str) -> float:
    """Return how wide a text's letters are, all together."""
    return sum(width(letter) * times for letter, times in Counter(text).items())


@functools.cache
def width(letter: str) -> float:
    """Return about how wide a letter is, in ems; 0 if it has no ink."""
    if letter.isspace() or unicodedata.category(letter) in ("Cc", "Cf", "Mn", "Me", "Zs"):
        return 0.0
    if letter in NARROW:
        return 0.3
    if unicodedata.east_asian_width(letter) in ("W", "F"):
        return 1.0 if letter.isalnum() else 0.5
    if letter in WIDE:
        return 0.8
    return 0.65 if letter.isupper() else 0.5


def height(text: str, rows: float = 1) -> float:
    """Return how high most of a text's rows are above the baseline, in ems; rows: how many."""
    counts = Counter(text)
    east = sum(times for letter, times in counts.items() if is_east_asian(letter))
    seen = sum(times for letter, times in counts.items() if letter.isalnum())
    if east >= 0.3 * seen > 0:
        return EAST_ASIAN_HEIGHT
    tall = sum(times for x, times in counts.items() if x in TALL or x.isupper() or x.isdigit())
    return TALL_HEIGHT if tall >= 0.7 * rows else LOW_HEIGHT


@functools.cache
def is_east_asian(letter: str) -> bool:
    """Whether a letter fills a square: Chinese, Japanese, Korean."""
    return letter.isalnum() and unicodedata.east_asian_width(letter) in ("W", "F")
