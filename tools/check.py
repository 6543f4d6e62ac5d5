#!/usr/bin/env python3
"""Read the pages in OUTPUT a second time, with the CPU preview's engines, and compare.

It needs INPUT, but neither a machine nor a GPU. It reads the pages that were not checked since
they were read. Differences are written into OUTPUT's manifest: a page with a serious one becomes
doubtful.
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
