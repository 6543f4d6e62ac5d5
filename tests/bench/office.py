#!/usr/bin/env python3
"""Open docx and xlsx of many pages in LibreOffice, and compare what it finds in them.

It needs LibreOffice, which is too large for make test: apt-get install --no-install-recommends
libreoffice-writer libreoffice-calc libreoffice-math poppler-utils
"""

import csv
import random
import shutil
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

import click

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / name) for name in ("tests", "tools", "vm_side")]

from lib.documents.document import Document, Page, Sources  # noqa: E402 - found by the line above
from lib.documents.flow import MISSING, PAGE, blocks_of  # noqa: E402 - so is this
from lib.documents.formats import docx, xlsx  # noqa: E402 - so is this
from lib.documents.named_tables import tables_of  # noqa: E402 - so is this
from lib.documents.office.xml_text import xml_text  # noqa: E402 - so is this
from lib.pages.entries import Cell, read_cells, read_entries  # noqa: E402 - so is this
from lib.pages.markup import FORMULAS, plain_text  # noqa: E402 - so is this
from rig.hostile import PAYLOADS  # noqa: E402 - so is this
from rig.result_sets import ResultSet, cell, page_of_a_book  # noqa: E402 - so is this

EACH_SHEET = "csv:Text - txt - csv (StarCalc):44,34,76,1,,0,false,true,false,false,false,-1"
COMPLAINTS = ("error", "could not", "failed to load", "corrupt")


@click.command(help=__doc__)
@click.option("--pages", default=100, show_default=True)
def main(pages: int) -> None:
    if shutil.which("soffice") is None:
        raise click.ClickException("LibreOffice is not installed")
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        document = made_up(folder / "results", pages)
        for module in (docx, xlsx):
            module.write(document, Sources(folder / "results"), folder)
        converted(folder, "book.docx", "pdf")
        converted(folder, "book.xlsx", EACH_SHEET)
        faults = [*lost_words(document, folder), *other_tables(document, folder)]
    for fault in faults:
        click.echo(fault)
    click.echo(f"{len(faults)} faults")
    sys.exit(bool(faults))


def made_up(results: Path, pages: int) -> Document:
    """A book that includes a page of hostile tables."""
    chance, found = random.Random(1), ResultSet(results)
    hostile = [cell("Table", f"<table><tr><td>{text}<td>=1+1", (9, 9, 99, 99)) for text in PAYLOADS]
    for number in range(pages):
        cells = hostile if number == 1 else page_of_a_book(chance)
        found.add("book.pdf", cells, page=f"book/book_page_{number}", pdf_page=number)
    entries = read_entries(found.finish())
    return Document("book", tuple(Page(e, tuple(read_cells(results, e))) for e in entries))


def converted(folder: Path, name: str, form: str) -> None:
    """Let LibreOffice convert a file into another form; it must not complain."""
    began = time.monotonic()
    profile = f"-env:UserInstallation=file://{folder}/profile"
    command = ["soffice", profile, "--headless", "--convert-to", form, "--outdir", str(folder)]
    done = subprocess.run(
        [*command, str(folder / name)], capture_output=True, text=True, timeout=600, check=True
    )
    said = f"{done.stdout}{done.stderr}"
    click.echo(f"{name}: {time.monotonic() - began:.1f} s")
    if any(word in said.lower() for word in COMPLAINTS):
        raise click.ClickException(said)


def lost_words(document: Document, folder: Path) -> list[str]:
    """Words of the document that are missing in the PDF that was made from its docx."""
    pdf = str(folder / "book.pdf")
    text = subprocess.run(["pdftotext", pdf, "-"], capture_output=True, text=True, check=True)
    there = Counter(text.stdout.split())
    wanted = Counter[str]()
    for block in blocks_of(document):
        if block.kind not in (PAGE, MISSING, "Formula", "Picture") and block.page != 1:
            shown = plain_text(Cell((0, 0, 0, 0), block.kind, FORMULAS.sub(" ", block.text)))
            wanted.update(shown.split())
    return [f"docx: {count} × {word!r} is lost" for word, count in (wanted - there).items()]


def other_tables(document: Document, folder: Path) -> list[str]:
    """Tables that differ in the xlsx, as LibreOffice reads it."""
    faults = []
    for table in tables_of(document):
        with (folder / f"book-{table.name}.csv").open(encoding="utf-8", newline="") as file:
            rows = list(csv.reader(file))
        if rows != [list(map(xml_text, row)) for row in table.grid.texts()]:
            faults.append(f"xlsx: {table.name} is {rows!r:.200}")
    return faults


if __name__ == "__main__":
    main()
