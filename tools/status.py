#!/usr/bin/env python3
"""Show the machine, its model server, and how far the pages are."""

import json
from typing import Any

import click

from lib import results
from lib.console import Failure, run, show_line, show_table
from lib.knobs import MACHINE, Knobs, verb
from lib.machines import open_machine
from lib.machines.machine import Machine


@verb(*MACHINE, help=__doc__)
@click.option("--json", "as_json", is_flag=True, help="As JSON, for scripts.")
def main(knobs: Knobs, as_json: bool) -> None:
    machine = open_machine(knobs)
    status = {**machine.status(), **page_counts(machine)}
    if as_json:
        show_line(json.dumps(status, ensure_ascii=False))
    else:
        show_table({name: value for name, value in status.items() if value != ""})


def page_counts(machine: Machine) -> dict[str, Any]:
    """How many pages have each status, from the machine's manifest; empty if it cannot be read."""
    try:
        lines = results.read_lines(machine.read_result(results.MANIFEST))
    except Failure:
        return {}
    return {
        "pages done": sum(line.status in results.DONE for line in lines),
        "pages doubtful": sum(line.status == "doubtful" for line in lines),
        "pages failed": sum(line.status == "failed" for line in lines),
        "pages left": sum(line.status == "left" for line in lines),
    }


if __name__ == "__main__":
    run(main)
