#!/usr/bin/env python3
"""Show what make all would take: pages, hours, USD. It needs no machine.

The hours come from the last run of this kind in OUTPUT, or else from the table of cards in
docs/costs.md. The manifest in OUTPUT tells which pages are done.
"""

import json

import click

from lib.console import ExitCode, run, say, show_line, show_table
from lib.inputs import end_of_nothing, find_inputs
from lib.knobs import MACHINE, Knobs, verb
from lib.plan.making import plan_for

READING = ("MAX_PIXELS", "UPSAMPLE_BELOW", "ROTATE", "PROMPT_MODE", "MODEL", "PAGES", "DOUBTFUL")
MONEY = ("PRICE_PER_HOUR", "PRICE_PER_WORKER_HOUR", "DISK_GB", "SPOT", "BUDGET")


@verb("INPUT", "OUTPUT", *READING, *MONEY, *MACHINE, help=__doc__)
@click.option("--force", is_flag=True, help="As if all pages were to be read again.")
@click.option("--json", "as_json", is_flag=True, help="As JSON, for scripts.")
def main(knobs: Knobs, force: bool, as_json: bool) -> int:
    inputs = find_inputs(knobs.input, knobs.output)
    if not inputs.files:
        what, end = end_of_nothing(inputs)
        say(f"plan: {what}")
        return end
    plan = plan_for(inputs, knobs, force)
    if as_json:
        show_line(json.dumps(plan.document(), ensure_ascii=False))
    else:
        show_table(list(plan.rows()))
    if inputs.others:
        say(f"plan: {inputs.others}")
    return ExitCode.OK


if __name__ == "__main__":
    run(main)
