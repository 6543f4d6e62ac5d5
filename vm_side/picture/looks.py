"""How a page stands, by looks at it: a model's, and at where its ink lies.

To turn a page that stands right is worse than to miss one that does not. So most pages are left
after one look. The others are looked at in parts, each as it stands and turned three times, and a
page is turned if the parts agree. The figures are those of tests/bench/upright.py.
"""

import math
from collections.abc import Callable, Iterator, Sequence

import numpy
from numpy.typing import NDArray
from PIL import Image, ImageFilter

from picture.upright import turned

LEAST_SIDE = 64  # pixels; on a smaller picture nothing can be told
SEEN_SIDE = 224  # pixels of the square that the model sees

# Logarithms of how likely it is, of a number of quarters.
SURE = -0.16  # six in seven: of the first look, that the page stands right
CLEAR = 2.0  # by so much ahead in the middle: that it stands right
LEAD, LEAD_IF_FEW = 0.6, 2.0  # of a turn over none, on average; of few lines
LEAD_IF_AGREED, LEAD_IF_DISPUTED = 1.3, 0.9  # of half a turn: no part is against it; two are
LEAD_OVER_OTHERS = 0.3

PARTS, VOTES, VETO = 6, 4, 3  # votes for a turn; votes for none that end it
FEW_LINES = 20  # pieces; where there are less, Hangul upside down can pass for upright
RUNS_DOWN = 1.7  # times as many pieces across as along: columns of letters

Ask = Callable[[Image.Image], Sequence[float]]
"""orientation.ask: how likely each number of quarters clockwise sets a picture upright."""


def degrees_to_upright(page: Image.Image, ask: Ask) -> int:
    """By how many degrees clockwise a page is to be turned; 0, too, if that is not sure."""
    if min(page.size) < LEAST_SIDE or ask(middle(page))[0] >= SURE:
        return 0
    gray = page.convert("L")
    sums, votes = [0.0] * 4, [0] * 4
    for part in parts(gray):
        seen = look(part, ask)
        votes[best(seen)] += 1
        is_clear = sum(votes) == 1 and seen[0] - max(seen[1:]) >= CLEAR
        if is_clear or votes[0] == VETO:
            return 0
        sums = [before + now for before, now in zip(sums, seen, strict=True)]
    quarters = best(sums)
    if quarters == 0 or votes[quarters] < VOTES:
        return 0
    wanted = [LEAD_OVER_OTHERS] * 4
    wanted[0] = lead_wanted(gray, quarters, against=votes[0])
    leads = [(sums[quarters] - each) / PARTS for each in sums]
    is_sure = all(leads[other] >= wanted[other] for other in range(4) if other != quarters)
    return 90 * quarters if is_sure else 0


def best(scores: Sequence[float]) -> int:
    """The place of the largest."""
    return max(range(len(scores)), key=scores.__getitem__)


def look(part: Image.Image, ask: Ask) -> list[float]:
    """How likely each number of quarters is, by a part as it stands and turned three times."""
    seen = [ask(turned(part, 90 * before)) for before in range(4)]
    return [sum(seen[before][n - before] for before in range(4)) / 4 for n in range(4)]


def parts(gray: Image.Image) -> Iterator[Image.Image]:
    """What is looked at: the middle, the whole, and where there is most to see."""
    quarter, third = busiest(gray, 1 / 4), busiest(gray, 1 / 3)
    yield middle(gray)
    yield seen_at(gray, quarter[0])
    yield seen_at(gray, third[0])
    yield seen_at(gray, (0, 0, *gray.size))
    yield seen_at(gray, quarter[1])
    yield seen_at(gray, third[1])


def middle(page: Image.Image) -> Image.Image:
    """The square in the middle, as the model was trained on."""
    side = min(page.size) * 7 / 8
    left, top = (page.width - side) / 2, (page.height - side) / 2
    return seen_at(page, (left, top, left + side, top + side))


def seen_at(page: Image.Image, box: tuple[float, float, float, float]) -> Image.Image:
    """A part of a page as the model sees it."""
    size = (SEEN_SIDE, SEEN_SIDE)
    return page.resize(size, Image.Resampling.BICUBIC, box, reducing_gap=1).convert("L")


def busiest(gray: Image.Image, share: float) -> list[tuple[float, float, float, float]]:
    """Two squares in which the light changes most; their side is a share of the short side."""
    step = max(1, min(gray.size) // 160)
    light = numpy.asarray(gray.reduce(step), numpy.float32)
    across, down = abs(numpy.diff(light, axis=1))[:-1], abs(numpy.diff(light, axis=0))[:, :-1]
    change = numpy.minimum(across + down, 60)
    side = int(share * min(change.shape))
    boxes = []
    for _ in range(2):
        sums = numpy.pad(change.cumsum(0).cumsum(1), ((1, 0), (1, 0)))
        inside = (
            sums[side:, side:] - sums[:-side, side:] - sums[side:, :-side] + sums[:-side, :-side]
        )
        top, left = divmod(int(inside.argmax()), inside.shape[1])
        boxes.append((left * step, top * step, (left + side) * step, (top + side) * step))
        change[top : top + side, left : left + side] = 0
    return boxes


def lead_wanted(gray: Image.Image, quarters: int, against: int) -> float:
    """By how much a turn has to lead over none, by the lines that it would set upright, and by how
    many parts are against it. Writing that runs down is never turned: its letters stand in rows,
    which look like more lines than its columns.
    """
    lines = pieces_of_lines(turned(gray, 90 * quarters))
    if lines < FEW_LINES:
        return LEAD_IF_AGREED if quarters == 2 and not against else LEAD_IF_FEW
    if quarters != 2 and pieces_of_lines(gray) >= RUNS_DOWN * lines:
        return math.inf
    return LEAD_IF_DISPUTED if quarters == 2 and against > 1 else LEAD


def pieces_of_lines(gray: Image.Image) -> int:
    """How much writing runs across a page: pieces of ink with room above and below.

    The page is cut into columns, since over all of it a line that is a little askew has no room.
    """
    page = gray.reduce(max(1, round(min(gray.size) / 700)))
    ink = ink_of(page)
    high, wide = ink.shape
    columns, count = 5, 0
    for column in range(columns):
        strip = ink[:, column * (wide // columns) : (column + 1) * (wide // columns)]
        is_row = strip.sum(1) >= max(2, 0.03 * strip.shape[1])
        edges = numpy.flatnonzero(numpy.diff(numpy.pad(is_row.astype(numpy.int8), 1)))
        for top, bottom in zip(edges[::2], edges[1::2], strict=True):
            if 6 <= bottom - top <= 0.12 * high:
                row = strip[top:bottom]
                filled = numpy.flatnonzero(row.any(0))
                row = row[:, filled[0] : filled[-1] + 1]
                count += row.shape[1] >= 2 * row.shape[0] and 0.05 < row.mean() < 0.6
    return int(count)


def ink_of(page: Image.Image) -> NDArray[numpy.bool_]:
    """Where the page differs from what is around, be it darker or lighter."""
    light = numpy.asarray(page, numpy.float32)
    ground = page.reduce(max(1, min(16, min(page.size) // 8)))
    ground = ground.filter(ImageFilter.MedianFilter(5))
    ground = ground.resize(page.size, Image.Resampling.BILINEAR)
    difference = abs(light - numpy.asarray(ground, numpy.float32))
    found: NDArray[numpy.bool_] = difference > max(
        25.0, 0.4 * float(numpy.percentile(difference, 99.5))
    )
    return found
