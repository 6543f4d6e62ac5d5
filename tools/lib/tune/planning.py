"""What it will take to read the sample. This is said before anything is rented."""

import dataclasses
from collections.abc import Sequence
from pathlib import Path

from lib.knobs import Knobs
from lib.plan.forecast import Forecast, basis_of, own_way
from lib.plan.left import Left
from lib.plan.prices import Cost
from lib.plan.runs import last_of_kind
from lib.plan.words import UNKNOWN, Plan, duration, usd
from lib.tune.sample import Sample
from lib.tune.variants import Variant


def plan_of(sample: Sample, variants: Sequence[Variant], knobs: Knobs) -> Plan:
    """Plan to read it in these ways, on one machine. The small cost of the disk is left out."""
    alone = dataclasses.replace(knobs, workers=0)
    way, count = own_way(alone), len(sample.files)
    basis = basis_of(last_of_kind(Path(knobs.output).expanduser(), knobs), alone)
    seconds = [basis.reading_s(count, 1, variant.max_pixels) for variant in variants]
    own = None
    if None not in seconds:
        hours = (basis.start_s + sum(filter(None, seconds))) / 3600
        own = Forecast(way, hours, Cost(hours * way.per_hour))
    return Plan(Left(count * len(variants)), basis, own, [], alone)


def line(plan: Plan, sample: Sample, ways: int) -> str:
    """The plan in one line, for people."""
    what = f"{len(sample.files):,} of {sample.whole.pages:,} pages, read in {ways} ways"
    if plan.own is None:
        return f"{what}; hours and USD: {UNKNOWN}"
    money = f", {usd(plan.own.cost.total)}" if plan.own.way.per_hour else ""
    return f"{what}: about {duration(plan.own.hours)}{money} (by {plan.basis.says})"
