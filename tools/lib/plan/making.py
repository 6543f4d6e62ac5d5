"""The plan of a run, and what the run then took. That is the basis of the next plan."""

import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from lib.console import printable, say
from lib.inputs import Inputs
from lib.knobs import Knobs
from lib.plan.forecast import basis_of, forecast, own_way, ways
from lib.plan.left import look
from lib.plan.runs import Run, is_sound, last_of_kind, place_of
from lib.plan.words import Plan, duration, usd


def plan_for(inputs: Inputs, knobs: Knobs, force: bool) -> Plan:
    """What it takes to read these files, according to what is in OUTPUT."""
    left = look(inputs, knobs, force)
    basis = basis_of(last_of_kind(Path(knobs.output).expanduser(), knobs), knobs)
    found = (forecast(basis, left, knobs, way) for way in ways(knobs))
    own = forecast(basis, left, knobs, own_way(knobs))
    return Plan(left, basis, own, [one for one in found if one], knobs)


def remember(plan: Plan, summary: Mapping[str, Any], steps_s: Mapping[str, float]) -> None:
    """Write down how fast a finished run was, according to its summary."""
    run = run_of(plan, summary, steps_s, time.time())
    if run is None:
        return
    try:
        run.write(Path(plan.knobs.output).expanduser())
    except OSError as error:
        say(f"make all: its time and cost were not saved for make plan: {error.strerror}")


def run_of(
    plan: Plan, summary: Mapping[str, Any], steps_s: Mapping[str, float], now: float
) -> Run | None:
    """The run to write down; None if the summary has no page that was read."""
    knobs = plan.knobs
    try:
        done = summary["run"]
        pages, seconds = int(done["pages"]), float(done["seconds"])
        tokens = float(done["tokens_out"]) / pages
        model, settings = printable(str(summary["model"])), dict(summary["settings"])
    except (LookupError, TypeError, ValueError, ArithmeticError):
        return None
    run = Run(
        target=knobs.target,
        place=place_of(knobs),
        bucket=knobs.target == "gcp" and bool(knobs.bucket),
        machines=1 + knobs.workers,
        model=model,
        settings=settings,
        pages=pages,
        tokens=round(tokens, 1),
        size_bytes=plan.left.size_bytes,
        reading_s=seconds,
        ended_at=round(now),
        steps_s={step: round(took_s, 1) for step, took_s in steps_s.items()},
    )
    return run if is_sound(run) else None


def took(plan: Plan, seconds: float, has_started: bool = True, before: float | None = None) -> str:
    """For people: how long the machines were on and what they cost, and what the plan had said.

    has_started: whether the start succeeded; if not, nobody knows since when the VM was on, and
    the numbers are upper limits. before: since when (Unix time) the VM was on before this run;
    what it cost until the run began is not counted.
    """
    knobs, hours = plan.knobs, seconds / 3600
    way = own_way(knobs)
    who, most = "the VM was", "" if has_started else "at most "
    longest = most
    if knobs.workers:  # they came later and left earlier
        who, most = f"the VM and its {knobs.workers} workers were", "at most "
    said = ""
    if before is not None:
        since = time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(before))
        said = f"; it was on before us, since {since}"
    if plan.own is not None:
        said += f"; planned: {duration(plan.own.hours)}, {usd(plan.own.cost.machines)}"
    money = usd(hours * way.per_hour)
    return f"{who} on for {longest}{duration(hours)}: {most}{money}, and the disk{said}"
