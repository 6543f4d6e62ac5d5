#!/usr/bin/env python3
"""Read pages a second time, with the CPU preview's engines, and compare.

It needs no model server and no GPU. For each page that was not checked yet, a line of JSON goes to
--to: which page it is, and what changes in its line of the manifest. The manifest itself stays.

Example: python check_results.py --input pages --output results --to checks.jsonl
"""

import os
import sys
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import IO, NoReturn

import click
from tqdm import tqdm

from checks import check_of
from contract import (
    PASSWORD,
    PASSWORD_FILE,
    ExitCode,
    has_no_second_reading,
    password_from,
)
from results.manifest import Record, load
from saying import run as run_command
from saying import say_above_bar
from second_reading import READING_S, Opinion, Places, heard, make_second_reader
from version import version_option
from workers import bounds
from workers.interrupt import Interrupt
from workers.pool import Crash, PoolError, run

FOLDER = click.Path(exists=True, file_okay=False, path_type=Path)


@click.command(help=__doc__)
@click.option("--input", "source", type=FOLDER, required=True, help="Folder of the pages.")
@click.option("--output", type=FOLDER, required=True, help="Folder of the results.")
@click.option("--to", type=click.Path(path_type=Path), required=True, help="Where the lines go.")
@click.option("--page-timeout", default=60.0, help="CPU seconds that drawing one page may take.")
@version_option
def main(source: Path, output: Path, to: Path, page_timeout: float) -> NoReturn:
    try:
        password = password_from(os.environ.get(PASSWORD, ""), os.environ.get(PASSWORD_FILE, ""))
    except ValueError as error:
        raise click.UsageError(str(error)) from error
    waiting = [
        record
        for record in load(output).values()
        if has_no_second_reading(record) and (source / record.input).is_file()
    ]
    places = Places(source, output, page_timeout, password)
    with Interrupt() as interrupt, to.open("a", encoding="utf-8") as file:
        try:
            write_down(opinions(waiting, places, interrupt), file)
        except PoolError as error:
            raise click.ClickException(str(error)) from error
    sys.exit(ExitCode.INTERRUPTED if interrupt.signal else ExitCode.OK)


def opinions(
    waiting: list[Record], places: Places, interrupt: Interrupt
) -> Iterator[tuple[Record, Opinion]]:
    """Yield what the second reader says about each page, as it comes. Raises PoolError."""
    results = run(
        waiting,
        make_second_reader,
        (places,),
        most_at_once,
        interrupt,
        last_words=bounds.last_words(READING_S, "read"),
    )
    silent = not sys.stderr.isatty()
    watched = tqdm(results, total=len(waiting), unit="page", dynamic_ncols=True, disable=silent)
    for record, found in watched:
        yield record, Opinion(fault=found.reason) if isinstance(found, Crash) else found


def write_down(found: Iterable[tuple[Record, Opinion]], file: IO[str]) -> None:
    """Write each opinion, and report each fault: the first page by name, the others by count."""
    faults = Counter[str]()
    for record, opinion in found:
        if not opinion.fault:
            file.write(check_of(record, heard(record, opinion)))
            file.flush()
            continue
        faults[opinion.fault] += 1
        if faults[opinion.fault] == 1:
            say_above_bar(f"not checked: {record.page}: {opinion.fault}")
    for fault, count in faults.items():
        if count > 1:
            say_above_bar(f"not checked: {count - 1:,} more: {fault}")


def most_at_once() -> int:
    """Return the number of cores but one; the readers run at the lowest priority."""
    return max(1, (os.cpu_count() or 1) - 1)


if __name__ == "__main__":
    run_command(main)
