#!/usr/bin/env python3
"""Show how many pixels a page needs: read a sample of INPUT in several ways, and compare them.

It starts the machine, and stops it at the end. OUTPUT's results and config.env do not change. It
writes OUTPUT/tune.html.
"""

import dataclasses
import json
from collections.abc import Callable, Sequence

import click

from lib.alone import alone_in
from lib.console import ExitCode, Failure, note, printable, run, say, show_line
from lib.home import make_output
from lib.inputs import end_of_nothing, find_inputs
from lib.knobs import MACHINE, TABLE, Knobs, as_environment, check_workers, verb
from lib.machines import open_machine
from lib.machines.ours import TRIAL_VARIABLE
from lib.plan.budget import within_budget
from lib.steps import Steps, exit_code
from lib.tune import page, planning
from lib.tune.judging import Reading, left_out, read
from lib.tune.reading import missing, read_sample, refusal
from lib.tune.sample import Sample, draw
from lib.tune.timing import times_of
from lib.tune.truth import scorer
from lib.tune.variants import LADDER, Variant, folder_of, variants_for
from lib.tune.verdict import verdict
from lib.tune.words import Told, all_lines, as_json

WHAT = ("SAMPLE", "TRUTH", "MAX_PIXELS", "UPSAMPLE_BELOW", "PAGES", "PROMPT_MODE", "BUDGET")


def steps_in(context: click.Context, parameter: click.Parameter, given: str) -> tuple[int, ...]:
    """Read numbers of pixels, separated by commas. Each must be a valid MAX_PIXELS."""
    kind = TABLE["MAX_PIXELS"].metadata["kind"]
    return tuple(kind.convert(text, parameter, context) for text in given.split(","))


@verb("INPUT", "OUTPUT", *WHAT, *MACHINE, help=__doc__)
@click.option(
    "--ladder",
    envvar="LADDER",
    default=",".join(map(str, LADDER)),
    callback=steps_in,
    help="The values of MAX_PIXELS to try, separated by commas; your own is tried, too.",
)
@click.option("--json", "as_data", is_flag=True, help="Print all figures as JSON.")
def main(knobs: Knobs, ladder: tuple[int, ...], as_data: bool) -> int:
    check_workers(dataclasses.replace(knobs, workers=0, doubtful=False))
    errors_of = scorer(knobs)
    inputs = find_inputs(knobs.input, knobs.output)
    if not inputs.files:
        what, end = end_of_nothing(inputs)
        say(f"make tune: {what}")
        return end
    make_output(knobs, ())
    folder_of(knobs).mkdir(exist_ok=True)
    with alone_in(folder_of(knobs)):
        sample = draw(inputs, knobs)
        for line in sample.left_out:
            say(f"make tune: {line}")
        steps_down, other = variants_for(knobs, ladder)
        code = read_all(sample, [*steps_down, other], knobs)
        if code in (ExitCode.OK, ExitCode.PAGES_FAILED):
            code = max(code, show(sample, steps_down, other, knobs, errors_of, as_data))
    return code


def read_all(sample: Sample, variants: Sequence[Variant], knobs: Knobs) -> int:
    """Read the sample in those of these ways that are missing, and turn the machine off."""
    asked = [variant for variant in variants if not refusal(knobs, variant).exists()]
    to_read = missing(sample.inputs, asked, knobs)
    if not to_read:
        return ExitCode.OK
    plan = planning.plan_of(sample, to_read, knobs)
    if plan.refusal:
        raise click.UsageError(f"{plan.refusal}: nothing is rented")
    note(f"make tune: {planning.line(plan, sample, len(to_read))}")
    alone = dataclasses.replace(knobs, workers=0)
    machine = open_machine(alone)
    steps = Steps("make tune", {**as_environment(knobs), TRIAL_VARIABLE: "1"})
    steps.with_machine(
        machine,
        lambda on_s: within_budget(alone, on_s).max_hours,
        lambda: read_sample(steps, sample.inputs, to_read, knobs),
    )
    steps.alarm(machine)
    return exit_code(steps.codes)


def show(
    sample: Sample,
    ladder: Sequence[Variant],
    other: Variant,
    knobs: Knobs,
    errors_of: Callable[[Reading], float | None],
    as_data: bool,
) -> ExitCode:
    """Compare the readings that are on this computer, and show the result."""
    refused = [variant for variant in ladder if refusal(knobs, variant).exists()]
    for variant in refused:
        say(
            f"make tune: {variant.max_pixels:,} is left out: the server did not take it"
            f" (to ask again, delete {refusal(knobs, variant)})"
        )
    asked = [variant for variant in (*ladder, other) if variant not in refused]
    readings = [read(knobs, variant, sample.files) for variant in asked]
    why = left_out(readings)
    for variant, reason in why.items():
        say(f"make tune: {variant} is left out: {reason}")
    whole = [reading for reading in readings if reading.variant not in why]
    steps_down = [reading for reading in whole if reading.variant != other]
    if not steps_down:
        raise Failure(
            "the sample could not be read with any setting",
            "fix what is said above; make tune goes on",
        )
    names = {name: sample.files[e.input] for name, e in whole[0].side.pages.items()}
    twin = next((reading for reading in whole if reading.variant == other), None)
    times = times_of(whole, knobs)
    found = verdict(steps_down, twin, knobs, times, sample.whole, errors_of)
    model = next((entry.model for entry in steps_down[0].entries), "")
    told = Told(found, knobs, times, sample.whole.pages, names, model)
    data = as_json(told)
    path = page.write(knobs, steps_down, sample.root, data)
    if as_data:
        show_line(json.dumps({"report": str(path), **data}, ensure_ascii=False))
    else:
        for line in all_lines(told):
            show_line(printable(line))
    note(f"report: {path}")
    has_failed = any(reading.failed for reading in whole)
    is_whole = len(whole) == len(readings) and not has_failed
    return ExitCode.OK if is_whole else ExitCode.PAGES_FAILED


if __name__ == "__main__":
    run(main)
