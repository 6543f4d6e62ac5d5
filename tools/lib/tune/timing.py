"""Seconds of a page in each way of reading: measured where a run was long enough, else computed."""

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

LEAST = 9  # pages of a run between its beginning and its end; of fewer no rate is told
PARTS = 3


@dataclass(frozen=True)
class Times:
    """Seconds of a page by way of reading. card: by whose arithmetic; None: they were measured."""

    page_s: Mapping[Variant, float]
    card: Card | None


def times_of(readings: Sequence[Reading], knobs: Knobs) -> Times:
    """Of all ways the same kind: what is measured is not put beside what is computed."""
    measured = {reading.variant: measured_s(reading) for reading in readings}
    if all(measured.values()):
        return Times({variant: s for variant, s in measured.items() if s}, None)
    card = (card_of(knobs.machine_type) if knobs.target == "gcp" else None) or CARDS[0]
    return Times({reading.variant: computed_s(reading, card) for reading in readings}, card)


def measured_s(reading: Reading) -> float | None:
    """By the times at which its pages were done."""
    summary = read_summary(reading.side.root)
    run = summary.get("run")
    in_flight = number(run.get("pages_in_flight")) if isinstance(run, dict) else 0.0
    return steady_s([entry.finished_at for entry in reading.entries], in_flight)


def steady_s(finished: Sequence[float], in_flight: float) -> float | None:
    """Seconds of a page between a run's beginning and its end, when fewer are in flight.

    The median of some parts, of which one may have a pause; None: too little is between.
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
    """By the tokens of pictures and answers, on a card that always has enough pages."""
    entries = reading.entries
    if not entries:
        return 0.0
    tokens = statistics.fmean(entry.tokens_out for entry in entries) or 1.0
    pixels = statistics.fmean(math.prod(entry.model_size) for entry in entries)
    many = 100 * card.slots
    seconds = [card.seconds(pages, tokens, round(pixels)) for pages in (many, 2 * many)]
    return (seconds[1] - seconds[0]) / many
