#!/usr/bin/env python3
"""Make documents of the results, in OUTPUT/documents/: one for each PDF or picture, in all FORMATS.

It takes seconds, and needs only OUTPUT. INPUT is needed if a format shows the pages themselves.
Only what changed is made again; your own changes in the documents are kept.
"""

import json
from pathlib import Path

import click

from lib import closed
from lib.console import ExitCode, Failure, note, run, say, show_line
from lib.documents.document import Sources
from lib.documents.gathering import FOLDER, gather
from lib.documents.keeping import Kept, opened
from lib.documents.making import Outcome, doubtful_in, make_all
from lib.documents.registry import wanted_now
from lib.inputs import folder_of
from lib.knobs import EXPORTING, Knobs, pdf_password, verb
from lib.pages.entries import read_entries
from lib.results import MANIFEST

NAMED = 10  # so many documents are listed by name; if there are more, only their number is shown


@verb("INPUT", "OUTPUT", "FORMATS", *EXPORTING, "PDF_PASSWORD_FILE", help=__doc__)
@click.option("--json", "as_json", is_flag=True, help="Print what was made as JSON.")
def main(knobs: Knobs, as_json: bool) -> int:
    formats = wanted_now(knobs)
    password = pdf_password(knobs)
    output = Path(knobs.output).expanduser().resolve()
    if not (output / MANIFEST).is_file():
        raise Failure(f"there are no results in {output}", "make download, or give their OUTPUT")
    entries = read_entries(output)
    if not entries:
        note(f"export: {output} has no pages yet: nothing to make a document of")
        return ExitCode.OK
    closed.as_closed_as(output / MANIFEST)
    source = folder_of(knobs.input, "export: the pages themselves cannot be shown")
    documents, unnamed = gather(entries, knobs.documents)
    sources = Sources(output, source, password, knobs.page_headers)
    with opened(output / FOLDER) as (kept, making):
        outcome = make_all(documents, formats, sources, kept, making)
        outcome.faults |= unnamed
        kept.drop_others({document.path for document in documents})
        missing = {made.document: made.missing for made in kept.all_made() if made.missing}
    doubtful = doubtful_in(documents)
    if as_json:
        show_line(json.dumps(as_data(kept, outcome, missing, doubtful), ensure_ascii=False))
    tell(kept, outcome, missing, doubtful)
    return ExitCode.PAGES_FAILED if outcome.faults else ExitCode.OK


def as_data(
    kept: Kept, outcome: Outcome, missing: dict[str, int], doubtful: dict[str, int]
) -> dict[str, object]:
    """What was done, as data for a program."""
    return {
        "documents": str(kept.folder),
        "made": [
            {"document": made.document, "format": made.format, "files": sorted(made.files)}
            for made in outcome.made
        ],
        "unchanged": outcome.unchanged,
        "missing_pages": missing,
        "doubtful_pages": doubtful,
        "remarks": outcome.remarks,
        "removed": kept.removed,
        "kept": [*kept.set_aside, *kept.left],
        "failed": outcome.faults,
    }


def tell(kept: Kept, outcome: Outcome, missing: dict[str, int], doubtful: dict[str, int]) -> None:
    """Say what was done. say() is for what a person should look at: it prints under cron, too."""
    for name, reason in outcome.faults.items():
        say(f"export: {name}: {reason}")
    if kept.set_aside:
        say(
            f"export: kept next to what is new: {some(kept.set_aside)}"
            " (changed by hand, or not ours)"
        )
    if kept.left:
        say(f"export: kept as changed by hand, though their pages are gone: {some(kept.left)}")
    if missing:
        count = sum(missing.values())
        say(
            f"export: {count} pages are missing in {some(list(missing))}, or parts of them:"
            " failed, not reached, or damaged"
        )
    if doubtful:
        count = sum(doubtful.values())  # only a note: the run that read them said so, too
        note(f"  {count} pages are doubtful in {some(list(doubtful))}: make report shows where")
    for remark, documents in outcome.remarks.items():
        note(f"  {remark} ({some(documents)})")
    named = [min(made.files, key=len) for made in outcome.made if made.files]
    if len(named) <= NAMED:
        for name in named:
            note(f"  {kept.folder / name}")
    removed = f", {len(kept.removed)} files removed whose pages are gone" if kept.removed else ""
    note(
        f"export: {len(named)} documents made, {outcome.unchanged} unchanged{removed}:"
        f" {kept.folder}"
    )


def some(names: list[str]) -> str:
    """The first of these names, and the number of the others."""
    more = f" and {len(names) - 1} more" if len(names) > 1 else ""
    return f"{names[0]}{more}"


if __name__ == "__main__":
    run(main)
