"""Find where a page has ink: the lines of a block of text, the rows and columns of a table."""

import itertools
import math
from collections.abc import Sequence

import numpy
from numpy.typing import NDArray

Span = tuple[int, int]
Box = tuple[float, float, float, float]
Ink = NDArray[numpy.bool_]

LEAST_CONTRAST = 24  # gray levels between paper and ink
FAINTEST = 4  # ink has more than 1 / FAINTEST of the darkest contrast: gray words among black ones
FAINT = 0.06  # of the ink of a dense row in a block: a row with less is between lines
SOLID = 0.75  # of a row: if more of it is ink, it is a rule, not writing
THIN = 0.4  # of the usual line's height: if less, it is an accent, or the dot of an i
THICK = 1.7  # of the usual line's height: if more, it is two or more lines that touch
PITCH = 1.25  # distance from line to line, in sizes of a letter
FEWEST, MOST = 0.5, 2.0  # the lines found must be within these factors of those expected
BRIDGED = 0.08  # of a dense row or column of a table: merged cells may cross a gap with so much ink


def ink_in(gray: NDArray[numpy.uint8], box: Box) -> Ink:
    """Return a mask of the pixels in a box that stand out from its median gray."""
    left, top, right, bottom = (round(side) for side in box)
    part = gray[max(0, top) : max(0, bottom), max(0, left) : max(0, right)].astype(numpy.int16)
    if not part.size:
        return numpy.zeros((0, 0), bool)
    apart = numpy.abs(part - numpy.int16(numpy.median(part)))
    found: Ink = apart > max(LEAST_CONTRAST, apart.max() // FAINTEST)
    return found


def without_rules(ink: Ink) -> Ink:
    """Remove rows that are mostly ink (rules, underlines), and the soft edges next to them."""
    if not ink.size:
        return ink
    solid = numpy.pad(ink.mean(axis=1) > SOLID, 1)
    found: Ink = ink & ~(solid[:-2] | solid[1:-1] | solid[2:])[:, None]
    return found


def runs(filled: NDArray[numpy.bool_]) -> list[Span]:
    """Return the (start, end) of each run of True in a row."""
    edges = numpy.flatnonzero(numpy.diff(numpy.concatenate(([0], filled.astype(numpy.int8), [0]))))
    return [(int(a), int(b)) for a, b in zip(edges[::2], edges[1::2], strict=True)]


def lines_of(ink: Ink, expected: float) -> list[Span]:
    """Return the rows of each line of writing. If the ink does not show lines, space them evenly.

    expected is the number of lines that the text would fill.
    """
    profile = ink.sum(axis=1)
    found = one_a_line(runs(profile > FAINT * dense(profile)))
    if not found or not FEWEST * expected - 1 <= len(found) <= MOST * expected + 1:
        return evenly((0, len(ink)), min(round(expected), len(ink)))
    return with_faint(found, profile > 0)


def with_faint(lines: Sequence[Span], inked: NDArray[numpy.bool_]) -> list[Span]:
    """Add to lines the rows next to them that have any ink: the tops and tails of some letters."""
    grown, last = list[Span](), 0
    for (start, end), (limit, _) in itertools.pairwise([*lines, (len(inked), len(inked))]):
        above, below = inked[last:start][::-1], inked[end:limit]
        top, last = start - full(above), end + full(below)
        grown.append((top, last))
    return grown


def full(rows: NDArray[numpy.bool_]) -> int:
    """How many rows have ink before the first one without."""
    return len(rows) if rows.all() else int(rows.argmin())


def dense(profile: NDArray[numpy.int_]) -> float:
    """Return the ink of a dense row: about nine in ten of the rows with ink have less."""
    inked = profile[profile > 0]
    return float(numpy.quantile(inked, 0.9)) if inked.size else 0.0


def one_a_line(found: Sequence[Span]) -> list[Span]:
    """Turn runs of rows with ink into lines: add accents to letters, split lines that touch."""
    if not found:
        return []
    heights = sorted(end - start for start, end in found)
    # weighted by height, because there may be many small specks
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
    """Split a span into equal parts, at least one. Some are empty if it has fewer pixels."""
    start, end = span
    parts = max(1, parts)
    edges = [start + round((end - start) * n / parts) for n in range(parts + 1)]
    return list(itertools.pairwise(edges))


def extent(ink: Ink, rows: Span) -> Span:
    """Return the columns from the first to the last ink in these rows; all if they have no ink."""
    columns = numpy.flatnonzero(ink[rows[0] : rows[1]].any(axis=0))
    return (int(columns[0]), int(columns[-1]) + 1) if columns.size else (0, ink.shape[1])


def bands(profile: NDArray[numpy.int_], count: int) -> list[Span]:
    """Split a table's side into `count` rows or columns: at the widest gaps, or else evenly."""
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
    """Shrink rows and columns to the ink in them; they stay as they are if there is no ink."""
    part = ink[slice(*rows), slice(*columns)]
    down, across = (numpy.flatnonzero(part.any(axis=axis)) for axis in (1, 0))
    if not down.size:
        return rows, columns
    return (
        (rows[0] + int(down[0]), rows[0] + int(down[-1]) + 1),
        (columns[0] + int(across[0]), columns[0] + int(across[-1]) + 1),
    )


def lines_filled(ems: float, width: float, height: float) -> float:
    """How many lines a text of `ems` ems has if it fills a box of this width and height."""
    return max(1.0, math.sqrt(ems * height / (PITCH * max(width, 1e-6))))
