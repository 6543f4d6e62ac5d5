"""The text layer as a witness: it compares the words of each cell with those under its box."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import numpy

from answer.cells import Cell
from picture.words import Box, Word
from trust.boxes import whole
from trust.doubts import Doubt
from trust.text.agreement import Agreement
from trust.text.compared import Under, box_of, held_by, under
from trust.text.folding import EAST_ASIAN

FOREIGN = 0.1  # of the answer's letters: if fewer are East Asian, such a layer is taken for wrong
WRONG, ODD = 0.5, 0.8  # precision or recall below this
LONG = 12  # letters: a wrong text that is shorter is no reason to read a page again
LINE = 20  # letters that a cell lacks: in a long cell they are only a small share
BLOCK = 16  # letters in words of no cell: so many are a missing line
SERIOUS, LIGHT = 0.6, 0.15
DIGITS = 0.2  # for a cell with other digits than the layer


def text_layer_doubts(
    words: Sequence[Word], cells: Sequence[Cell], told: Iterable[Doubt] = ()
) -> list[Doubt]:
    """Return what the layer says against an answer; boxes in the picture's pixels, as in words.

    told are the doubts of other witnesses. Words that they report as missed are not reported again.
    """
    if not words or not any("text" in cell for cell in cells):
        return []
    seen = under(words, cells)
    if is_foreign(seen):
        return []
    doubts = [
        Doubt("text_layer", box_of(cells[number]), number, *doubt)
        for number, found in seen.found.items()
        if (doubt := verdict(found))
    ]
    is_known = held_by([doubt.bbox for doubt in told if doubt.cell is None], words)
    outside: list[int] = numpy.flatnonzero((seen.inside < 0) & ~is_known).tolist()
    return doubts + list(missed(outside, words, seen.read))


def verdict(found: Agreement) -> tuple[float, dict[str, Any]] | None:
    """Return the weight and the detail of a doubt about a cell, or None."""
    worst = min(found.precision, found.recall)
    detail = {"precision": round(found.precision, 2), "recall": round(found.recall, 2)}
    if worst < WRONG and found.letters >= LONG:
        return SERIOUS, detail
    if found.digits:
        return DIGITS, {**detail, "digits": found.digits}
    return (LIGHT, detail) if worst < ODD or found.lost >= LINE else None


def missed(
    outside: Iterable[int], words: Sequence[Word], read: Sequence[Sequence[str]]
) -> Iterator[Doubt]:
    """Yield doubts for lines and blocks of words in no cell; shorter ones may be page numbers."""
    group: list[int] = []
    for at in [*(at for at in outside if read[at]), -1]:
        if group and (at < 0 or not follows(words[at].bbox, words[group[-1]].bbox)):
            letters = sum(len(fold) for one in group for fold in read[one])
            if letters >= BLOCK:
                sides = numpy.array([words[one].bbox for one in group])
                box = numpy.concatenate([sides[:, :2].min(0), sides[:, 2:].max(0)])
                detail = {"words": sum(len(read[one]) for one in group)}
                yield Doubt("text_layer", whole(box), None, SERIOUS, detail)
            group = []
        group.append(at)


def follows(box: Box, before: Box) -> bool:
    """Whether a word stands beside or below another one, in the same block."""
    size = max(1.0, min(box[3] - box[1], box[2] - box[0], before[3] - before[1]))
    across = max(box[0] - before[2], before[0] - box[2])
    down = max(box[1] - before[3], before[1] - box[3])
    return down < size and (across < 3 * size or down > -0.5 * size)


def is_foreign(seen: Under) -> bool:
    """Whether a layer is East Asian and the answer is not: it was decoded by a wrong table."""
    ours, theirs = (
        "".join(word for words in side for word in words) for side in (seen.said, seen.read)
    )
    east, west = (len(EAST_ASIAN.findall(text)) / max(1, len(text)) for text in (theirs, ours))
    return east > 0.5 and west < FOREIGN
