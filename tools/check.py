#!/usr/bin/env python3
"""Have the CPU preview's engines read the pages in OUTPUT a second time, and compare.

Needs INPUT, and neither a machine nor a GPU; reads what was not checked since it was read. What is
read otherwise is written into OUTPUT's manifest: a page with a serious difference is doubtful then.
"""

import json
from pathlib import Path

import click

from lib.checking import check
from lib.console import note, run, say, show_line
from lib.inputs import find_inputs
from lib.knobs import Knobs, verb


@verb("INPUT", "OUTPUT", "PAGE_TIMEOUT", "PDF_PASSWORD_FILE", help=__doc__)
@click.option("--json", "as_json", is_flag=True, help="Print the totals as JSON.")
def main(knobs: Knobs, as_json: bool) -> int:
    inputs = find_inputs(knobs.input, knobs.output)
    code, totals = check(inputs, Path(knobs.output).expanduser().resolve(), knobs)
    if as_json:
        show_line(json.dumps(totals))
    (say if totals["found"] else note)(sentence(totals))  # findings are told under cron, too
    return code


def sentence(totals: dict[str, int]) -> str:
    """The totals, for people."""
    doubtful = totals["doubtful"]
    look = f"{doubtful:,} doubtful: make report shows them first" if doubtful else "none doubtful"
    return f"check: {totals['now']:,} of {totals['pages']:,} pages read a second time; {look}"


if __name__ == "__main__":
    run(main)
