"""Where a page has ink: the lines of a block of text, the rows and columns of a table."""

import itertools
import math
from collections.abc import Sequence

import numpy
from numpy.typing import NDArray

Span = tuple[int, int]
Box = tuple[float, float, float, float]
Ink = NDArray[numpy.bool_]

LEAST_CONTRAST = 24  # gray levels between paper and ink
FAINTEST = 4  # of the darkest ink, so many parts: gray words among black ones
FAINT = 0.06  # of what a dense row of a block has: with less, a row is between lines
SOLID = 0.75  # of a row: beyond, it is no writing but a rule
THIN = 0.4  # of the usual line's height: an accent, or the dot of an i
THICK = 1.7  # of it: two lines that touch
PITCH = 1.25  # of a letter's size, from line to line
FEWEST, MOST = 0.5, 2.0  # times as many lines as the text would fill
BRIDGED = 0.08  # of a dense row or column of a table, where cells that span others cross a gap


def ink_in(gray: NDArray[numpy.uint8], box: Box) -> Ink:
    """Where in a box (in pixels) something stands out from what most of it is."""
    left, top, right, bottom = (round(side) for side in box)
    part = gray[max(0, top) : max(0, bottom), max(0, left) : max(0, right)].astype(numpy.int16)
    if not part.size:
        return numpy.zeros((0, 0), bool)
    apart = numpy.abs(part - numpy.int16(numpy.median(part)))
    found: Ink = apart > max(LEAST_CONTRAST, apart.max() // FAINTEST)
    return found


def without_rules(ink: Ink) -> Ink:
    """Ink without what goes on over most of a row, and its soft edges: rules, underlines."""
    if not ink.size:
        return ink
    solid = numpy.pad(ink.mean(axis=1) > SOLID, 1)
    found: Ink = ink & ~(solid[:-2] | solid[1:-1] | solid[2:])[:, None]
    return found


def runs(filled: NDArray[numpy.bool_]) -> list[Span]:
    """Where a row of yes and no says yes, from and to."""
    edges = numpy.flatnonzero(numpy.diff(numpy.concatenate(([0], filled.astype(numpy.int8), [0]))))
    return [(int(a), int(b)) for a, b in zip(edges[::2], edges[1::2], strict=True)]


def lines_of(ink: Ink, expected: float) -> list[Span]:
    """The rows of each line of writing; evenly spaced where the ink does not tell.

    expected is how many lines the text would fill.
    """
    profile = ink.sum(axis=1)
    found = one_a_line(runs(profile > FAINT * dense(profile)))
    if not found or not FEWEST * expected - 1 <= len(found) <= MOST * expected + 1:
        return evenly((0, len(ink)), min(round(expected), len(ink)))
    return with_faint(found, profile > 0)


def with_faint(lines: Sequence[Span], inked: NDArray[numpy.bool_]) -> list[Span]:
    """Lines with the rows next to them that have any ink: the tops and tails of some letters."""
    grown, last = list[Span](), 0
    for (start, end), (limit, _) in itertools.pairwise([*lines, (len(inked), len(inked))]):
        above, below = inked[last:start][::-1], inked[end:limit]
        top, last = start - full(above), end + full(below)
        grown.append((top, last))
    return grown


def full(rows: NDArray[numpy.bool_]) -> int:
    """How many rows have ink until one has none."""
    return len(rows) if rows.all() else int(rows.argmin())


def dense(profile: NDArray[numpy.int_]) -> float:
    """How much ink a dense row has."""
    inked = profile[profile > 0]
    return float(numpy.quantile(inked, 0.9)) if inked.size else 0.0


def one_a_line(found: Sequence[Span]) -> list[Span]:
    """Runs of inked rows as lines: accents go to their letters, lines that touch are parted."""
    if not found:
        return []
    heights = sorted(end - start for start, end in found)
    # by ink, not by number: specks are many
    usual = heights[int(numpy.searchsorted(numpy.cumsum(heights), sum(heights) / 2))]
    lines: list[Span] = []
    for start, end in found:
        is_thin = end - start < THIN * usual
        before = lines[-1] if lines else None
        if (
            before
            and start - before[1] < THIN * usual
            and (is_thin or before[1] - before[0] < THIN * usual)
        ):
            lines[-1] = before[0], end
        else:
            lines.append((start, end))
    whole = [line for line in lines if line[1] - line[0] >= THIN * usual]
    return [
        part
        for start, end in whole
        for part in evenly(
            (start, end), round((end - start) / usual) if end - start > THICK * usual else 1
        )
    ]


def evenly(span: Span, parts: int) -> list[Span]:
    """A span in equal parts, at least one; of more parts than it has pixels, some are empty."""
    start, end = span
    parts = max(1, parts)
    edges = [start + round((end - start) * n / parts) for n in range(parts + 1)]
    return list(itertools.pairwise(edges))


def extent(ink: Ink, rows: Span) -> Span:
    """From where to where these rows have ink; all of them if they have none."""
    columns = numpy.flatnonzero(ink[rows[0] : rows[1]].any(axis=0))
    return (int(columns[0]), int(columns[-1]) + 1) if columns.size else (0, ink.shape[1])


def bands(profile: NDArray[numpy.int_], count: int) -> list[Span]:
    """A table's side in so many rows or columns: parted in the widest gaps, or evenly."""
    filled = runs(profile > BRIDGED * dense(profile))
    if len(filled) < count:
        return evenly((0, len(profile)), count)
    gaps = [
        (after[0] - before[1], before[1], after[0]) for before, after in itertools.pairwise(filled)
    ]
    widest = sorted(sorted(gaps, reverse=True)[: count - 1], key=lambda gap: gap[1])
    middles = [(start + end) // 2 for _, start, end in widest]
    return list(zip([0, *middles], [*middles, len(profile)], strict=True))


def around(ink: Ink, rows: Span, columns: Span) -> tuple[Span, Span]:
    """The rows and columns within these that have ink; all of them if none has."""
    part = ink[slice(*rows), slice(*columns)]
    down, across = (numpy.flatnonzero(part.any(axis=axis)) for axis in (1, 0))
    if not down.size:
        return rows, columns
    return (
        (rows[0] + int(down[0]), rows[0] + int(down[-1]) + 1),
        (columns[0] + int(across[0]), columns[0] + int(across[-1]) + 1),
    )


def lines_filled(ems: float, width: float, height: float) -> float:
    """How many lines a text of so many ems fills in a box, if it fills it."""
    return max(1.0, math.sqrt(ems * height / (PITCH * max(width, 1e-6))))
