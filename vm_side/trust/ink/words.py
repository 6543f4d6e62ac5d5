"""Words on a page, and how far a text is from them, by where short and long words stand.

The words of two texts of the same length end in different places. A text is laid along the words in
the ink. Where the page's gaps are not clear, two words of one side may be one of the other.
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

FEWEST = 3  # words: a text with fewer cannot be told from another one
LONGEST = 4.5  # ems of a word on average: longer words are of a script without spaces
SQUARE = re.compile("[\u3040-\u30ff\u3400-\u9fff]")  # a script without spaces
MOST_SQUARE = 0.2  # share of a text
UNLIKE = re.compile(r"[$\\<]|://")  # LaTeX, HTML and addresses do not tell how they are printed
RIGHT_TO_LEFT = re.compile("[\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufefc]")  # their rows begin there

NEXT_ROW = 0.55  # of a line's height: the next row is lower by more than this
SMALL = 0.5  # of the line's height: a lower piece is a dot, an accent, a piece of a letter
CLEAR_GAP = 0.3  # of the line's height: the room between words in most print
LEAST_GAP, MOST_GAP = 0.1, 0.9  # the limits of that room in other print

MOST_TOLD, MOST_INKED = 16, 24  # of the words in a text and in its ink, the first ones count
PAIRS = ((1, 1), (1, 2), (2, 1), (1, 3), (3, 1))  # (words in ink, words of text) that may match
UNEVEN, ROUGH = 0.14, 0.14  # a word's width may be so far off: of itself, of the line's height
MOST_OFF = 4.0  # a wrong word counts no more than this
MERGED = 2.0  # what each word more on one side counts


class InWords(NamedTuple):
    """Letters in the order of reading: each one's cell, the room before it, its start and end."""

    cell: Ints
    room: Doubles
    """Infinite before the first letter of a row."""
    start: Doubles
    end: Doubles


def words_of(text: str, on_page: str) -> tuple[float, ...]:
    """Return the widths (ems) of a text's printed words, on_page; none if ink cannot tell them."""
    widths = tuple(filter(None, map(width_of, on_page.split())))
    if len(widths) < FEWEST or sum(widths) >= LONGEST * len(widths):
        return ()
    if UNLIKE.search(text) or RIGHT_TO_LEFT.search(text):
        return ()
    return widths if len(SQUARE.findall(text)) < MOST_SQUARE * len(text) else ()


def misfits(
    writing: Writing, owner: Ints, heights: Floats, words: Sequence[Sequence[float]]
) -> dict[int, float]:
    """Return how far each cell's words are from those under it, where both are known.

    0 means that the text fits; another text is at about 2. heights has the height of each cell's
    lines.
    """
    cells = numpy.flatnonzero(numpy.array(list(map(len, words)), int) * heights)
    number = numpy.full(len(words) + 1, -1)  # the last one is for letters in no cell
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
    """Return the letters of cells, row by row, without dots and accents above and below them."""
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
    """Return for each cell how wide a gap between words must be to give about so many words."""
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
    """Return for each cell the widths of its first words, the number of all, and their width."""
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
    """Return the lowest cost per word of laying each text's words along the words of its ink."""
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
    ends = cost[:, cells, looked_at]  # the cost for each cell, after so many words of its ink
    is_whole = (told_counts <= MOST_TOLD) & (inked_counts <= MOST_INKED)
    is_there = numpy.arange(MOST_INKED + 1)[:, None] <= inked_counts
    part = numpy.where(is_there, ends, numpy.inf).min(axis=0)
    whole = ends[numpy.minimum(inked_counts, MOST_INKED), cells]
    least: Doubles = numpy.where(is_whole, whole, part) / looked_at
    return numpy.minimum(least, MOST_OFF)
