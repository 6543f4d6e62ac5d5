#!/usr/bin/env python3
"""Show how good the results in OUTPUT are, compared with the truth of their pages: TRUTH=folder.

The truth is JSON in the form of the results (100dpi/page1/page1.json, or 100dpi/page1.json as if
it was next to the picture), or in OmniDocBench's. It writes OUTPUT/score.json, which make report
shows.
"""

import json
from pathlib import Path

import click

from lib import extras, files
from lib.console import Failure, note, printable, run, say, show_line
from lib.inputs import path_of
from lib.knobs import Knobs, verb
from lib.pages.entries import read_entries
from lib.pages.scores import SCORES
from lib.score.scores import score_all
from lib.score.words import as_json, remarks, tables

REQUIREMENTS = Path(__file__).parent / "lib/score/requirements.txt"


@verb("TRUTH", "OUTPUT", help=__doc__)
@click.option("--json", "as_data", is_flag=True, help="Print all figures as JSON.")
def main(knobs: Knobs, as_data: bool) -> None:
    if not knobs.truth:
        raise click.UsageError("there is no TRUTH: make score TRUTH=folder (docs/score.md)")
    output, truth = Path(knobs.output).expanduser().resolve(), path_of(knobs.truth)
    if not truth.is_dir():
        raise Failure(f"TRUTH {truth} is not a folder", "make score TRUTH=folder")
    entries = read_entries(output)
    if not entries:
        raise Failure(f"there are no results in {output}", "make download, or give their OUTPUT")
    extras.install(REQUIREMENTS, "score", "make score")
    found = score_all(output, entries, truth)
    data = json.dumps(as_json(found, truth.name), ensure_ascii=False)
    files.write_whole(output / SCORES, data + "\n")
    for line in remarks(found):
        say(f"score: {line}")
    if as_data:
        show_line(data)
        return
    for line in tables(found):
        show_line(printable(line))
    note(f"score: {output / SCORES}; make report shows it")


if __name__ == "__main__":
    run(main)
