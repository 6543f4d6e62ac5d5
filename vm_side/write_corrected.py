#!/usr/bin/env python3
"""Write the files of pages with cells that a person has corrected. It needs no model server.

Each line of --from is a page: {"input": …, "pdf_page": …, "cells": […]}. Its files go below --to,
with the names that they have in --output, where nothing changes. For each page a line of JSON goes
to --told: which page it is, its files, what its line says of its pictures, and why it could not be
written, if so.

Example: python write_corrected.py --output results --from cells.jsonl --to new --told told.jsonl
"""

import json
import os
import sys
from pathlib import Path
from typing import NoReturn

import click

from contract import PASSWORD, PASSWORD_FILE, ExitCode, password_from
from corrected_page import Job, Places, Written, make_writer
from picture_files import PICTURE_FORMS
from results.files import write_files
from results.manifest import load
from saying import run as run_command
from version import version_option
from workers import bounds
from workers.interrupt import Interrupt
from workers.pool import Crash, PoolError, run

FOLDER = click.Path(exists=True, file_okay=False, path_type=Path)
FILE = click.Path(exists=True, dir_okay=False, path_type=Path)


@click.command(help=__doc__)
@click.option("--input", "source", type=FOLDER, help="Folder of the pages.")
@click.option("--output", type=FOLDER, required=True, help="Folder of the results.")
@click.option("--from", "cells", type=FILE, required=True, help="The pages, and their cells.")
@click.option("--to", type=FOLDER, required=True, help="Where their files go.")
@click.option("--told", type=click.Path(path_type=Path), required=True, help="What became of each.")
@click.option(
    "--pictures",
    default=PICTURE_FORMS[0],
    type=click.Choice(PICTURE_FORMS),
    help="The form of pictures for a page that had none.",
)
@click.option("--page-timeout", default=60.0, help="CPU seconds that one page may take.")
@version_option
def main(
    source: Path | None,
    output: Path,
    cells: Path,
    to: Path,
    told: Path,
    pictures: str,
    page_timeout: float,
) -> NoReturn:
    try:
        password = password_from(os.environ.get(PASSWORD, ""), os.environ.get(PASSWORD_FILE, ""))
    except ValueError as error:
        raise click.UsageError(str(error)) from error
    jobs = jobs_in(cells.read_text(encoding="utf-8"), output)
    places = Places(source, output, page_timeout, pictures, password)
    with Interrupt() as interrupt, told.open("a", encoding="utf-8") as file:
        try:
            words = bounds.last_words(page_timeout)
            results = run(jobs, make_writer, (places,), at_once, interrupt, last_words=words)
            for job, found in results:
                result = Written(fault=found.reason) if isinstance(found, Crash) else found
                if not result.fault:
                    write_files(to, result.files)
                file.write(line_of(job, result) + "\n")
                file.flush()
        except PoolError as error:
            raise click.ClickException(str(error)) from error
    sys.exit(ExitCode.INTERRUPTED if interrupt.signal else ExitCode.OK)


def jobs_in(text: str, output: Path) -> list[Job]:
    """Return the pages to write that are in the manifest of the results."""
    records = load(output)
    jobs = []
    for line in filter(None, text.split("\n")):
        entry = json.loads(line)
        record = records.get((entry["input"], entry["pdf_page"]))
        if record is not None:
            jobs.append(Job(record, tuple(entry["cells"])))
    return jobs


def line_of(job: Job, result: Written) -> str:
    """Return the line of JSON that says which page it is, and what became of it."""
    which = {"input": job.record.input, "pdf_page": job.record.pdf_page}
    what = {"files": list(result.files), "pictures": result.pictures, "fault": result.fault}
    return json.dumps({**which, **what})


def at_once() -> int:
    """Return how many processes may run at once: the number of cores."""
    return os.cpu_count() or 1


if __name__ == "__main__":
    run_command(main)
