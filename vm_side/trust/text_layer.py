"""The text layer as a witness: the words of each cell against those under its box.

What stands half inside a box counts for the cell, and not against it. Formulas and pictures are
left alone.
"""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import numpy
from numpy.typing import NDArray

from answer.cells import Cell
from trust.agreement import Agreement, agreement
from trust.doubts import Doubt
from trust.plain import EAST_ASIAN, WORD, folded, plain, words_of
from trust.words import Box, Word

LEFT_ALONE = ("Picture", "Formula")
MARGIN = 0.5  # of a word's height, by which it may stand outside of a box
UNTOLD = 0.1  # of a cell's box: with more that the layer does not tell, precision says nothing
FOREIGN = 0.1  # of the letters: with less of its script in the answer, a layer is taken for wrong

WRONG, ODD = 0.5, 0.8  # precision or recall below
LONG = 12  # letters: of less, a wrong text is no reason to read a page again
LINE = 20  # letters that a cell lacks: of a long one that is a small share
BLOCK = 16  # letters in words of no cell: a line that is missing
SERIOUS, LIGHT = 0.6, 0.15
DIGITS = 0.2  # of a cell with other digits than the layer's


def text_layer_doubts(
    words: Sequence[Word], cells: Sequence[Cell], told: Iterable[Doubt] = ()
) -> list[Doubt]:
    """What the layer says against an answer; boxes in the picture's pixels, as those of words.

    told are doubts of other witnesses: what they miss is not missed again.
    """
    if not words or not any("text" in cell for cell in cells):
        return []
    boxes = numpy.array([upright(cell["bbox"]) for cell in cells], float)
    places = numpy.array([word.bbox for word in words], float)
    inside, touching = holding(boxes, places), touched(boxes, places)
    folds = [WORD.findall(line) for line in folded("\n".join(w.text for w in words)).split("\n")]
    texts = [cell.get("text", "") for cell in cells]
    said = [words_of(plain(text)) for text in texts]
    if is_foreign(folds, said):
        return []
    is_clear = numpy.array([bool(word.text) for word in words])
    doubts = []
    for number, cell in enumerate(cells):
        if cell["category"] in LEFT_ALONE or "text" not in cell:
            continue
        own, near = (
            [fold for at in numpy.flatnonzero(there & is_clear) for fold in folds[at]]
            for there in (inside == number, touching[number])
        )
        untold = 1.0 if not near else covered(boxes[number], places[~is_clear])
        found = agreement(said[number], words_of(texts[number]), own, near)
        if doubt := verdict(found, untold > UNTOLD):
            doubts.append(Doubt("text_layer", whole(boxes[number]), number, *doubt))
    known = numpy.array([doubt.bbox for doubt in told if doubt.cell is None], float)
    is_known = holding(known.reshape(-1, 4), places) >= 0
    outside = [at for at in numpy.flatnonzero((inside < 0) & ~is_known).tolist() if folds[at]]
    return doubts + list(missed(outside, words, folds))


def verdict(found: Agreement, has_more: bool) -> tuple[float, dict[str, Any]] | None:
    """The weight and the detail of a doubt about a cell, or None.

    has_more: more stands in its box than the layer tells.
    """
    precision = 1.0 if has_more else found.precision
    worst = min(precision, found.recall)
    detail = {"precision": round(precision, 2), "recall": round(found.recall, 2)}
    if worst < WRONG and found.letters >= LONG:
        return SERIOUS, detail
    if found.digits and not has_more:
        return DIGITS, {**detail, "digits": found.digits}
    return (LIGHT, detail) if worst < ODD or found.lost >= LINE else None


def missed(
    outside: Iterable[int], words: Sequence[Word], folds: Sequence[Sequence[str]]
) -> Iterator[Doubt]:
    """Lines and blocks of words that are in no cell; what is shorter may be a page's number."""
    group: list[int] = []
    for at in [*outside, -1]:
        if group and (at < 0 or not follows(words[at].bbox, words[group[-1]].bbox)):
            letters = sum(len(fold) for one in group for fold in folds[one])
            if letters >= BLOCK:
                sides = numpy.array([words[one].bbox for one in group])
                box = numpy.concatenate([sides[:, :2].min(0), sides[:, 2:].max(0)])
                detail = {"words": sum(len(folds[one]) for one in group)}
                yield Doubt("text_layer", whole(box), None, SERIOUS, detail)
            group = []
        group.append(at)


def follows(box: Box, before: Box) -> bool:
    """Whether a word stands beside or below another one, in the same block."""
    size = max(1.0, min(box[3] - box[1], box[2] - box[0], before[3] - before[1]))
    across = max(box[0] - before[2], before[0] - box[2])
    down = max(box[1] - before[3], before[1] - box[3])
    return down < size and (across < 3 * size or down > -0.5 * size)


def is_foreign(folds: Sequence[Sequence[str]], said: Sequence[Sequence[str]]) -> bool:
    """Whether a layer in East Asian letters is of none of the answer's: read by a wrong table."""
    ours, theirs = ("".join(word for words in side for word in words) for side in (said, folds))
    east, west = (len(EAST_ASIAN.findall(text)) / max(1, len(text)) for text in (theirs, ours))
    return east > 0.5 and west < FOREIGN


def holding(boxes: NDArray[numpy.float64], places: NDArray[numpy.float64]) -> NDArray[numpy.int64]:
    """Of each word the cell that it stands in, the smallest; -1: in none."""
    x, y = (places[:, 0] + places[:, 2]) / 2, (places[:, 1] + places[:, 3]) / 2
    margin = MARGIN * numpy.minimum(places[:, 3] - places[:, 1], places[:, 2] - places[:, 0])
    found = numpy.full(len(places), -1)
    sizes = (boxes[:, 2] - boxes[:, 0]) * (boxes[:, 3] - boxes[:, 1])
    for room in (margin, 0 * margin):  # what stands in one truly belongs there
        for number in numpy.argsort(-sizes, kind="stable"):
            x1, y1, x2, y2 = boxes[number]
            is_in = (x > x1 - room) & (x < x2 + room) & (y > y1 - room) & (y < y2 + room)
            found[is_in] = number
    return found


def touched(boxes: NDArray[numpy.float64], places: NDArray[numpy.float64]) -> NDArray[numpy.bool_]:
    """Of each cell the words that its box touches."""
    x1, y1, x2, y2 = (boxes[:, side, None] for side in range(4))
    found: NDArray[numpy.bool_] = (
        (places[:, 2] >= x1) & (places[:, 0] <= x2) & (places[:, 3] >= y1) & (places[:, 1] <= y2)
    )
    return found


def covered(box: NDArray[numpy.float64], others: NDArray[numpy.float64]) -> float:
    """How much of a box others cover, from 0 to 1 or, where they overlap, more."""
    x1, y1, x2, y2 = box
    wide = numpy.minimum(others[:, 2], x2) - numpy.maximum(others[:, 0], x1)
    high = numpy.minimum(others[:, 3], y2) - numpy.maximum(others[:, 1], y1)
    area = float((wide.clip(0) * high.clip(0)).sum())
    return area / max(1.0, float((x2 - x1) * (y2 - y1)))


def upright(box: Sequence[float]) -> Box:
    """A cell's box with its corners in order."""
    x1, y1, x2, y2 = map(float, box)
    return min(x1, x2), min(y1, y2), max(x1, x2), max(y1, y2)


def whole(box: Iterable[float]) -> tuple[int, int, int, int]:
    """A box in whole pixels."""
    x1, y1, x2, y2 = map(int, box)
    return x1, y1, x2, y2
