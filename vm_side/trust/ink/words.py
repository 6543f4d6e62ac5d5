"""Words on a page, and how far a text is from them: its short and long words stand elsewhere.

Two texts of one length differ in where their words end. A text is laid along the words in the ink;
where the page's gaps are not clear, two words of the one may be one of the other.
"""

import re
from collections.abc import Sequence
from typing import NamedTuple

import numpy
from numpy.typing import NDArray

from trust.ink.ems import width_of
from trust.ink.heights import Doubles, Floats
from trust.ink.lines import Writing
from trust.ink.runs import Ints

FEWEST = 3  # words of a text that can be told from those of another
LONGEST = 4.5  # ems of a word on average: what is longer is a script without spaces
SQUARE = re.compile("[\u3040-\u30ff\u3400-\u9fff]")  # a script without spaces
MOST_SQUARE = 0.2  # of a text
UNLIKE = re.compile(r"[$\\<]|://")  # what is set in ways that a text does not tell
RIGHT_TO_LEFT = re.compile("[\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufefc]")  # such rows begin there

NEXT_ROW = 0.55  # of a line's height: so much lower is the next one
SMALL = 0.5  # of the line's height: a dot, an accent, a piece of a letter
CLEAR_GAP = 0.3  # of the line's height: so much room is between words in most print
LEAST_GAP, MOST_GAP = 0.1, 0.9  # as far as that may be otherwise

MOST_TOLD, MOST_INKED = 16, 24  # words of a text and of its ink that are looked at: the first ones
PAIRS = ((1, 1), (1, 2), (2, 1), (1, 3), (3, 1))  # so many in the ink may be so many of the text
UNEVEN, ROUGH = 0.14, 0.14  # how far a word's width may be off: of itself, of the line's height
MOST_OFF = 4.0  # a word that is wrong counts no more
MERGED = 2.0  # what a word more on one side counts


class InWords(NamedTuple):
    """Letters in the order of reading: in which cell, what room before, from where to where."""

    cell: Ints
    room: Doubles
    """Without end before the first of a row."""
    start: Doubles
    end: Doubles


def words_of(text: str, on_page: str) -> tuple[float, ...]:
    """The widths of a text's words, in ems, if ink can tell them; on_page: what is printed."""
    widths = tuple(filter(None, map(width_of, on_page.split())))
    if len(widths) < FEWEST or sum(widths) >= LONGEST * len(widths):
        return ()
    if UNLIKE.search(text) or RIGHT_TO_LEFT.search(text):
        return ()
    return widths if len(SQUARE.findall(text)) < MOST_SQUARE * len(text) else ()


def misfits(
    writing: Writing, owner: Ints, heights: Floats, words: Sequence[Sequence[float]]
) -> dict[int, float]:
    """How far each cell's words are from those under it, where both are known.

    0 is a text that fits; another text is at about 2. heights are those of each cell's lines.
    """
    cells = numpy.flatnonzero(numpy.array(list(map(len, words)), int) * heights)
    number = numpy.full(len(words) + 1, -1)  # the last one is of no cell
    number[cells] = numpy.arange(len(cells))
    high = heights[cells].astype(numpy.float64)
    letters = in_order(writing, number[owner], high)
    if not len(letters.cell):
        return {}
    told = [numpy.array(words[cell]) for cell in cells.tolist()]
    counts = numpy.array(list(map(len, told)))
    widths = numpy.zeros((len(cells), MOST_TOLD))
    for row, each in zip(widths, told, strict=True):
        row[: len(each)] = each[:MOST_TOLD]
    total = numpy.array([each.sum() for each in told])
    best = numpy.full(len(cells), MOST_OFF)
    for gap in (CLEAR_GAP * high, gaps_for(letters, counts, high)):
        inked, inked_counts, length = words_in(letters, gap)
        scaled = widths * (length / total)[:, None]
        best = numpy.minimum(best, misfit(inked, inked_counts, scaled, counts, high))
    return {int(cells[index]): float(best[index]) for index in numpy.unique(letters.cell)}


def in_order(writing: Writing, cell: Ints, heights: Doubles) -> InWords:
    """The letters of cells, row by row, without the dots and the accents above and below them."""
    inside = numpy.flatnonzero(cell >= 0)
    cell, boxes = cell[inside], writing.boxes[inside].astype(numpy.float64)
    lines = max(1, len(writing.heights))
    pieces, piece = numpy.unique(cell * lines + writing.line[inside], return_inverse=True)
    high = boxes[:, 3] - boxes[:, 1]
    middles = (boxes[:, 1] + boxes[:, 3]) / 2
    middle = numpy.bincount(piece, middles * high) / numpy.bincount(piece, high)
    highest = numpy.zeros(len(pieces))
    numpy.maximum.at(highest, piece, high)
    of = pieces // lines
    order = numpy.lexsort((middle, of))
    order = order[highest[order] >= SMALL * heights[of[order]]]
    is_next = numpy.diff(middle[order]) > NEXT_ROW * heights[of[order]][1:]
    is_next |= numpy.diff(of[order]) > 0
    row = numpy.full(len(pieces), -1)
    row[order] = numpy.cumsum(numpy.append([False], is_next))[: len(order)]
    kept = row[piece] >= 0
    rows, cell, boxes = row[piece][kept], cell[kept], boxes[kept]
    order = numpy.lexsort((boxes[:, 0], rows))
    rows, cell, start = rows[order], cell[order], boxes[order, 0]
    apart = rows * 65536.0  # so that the end of a row is before the start of the next
    end = numpy.maximum.accumulate(boxes[order, 2] + apart) - apart
    room = numpy.full(len(rows), numpy.inf)
    room[1:] = numpy.where(numpy.diff(rows) > 0, numpy.inf, start[1:] - end[:-1])
    return InWords(cell, room, start, end)


def gaps_for(letters: InWords, counts: Ints, heights: Doubles) -> Doubles:
    """Of each cell the room between words if there are so many: as many have more."""
    order = numpy.lexsort((-letters.room, letters.cell))
    room = numpy.append(numpy.minimum(letters.room[order], 65536.0), 0.0)
    in_cell = numpy.bincount(letters.cell, minlength=len(counts))
    first = numpy.cumsum(in_cell) - in_cell
    last = numpy.minimum(counts, in_cell)
    least = room[first + numpy.maximum(last, 1) - 1]
    more = numpy.where(last < in_cell, room[first + last], 0.0)
    found: Doubles = numpy.clip((least + more) / 2, LEAST_GAP * heights, MOST_GAP * heights)
    return found


def words_in(letters: InWords, gaps: Doubles) -> tuple[Doubles, Ints, Doubles]:
    """Of each cell how wide its first words are, how many there are, and how wide in all."""
    first = numpy.flatnonzero(letters.room > gaps[letters.cell])
    last = numpy.append(first[1:], len(letters.cell)) - 1
    wide, cell = letters.end[last] - letters.start[first], letters.cell[first]
    counts: Ints = numpy.bincount(cell, minlength=len(gaps)).astype(numpy.int64)
    place = numpy.arange(len(cell)) - (numpy.cumsum(counts) - counts)[cell]
    widths = numpy.zeros((len(gaps), MOST_INKED))
    is_looked_at = place < MOST_INKED
    widths[cell[is_looked_at], place[is_looked_at]] = wide[is_looked_at]
    return widths, counts, numpy.bincount(cell, wide, len(gaps)).astype(numpy.float64)


def misfit(
    inked: Doubles, inked_counts: Ints, told: Doubles, told_counts: Ints, heights: Doubles
) -> NDArray[numpy.float64]:
    """What the best way to lay the words of each text along those of its ink costs, a word."""
    inked_to, told_to = (
        numpy.pad(numpy.cumsum(each, axis=1), ((0, 0), (1, 0))) for each in (inked, told)
    )
    wide = {count: told_to[:, count:] - told_to[:, :-count] for _, count in PAIRS}
    may_be_off = {count: UNEVEN * wide[count] + ROUGH * heights[:, None] for count in wide}
    cost = numpy.full((MOST_INKED + 1, *told_to.shape), numpy.inf)
    cost[0, :, 0] = 0
    for end in range(1, MOST_INKED + 1):
        for ink, text in PAIRS:
            if ink > end:
                continue
            own = inked_to[:, end] - inked_to[:, end - ink]
            off = ((own[:, None] - wide[text]) / may_be_off[text]) ** 2
            more = numpy.minimum(off, MOST_OFF * max(ink, text)) + MERGED * (ink + text - 2)
            here = cost[end, :, text:]
            numpy.minimum(here, cost[end - ink, :, :-text] + more, out=here)
    looked_at = numpy.minimum(told_counts, MOST_TOLD)
    cells = numpy.arange(len(looked_at))
    ends = cost[:, cells, looked_at]  # of each cell after so many words of its ink
    is_whole = (told_counts <= MOST_TOLD) & (inked_counts <= MOST_INKED)
    is_there = numpy.arange(MOST_INKED + 1)[:, None] <= inked_counts
    part = numpy.where(is_there, ends, numpy.inf).min(axis=0)
    whole = ends[numpy.minimum(inked_counts, MOST_INKED), cells]
    least: Doubles = numpy.where(is_whole, whole, part) / looked_at
    return numpy.minimum(least, MOST_OFF)
