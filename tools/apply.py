#!/usr/bin/env python3
"""Write corrections that you saved in the report into OUTPUT: a page's files, and its status.

The corrections are in files that you give, or in CORRECTIONS=file (several with : between them).
With INPUT, pictures are cut out of the pages again. Without it a picture can be kept or made
smaller, but not moved. The old files are kept next to the new ones, as name.old.
"""

import json
from collections.abc import Sequence
from pathlib import Path

import click

from lib.console import ExitCode, Failure, note, run, say, show_line
from lib.corrections.applying import Applied, apply
from lib.corrections.file import Correction, read_corrections
from lib.inputs import folder_of
from lib.knobs import Knobs, verb

PATH = click.Path(path_type=Path)


@verb("INPUT", "OUTPUT", "PICTURES", "PAGE_TIMEOUT", "PDF_PASSWORD_FILE", help=__doc__)
@click.argument("corrections", envvar="CORRECTIONS", nargs=-1, required=True, type=PATH)
@click.option("--json", "as_json", is_flag=True, help="Print the totals as JSON.")
def main(knobs: Knobs, corrections: Sequence[Path], as_json: bool) -> int:
    found, refused, is_whole = list[Correction](), dict[str, str](), True
    for path in corrections:
        try:
            pages, others = read_corrections(path.expanduser())
        except Failure as error:
            say(f"apply: {error.format_message()}")
            is_whole = False
            continue
        found += pages
        refused |= others
    if not is_whole and not found:
        return ExitCode.FAILED
    source = folder_of(knobs.input, "apply: no picture can be moved")
    applied = apply(found, Path(knobs.output).expanduser().resolve(), source, knobs)
    applied.refused = {**refused, **applied.refused}
    tell(applied, as_json)
    if not is_whole:
        return ExitCode.FAILED
    return ExitCode.PAGES_FAILED if applied.refused else ExitCode.OK


def tell(applied: Applied, as_json: bool) -> None:
    """Say which corrections were applied, and which were refused."""
    for page, reason in applied.refused.items():
        say(f"apply: refused: {page}: {reason}")
    if as_json:
        totals = {"new": applied.new, "known": applied.known, "refused": applied.refused}
        show_line(json.dumps(totals, ensure_ascii=False))
    known = f", {applied.known:,} were known" if applied.known else ""
    note(f"apply: {applied.new:,} pages corrected{known}; make report shows them")


if __name__ == "__main__":
    run(main)
