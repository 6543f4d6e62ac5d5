"""How a page stands, by looks at it: a model's, and at where its ink lies.

To turn a page that stands right is worse than to miss one that does not. So most pages are left
after one look. The others are looked at in parts, each as it stands and turned three times, and a
page is turned if the parts agree. The model is surer of how lines run than of which end is up: to
that lines.uprightness adds what it sees. The figures are those of tests/bench/upright.py.
"""

import math
from collections.abc import Callable, Iterator, Sequence

import numpy
from PIL import Image

from picture.lines import Lines, lines_of
from picture.upright import turned

LEAST_SIDE = 64  # pixels; on a smaller picture nothing can be told
SEEN_SIDE = 224  # pixels of the square that the model sees

# Logarithms of how likely it is, of a number of quarters.
SURE = -0.16  # six in seven: of the first look, that the page stands right
CLEAR = 2.0  # by so much ahead in the middle: that it stands right
LEAD, LEAD_IF_FEW = 0.6, 2.0  # of a turn over none, on average; of few lines
LEAD_IF_AGREED, LEAD_IF_DISPUTED = 1.3, 0.9  # of half a turn: no part is against it; two are
LEAD_IF_DOWN = 3.4  # of writing that may run down: no look leaves a doubt, which gives 3.6
LEAD_OVER_OTHERS = 0.3
TOLD = math.log(2)  # by more, the lines alone tell their feet from their heads

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
    """By how many quarters a page is to be turned that was seen so, part by part.

    standing are its lines as it is, lying those when it is turned by one quarter.
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
    """How many parts are for each number of quarters."""
    bests = [best(scores) for scores in seen]
    return [bests.count(quarters) for quarters in range(4)]


def leads_of(quarters: int, sums: Sequence[float], upright: Sequence[float]) -> list[float]:
    """How far a turn is ahead of the others, on average: over its opposite with what lines tell."""
    leads = [(sums[quarters] - each) / PARTS for each in sums]
    leads[(quarters + 2) % 4] += upright[quarters]
    return leads


def best(scores: Sequence[float]) -> int:
    """The place of the largest."""
    return max(range(len(scores)), key=scores.__getitem__)


def look(part: Image.Image, ask: Ask) -> list[float]:
    """How likely each number of quarters is, by a part as it stands and turned three times."""
    seen = [ask(turned(part, 90 * before)) for before in range(4)]
    return [sum(seen[before][n - before] for before in range(4)) / 4 for n in range(4)]


def parts(gray: Image.Image) -> Iterator[Image.Image]:
    """What is looked at: the middle, the whole, and where there is most to see."""
    yield middle(gray)
    quarter, third = busiest(gray, 1 / 4), busiest(gray, 1 / 3)
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


def lead_wanted(quarters: int, standing: int, lying: int, against: int) -> float:
    """By how much a turn has to lead over none, by how many lines run across the page as it is and
    across it on its side, and by how many parts are against the turn. Writing that runs down stays
    as it is: its letters stand in rows, which look like more lines than its columns. So does a page
    on its side with few words. What parts them is how sure the model is.
    """
    if (lying if quarters % 2 else standing) < FEW_LINES:
        return LEAD_IF_AGREED if quarters == 2 and not against else LEAD_IF_FEW
    if quarters % 2 and standing >= RUNS_DOWN * lying:
        return LEAD_IF_DOWN
    return LEAD_IF_DISPUTED if quarters == 2 and against > 1 else LEAD
