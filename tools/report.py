#!/usr/bin/env python3
"""Make OUTPUT/report.html, to look at the results. It opens from disk: no server, no network.

If you give INPUT, it also shows pictures of the pages; only new ones are made.
"""

import json
from pathlib import Path

import click

from lib.console import note, run, say, show_line
from lib.inputs import folder_of
from lib.knobs import Knobs, pdf_password, verb
from lib.pages.entries import MEND
from lib.report.build import build
from lib.report.totals import rows, totals

NAMED = 10  # so many pages are listed by name; of the others, only their number is shown


@verb("INPUT", "OUTPUT", "PAGE_TIMEOUT", "PDF_PASSWORD_FILE", help=__doc__)
@click.option("--json", "as_json", is_flag=True, help="Print the totals as JSON.")
def main(knobs: Knobs, as_json: bool) -> None:
    output = Path(knobs.output).expanduser().resolve()
    source = folder_of(knobs.input, "report: new pages are shown without their picture")
    built = build(output, source, knobs.page_timeout, pdf_password(knobs))
    if built is None:
        note(f"report: {output} has no pages yet: nothing to show")
        return
    for page, why in list(built.lost.items())[:NAMED]:
        say(f"report: {page}: {why}")
    if len(built.lost) > NAMED:
        say(f"report: {len(built.lost) - NAMED} more pages of which cells are lost")
    if built.lost:
        say(f"  → {MEND}")
    found = totals(built.entries, built.summary)
    if as_json:
        show_line(json.dumps({"report": str(built.path), **found}, ensure_ascii=False))
        return
    for name, value in rows(found).items():
        note(f"  {name:<12} {value}")
    note(f"report: {built.path}")


if __name__ == "__main__":
    run(main)
