"""Does a text only repeat itself at its end? Loops with equal turns, and loops that count.

The turns of a loop that counts differ in their numbers: rows of an empty table, lines of a contents
page, one text in boxes that slide down the page. A table of real numbers is different: its
numbers do not go on by the same step, turn after turn, for as long as those of a loop.
"""

import itertools
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

LOOP_TURNS = 3  # at least; else a page that says the same thing twice would be a loop
COUNTED_TURNS = ((20, 24), (1, 64), (0, 45))
"""(Letters in a turn, turns that make it a loop that counts): there are forms of 40 numbered rows
and contents pages of 60 chapters, but no page says a whole sentence 24 times."""
CELL_TURNS = 10  # turns of cells that say the same elsewhere on the page
CELL_LETTERS = 8  # letters in such a turn, at least; many cells may say "Yes"
ODD_STEPS = 1 / 16  # share of steps that may differ, as at the end of a page or a month
PROBE = 32  # characters by which an earlier turn is looked for
CANDIDATES = 4  # places where it is looked for
COUNTED_TAIL = 12_000  # characters that are looked at
LONGEST_NUMBER = 15  # digits; only the last ones of a longer number are read

NUMBER = re.compile("[0-9]+")
CELL_KEY = '"bbox"'
TEXT = re.compile(r'"text"\s*:\s*"((?:[^"\\]|\\.)*)"')
MARKUP = re.compile(r'<[^<>]*>|\\[nt]|"category"\s*:\s*"[^"]*"|"(?:bbox|text)"|[\W\d_]')


def is_loop(text: str) -> bool:
    """Whether the whole text is one thing said at least LOOP_TURNS times; its start may be cut."""
    longest = len(text) // LOOP_TURNS
    beginning = text[: len(text) - longest]
    size = text.find(beginning, 1)  # where it comes again: this may be the size of a turn
    while 0 < size <= longest:
        if text.startswith(text[size:]):
            return True
        size = text.find(beginning, size + 1)
    return False


def without_digits(text: str) -> str:
    """Return the text with each number as one 0."""
    return NUMBER.sub("0", text)


@dataclass(frozen=True)
class Tail:
    """The end of a text that repeats itself, apart from its numbers.

    turn is one turn with each number as 0; turns is how often the whole turn stands there.
    """

    turn: str
    turns: int

    @property
    def letters(self) -> int:
        """How many letters a turn has, wherever it is cut."""
        return letters_in(2 * self.turn) - letters_in(self.turn)


def tail_of(plain: str, least: int) -> Tail | None:
    """Return the end of a text (numbers as 0) if it is at least so many equal turns, else None."""
    probe = plain[-PROBE:]
    at = len(plain) - len(probe)
    for _ in range(CANDIDATES if plain else 0):
        at = plain.rfind(probe, 0, at + len(probe) - 1)
        if at < 0:
            return None
        size = len(plain) - len(probe) - at
        if size * least > len(plain):
            return None
        turn = plain[-size:]
        turns = 1
        while plain.endswith(turn, 0, len(plain) - turns * size):
            turns += 1
        if turns >= least:
            return Tail(turn, turns)
    return None


def counting_tail(text: str, plain: str, least_size: int) -> Tail | None:
    """Return the loop that a text ends in, if that only counts; None if there is none.

    plain is the text's end with numbers as 0. The loop has at least least_size characters of it.
    """
    tail = tail_of(plain, CELL_TURNS)
    if tail is None or len(tail.turn) * tail.turns < least_size or "0" not in tail.turn:
        return None
    if CELL_KEY in tail.turn and says_the_same(text, tail):
        return tail
    turns = next(turns for letters, turns in COUNTED_TURNS if tail.letters >= letters)
    return tail if tail.turns >= turns and goes_on(text, tail, turns) else None


def letters_in(text: str) -> int:
    """Count the letters that the page itself has, without tags and keys."""
    return len(MARKUP.sub("", text))


def says_the_same(text: str, tail: Tail) -> bool:
    """Whether the last cells say the same, turn after turn, wherever their boxes are."""
    cells = tail.turn.count('"text"')
    if not cells:
        return False
    texts = TEXT.findall(text[-3 * len(tail.turn) * CELL_TURNS :])[-cells * (CELL_TURNS - 2) :]
    letters = sum(map(letters_in, texts[:cells]))
    return letters >= CELL_LETTERS and texts[cells:] == texts[:-cells]


def goes_on(text: str, tail: Tail, turns: int) -> bool:
    """Whether each number of a turn goes on by the same step, or stays, over the last turns."""
    slots = tail.turn.count("0")
    digits = NUMBER.findall(text[-COUNTED_TAIL:])[-slots * turns - 1 : -1]  # the last may be cut
    numbers = [int(number[-LONGEST_NUMBER:]) for number in digits]
    return all(is_steady(numbers[slot::slots]) for slot in range(slots))


def is_steady(numbers: Sequence[int]) -> bool:
    """Whether nearly all steps between the numbers are the same."""
    steps = Counter(after - before for before, after in itertools.pairwise(numbers))
    odd = steps.total() - max(steps.values(), default=0)
    return odd <= max(1, steps.total() * ODD_STEPS)
