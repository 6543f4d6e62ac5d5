"""Find how a page is turned: by a model that looks at it, and by where its ink is.

Turning a page that is upright is worse than missing one that is not. So most pages are left alone
after one look. For the others the model looks at several parts, each as it is and turned three
times, and the page is turned if the parts agree. The model is better at seeing how lines run than
which end is up; lines.uprightness helps with that. The figures come from tests/bench/upright.py.
"""

import math
from collections.abc import Callable, Iterator, Sequence

import numpy
from PIL import Image

from picture.lines import Lines, lines_of
from picture.upright import turned

LEAST_SIDE = 64  # pixels; nothing can be seen on a smaller picture
SEEN_SIDE = 224  # pixels of the square that the model sees

# Logarithms of probabilities, or differences of them.
SURE = -0.16  # six in seven: the first look alone says that the page is upright
CLEAR = 2.0  # lead of "upright" in the middle part that is enough
LEAD, LEAD_IF_FEW = 0.6, 2.0  # that a turn needs over none, on average; if there are few lines
LEAD_IF_AGREED, LEAD_IF_DISPUTED = 1.3, 0.9  # for a half turn: no part is against it; two are
LEAD_IF_DOWN = 3.4  # if the writing may run down; looks without any doubt give 3.6
LEAD_OVER_OTHERS = 0.3
TOLD = math.log(2)  # beyond this, the lines alone tell which way up they are

PARTS, VOTES, VETO = 6, 4, 3  # votes that a turn needs; votes for no turn that end the search
FEW_LINES = 20  # pieces; with fewer, Hangul upside down can look upright
RUNS_DOWN = 1.7  # times as many pieces across as along: the letters stand in columns

Ask = Callable[[Image.Image], Sequence[float]]
"""orientation.ask: how likely each number of quarter turns sets a picture upright."""


def degrees_to_upright(page: Image.Image, ask: Ask) -> int:
    """Return by how many degrees clockwise to turn a page; 0 also if that is not sure."""
    if min(page.size) < LEAST_SIDE or ask(middle(page))[0] >= SURE:
        return 0
    gray = page.convert("L")
    looks = (look(part, ask) for part in parts(gray))
    seen = [next(looks)]
    if seen[0][0] - max(seen[0][1:]) >= CLEAR:
        return 0
    standing = lines_of(gray)
    if standing.upright > TOLD and best(seen[0]) in (0, 2):
        return 0
    for each in looks:
        seen.append(each)
        if votes_of(seen)[0] == VETO and standing.upright >= -TOLD:
            return 0
    return 90 * quarters_wanted(seen, standing, lines_of(turned(gray, 90)))


def quarters_wanted(seen: Sequence[Sequence[float]], standing: Lines, lying: Lines) -> int:
    """Return by how many quarters to turn a page; seen has what the model said of each part.

    standing are the lines of the page as it is, lying those of the page turned by one quarter.
    """
    sums, votes = [sum(scores) for scores in zip(*seen, strict=True)], votes_of(seen)
    upright = (standing.upright, lying.upright, -standing.upright, -lying.upright)
    quarters = best(sums)
    leads = leads_of(quarters, sums, upright)
    opposite = (quarters + 2) % 4
    if leads[opposite] < 0:
        quarters, opposite = opposite, quarters
        leads = leads_of(quarters, sums, upright)
    agreed = votes[quarters] + votes[opposite] * (upright[quarters] > TOLD)
    if quarters == 0 or agreed < VOTES:
        return 0
    wanted = [LEAD_OVER_OTHERS] * 4
    wanted[0] = lead_wanted(quarters, standing.count, lying.count, against=votes[0])
    is_sure = all(leads[other] >= wanted[other] for other in range(4) if other != quarters)
    return quarters if is_sure else 0


def votes_of(seen: Sequence[Sequence[float]]) -> list[int]:
    """Count the parts that vote for each number of quarters."""
    bests = [best(scores) for scores in seen]
    return [bests.count(quarters) for quarters in range(4)]


def leads_of(quarters: int, sums: Sequence[float], upright: Sequence[float]) -> list[float]:
    """Return a turn's average lead over each turn; the lines add to its lead over the opposite."""
    leads = [(sums[quarters] - each) / PARTS for each in sums]
    leads[(quarters + 2) % 4] += upright[quarters]
    return leads


def best(scores: Sequence[float]) -> int:
    """Return the index of the largest score."""
    return max(range(len(scores)), key=scores.__getitem__)


def look(part: Image.Image, ask: Ask) -> list[float]:
    """Return how likely each number of quarters is: average over a part in all four turns."""
    seen = [ask(turned(part, 90 * before)) for before in range(4)]
    return [sum(seen[before][n - before] for before in range(4)) / 4 for n in range(4)]


def parts(gray: Image.Image) -> Iterator[Image.Image]:
    """Yield the parts to look at: the middle, the whole, and where there is most to see."""
    yield middle(gray)
    quarter, third = busiest(gray, 1 / 4), busiest(gray, 1 / 3)
    yield seen_at(gray, quarter[0])
    yield seen_at(gray, third[0])
    yield seen_at(gray, (0, 0, *gray.size))
    yield seen_at(gray, quarter[1])
    yield seen_at(gray, third[1])


def middle(page: Image.Image) -> Image.Image:
    """Return the square in the middle; the model was trained on such squares."""
    side = min(page.size) * 7 / 8
    left, top = (page.width - side) / 2, (page.height - side) / 2
    return seen_at(page, (left, top, left + side, top + side))


def seen_at(page: Image.Image, box: tuple[float, float, float, float]) -> Image.Image:
    """Resize a part of a page to the square that the model sees."""
    size = (SEEN_SIDE, SEEN_SIDE)
    return page.resize(size, Image.Resampling.BICUBIC, box, reducing_gap=1).convert("L")


def busiest(gray: Image.Image, share: float) -> list[tuple[float, float, float, float]]:
    """Find the two squares in which the light changes most; side = share * short side."""
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


def lead_wanted(quarters: int, standing: int, lying: int, against: int) -> float:
    """Return the lead that a turn needs over no turn.

    It depends on how many lines run across the page as it is (standing) and turned by one quarter
    (lying), and how many parts are against the turn. Writing that runs down must stay as it is. Its
    letters form rows that look like more lines than its columns. A page on its side with few words
    looks the same; only how sure the model is tells them apart.
    """
    if (lying if quarters % 2 else standing) < FEW_LINES:
        return LEAD_IF_AGREED if quarters == 2 and not against else LEAD_IF_FEW
    if quarters % 2 and standing >= RUNS_DOWN * lying:
        return LEAD_IF_DOWN
    return LEAD_IF_DISPUTED if quarters == 2 and against > 1 else LEAD
