"""Seconds a page in each way of reading: measured if the runs were long enough, else computed."""

import itertools
import math
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from lib.knobs import Knobs
from lib.pages.values import number
from lib.plan.cards import CARDS, Card, card_of
from lib.results import read_summary
from lib.tune.judging import Reading
from lib.tune.variants import Variant

LEAST = 9  # pages of a run between its beginning and its end; fewer give no rate
PARTS = 3


@dataclass(frozen=True)
class Times:
    """Seconds a page, by way of reading. card: the one they are computed for; None: measured."""

    page_s: Mapping[Variant, float]
    card: Card | None


def times_of(readings: Sequence[Reading], knobs: Knobs) -> Times:
    """Measured for all ways, or computed for all: the two are never mixed in one comparison."""
    measured = {reading.variant: measured_s(reading) for reading in readings}
    if all(measured.values()):
        return Times({variant: s for variant, s in measured.items() if s}, None)
    card = (card_of(knobs.machine_type) if knobs.target == "gcp" else None) or CARDS[0]
    return Times({reading.variant: computed_s(reading, card) for reading in readings}, card)


def measured_s(reading: Reading) -> float | None:
    """Seconds a page, from the times at which the pages were done; None if the run is too short."""
    summary = read_summary(reading.side.root)
    run = summary.get("run")
    in_flight = number(run.get("pages_in_flight")) if isinstance(run, dict) else 0.0
    return steady_s([entry.finished_at for entry in reading.entries], in_flight)


def steady_s(finished: Sequence[float], in_flight: float) -> float | None:
    """Seconds a page in the middle of a run. At its beginning and end, fewer pages are in flight.

    The median of PARTS parts, because one part may have a pause. None if the middle is too short.
    """
    edge = math.ceil(in_flight)
    middle = sorted(finished)[edge : len(finished) - edge]
    if len(middle) < max(LEAST, in_flight) or not in_flight:
        return None
    steps = [later - earlier for earlier, later in itertools.pairwise(middle)]
    size = math.ceil(len(steps) / PARTS)
    parts = [steps[start : start + size] for start in range(0, len(steps), size)]
    return statistics.median(sum(part) / len(part) for part in parts) or None


def computed_s(reading: Reading, card: Card) -> float:
    """Seconds a page, by the tokens of pictures and answers, on a card that is always busy."""
    entries = reading.entries
    if not entries:
        return 0.0
    tokens = statistics.fmean(entry.tokens_out for entry in entries) or 1.0
    pixels = statistics.fmean(math.prod(entry.model_size) for entry in entries)
    many = 100 * card.slots
    seconds = [card.seconds(pages, tokens, round(pixels)) for pages in (many, 2 * many)]
    return (seconds[1] - seconds[0]) / many
