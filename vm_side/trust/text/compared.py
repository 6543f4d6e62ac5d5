"""Words that another witness has read: which cells they stand in, and how far both agree.

A word that stands half inside a box may speak for the cell, but not against it. Formulas and
pictures are left alone.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy
from numpy.typing import NDArray

from answer.cells import Cell
from picture.words import Box, Word
from trust.boxes import holding, in_rows, upright, whole
from trust.printed import printed
from trust.text.agreement import Agreement, agreement
from trust.text.folding import WORD, folded, words_of

LEFT_ALONE = ("Picture", "Formula")
MARGIN = 0.5  # of a word's smaller side: its middle may be so far outside a box
UNTOLD = 0.1  # of a cell's box: if words without a text cover more, precision says nothing
COMMAND = re.compile(r"\\(?:begin|end)\{[a-z*]+\}|\\[A-Za-z]+")  # a command of LaTeX


@dataclass(frozen=True)
class Under:
    """What stands under the cells of an answer."""

    said: list[list[str]]
    """Each cell's words, folded."""
    read: list[list[str]]
    """The folded words of each word of the witness: one, several or none."""
    inside: NDArray[numpy.int64]
    """The cell that each word of the witness stands in; -1 if in none."""
    found: dict[int, Agreement]
    """By the cell's number, for cells that have a text and are not left alone."""


def under(words: Sequence[Word], cells: Sequence[Cell]) -> Under:
    """Compare each cell with the words under its box; needs at least one word and one cell."""
    boxes = in_rows(upright(cell["bbox"]) for cell in cells)
    places = in_rows(word.bbox for word in words)
    inside, touching = holding(boxes, places, room_of(places)), touched(boxes, places)
    read = [WORD.findall(line) for line in folded("\n".join(w.text for w in words)).split("\n")]
    is_clear = numpy.array([bool(word.text) for word in words])
    said = [words_said(cell) for cell in cells]
    found = {}
    for number, cell in enumerate(cells):
        if cell["category"] in LEFT_ALONE or "text" not in cell:
            continue
        own, near = (
            [word for at in numpy.flatnonzero(there & is_clear) for word in read[at]]
            for there in (inside == number, touching[number])
        )
        is_whole = bool(near) and covered(boxes[number], places[~is_clear]) <= UNTOLD
        found[number] = agreement(said[number], words_of(cell["text"]), own, near, is_whole)
    return Under(said, read, inside, found)


def words_said(cell: Cell) -> list[str]:
    """Return a cell's words without LaTeX commands, which may be form or text: see agreement()."""
    return words_of(COMMAND.sub(" ", printed(cell.get("text", "")).text))


def touched(boxes: NDArray[numpy.float64], places: NDArray[numpy.float64]) -> NDArray[numpy.bool_]:
    """Return which words each cell's box touches, as an array of (cells, words)."""
    x1, y1, x2, y2 = (boxes[:, side, None] for side in range(4))
    found: NDArray[numpy.bool_] = (
        (places[:, 2] >= x1) & (places[:, 0] <= x2) & (places[:, 3] >= y1) & (places[:, 1] <= y2)
    )
    return found


def covered(box: NDArray[numpy.float64], others: NDArray[numpy.float64]) -> float:
    """Return how much of a box others cover, from 0 to 1, or more where they overlap."""
    x1, y1, x2, y2 = box
    wide = numpy.minimum(others[:, 2], x2) - numpy.maximum(others[:, 0], x1)
    high = numpy.minimum(others[:, 3], y2) - numpy.maximum(others[:, 1], y1)
    area = float((wide.clip(0) * high.clip(0)).sum())
    return area / max(1.0, float((x2 - x1) * (y2 - y1)))


def held_by(boxes: Sequence[Box], words: Sequence[Word]) -> NDArray[numpy.bool_]:
    """Return for each word whether it stands in one of these boxes."""
    places = in_rows(word.bbox for word in words)
    found: NDArray[numpy.bool_] = holding(in_rows(boxes), places, room_of(places)) >= 0
    return found


def room_of(places: NDArray[numpy.float64]) -> NDArray[numpy.float64]:
    """Return how far outside a box the middle of each word may be, in pixels."""
    sides = places[:, 2:] - places[:, :2]
    room: NDArray[numpy.float64] = MARGIN * sides.min(1)
    return room


def box_of(cell: Cell) -> tuple[int, int, int, int]:
    """A cell's box, upright and in whole pixels."""
    return whole(upright(cell["bbox"]))
