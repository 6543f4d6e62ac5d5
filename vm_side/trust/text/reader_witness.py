"""The second reader as a witness: another engine's text in a cell's place against the cell's text.

The engine makes mistakes, too. So one word more or less is not reported. Another text is, and
another digit: about these the engine is sure, or it says that it is not.
"""

import unicodedata
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from answer.cells import Cell
from picture.words import Box, Word
from trust.doubts import Doubt
from trust.text.agreement import Agreement
from trust.text.compared import box_of, under
from trust.text.folding import EAST_ASIAN

SURE = 0.85  # of a line: below this, the engine says nothing. For Hangul it has no such number
WRONG, ODD = 0.45, 0.65  # agreement below this
LONG = 12  # letters: in a shorter text, two letters that were read wrongly make another text
SERIOUS, LIGHT, DIGITS = 0.6, 0.15, 0.2

Line = tuple[str, Box, float]
"""A line that the engine found: its text, its box, and how sure it is, from 0 to 1."""


def kept(lines: Iterable[Line]) -> list[dict[str, Any]]:
    """Return what is kept of the lines of a page: as much as reader_doubts() needs to know."""
    return [
        {
            "bbox": [max(0, round(float(side))) for side in box],
            "text": text if is_sure(text, sure) else "",
        }
        for text, box, sure in lines
    ]


def lines_of(kept_lines: Iterable[Mapping[str, Any]]) -> list[Line]:
    """Return the lines again. Each text is put on one line, wherever it comes from."""
    return [(" ".join(one["text"].split()), tuple(one["bbox"]), 1.0) for one in kept_lines]


def is_sure(text: str, sure: float) -> bool:
    """Whether a line counts: the engine is sure of it, or it is East Asian."""
    return sure >= SURE or bool(EAST_ASIAN.search(text))


def reader_doubts(lines: Iterable[Line], cells: Sequence[Cell], engine: str) -> list[Doubt]:
    """Return what the lines of an engine say against an answer to the same picture."""
    words = [word for line in lines for word in words_in(*line)]
    if not words or not any("text" in cell for cell in cells):
        return []
    return [
        Doubt("reader", box_of(cells[number]), number, weight, detail | {"engine": engine})
        for number, found in under(words, cells).found.items()
        for weight, detail in verdict(found)
    ]


def verdict(found: Agreement) -> Iterator[tuple[float, dict[str, float]]]:
    """Yield the weight and the detail of a doubt about a cell, if there is one."""
    worst = min(found.precision, found.recall)
    detail = {"agreement": round(worst, 2)}
    if worst < WRONG and found.letters >= LONG:
        yield SERIOUS, detail
    elif found.digits and worst >= ODD:
        yield DIGITS, detail | {"digits": found.digits}
    elif worst < ODD and found.letters >= LONG:
        yield LIGHT, detail


def words_in(text: str, box: Box, sure: float) -> Iterator[Word]:
    """Yield the words of a line, each with a box by its share of the line's length.

    A line may go on through several cells. A line that is not sure yields one word without text.
    """
    x1, y1, x2, y2 = box
    if not text or not is_sure(text, sure):
        yield Word("", box)
        return
    if y2 - y1 > x2 - x1:  # vertical writing, or a single sign
        yield Word(text, box)
        return
    ends = [0]
    for sign in text:
        ends.append(ends[-1] + 1 + (unicodedata.east_asian_width(sign) in "WF"))
    unit = (x2 - x1) / ends[-1]
    at = 0
    for part in text.split(" "):
        if part:
            yield Word(part, (x1 + unit * ends[at], y1, x1 + unit * ends[at + len(part)], y2))
        at += len(part) + 1
