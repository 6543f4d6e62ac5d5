#!/usr/bin/env python3
"""Measure make export: seconds, and the memory of its largest process, for each format.

The same pages as one PDF and as pictures of their own; made, made again with nothing new, and with
one page changed.
"""

import json
import os
import random
import subprocess
import sys
import tempfile
import time
from hashlib import sha256
from pathlib import Path

import click
import pymupdf

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / name) for name in ("tests", "tools", "vm_side")]

from lib.documents.registry import FORMATS  # noqa: E402 - found by the line above
from rig.author import make_document  # noqa: E402 - so is this
from rig.page_layout import HEIGHT, WIDTH  # noqa: E402 - so is this
from rig.result_sets import Cells, ResultSet  # noqa: E402 - so is this

Figures = tuple[float, float, float, int]  # seconds, CPU-s, MiB, how many documents were made


@click.command(help=__doc__)
@click.option("--pages", default=1000, show_default=True)
@click.option("--formats", default=",".join(FORMATS), show_default=True)
def main(pages: int, formats: str) -> None:
    cells = make_document(random.Random(1), pages).pages[:pages]
    with tempfile.TemporaryDirectory() as folder:
        sources = Path(folder, "in")
        digest = draw(sources, pages)
        click.echo(f"{pages:,} pages: s, CPU-s, MiB, documents; again; with one page changed")
        for name in formats.split(","):
            for is_pdf in (True, False):
                output = Path(folder, f"{name}{is_pdf}")
                write_results(output, cells, is_pdf, digest)
                show(f"{name} {'as one' if is_pdf else 'each'}", measure(output, sources, name))


def draw(folder: Path, pages: int) -> str:
    """Draw a PDF with a text on each of its pages, and a single page; return the PDF's SHA-256."""
    folder.mkdir()
    with pymupdf.open() as document:
        for number in range(pages):
            page = document.new_page(width=595, height=842)
            page.insert_text((60, 60), f"page {number}")
        document.save(folder / "book.pdf")
        document[0].get_pixmap(dpi=100).save(folder / "page.png")
    return sha256((folder / "book.pdf").read_bytes()).hexdigest()


def write_results(output: Path, pages: list[Cells], is_pdf: bool, digest: str) -> None:
    """Write the results of these pages."""
    results = ResultSet(output)
    for number, cells in enumerate(pages):
        size = [WIDTH, HEIGHT]
        if is_pdf:
            values = {"page": f"book/book_page_{number}", "pdf_page": number, "sha256": digest}
            results.add("book.pdf", cells, original_size=size, **values)
        else:
            results.add(f"scans/page{number}.png", cells, original_size=size)
    results.finish()


def measure(output: Path, sources: Path, name: str) -> list[Figures]:
    """Measure the first run, a run with nothing new, and a run with another first page."""
    found = [export(output, sources, name), export(output, sources, name)]
    page = next(output.rglob("book_page_0.json"), None) or next(output.rglob("page0.json"))
    cells = json.loads(page.read_text(encoding="utf-8"))
    page.write_text(json.dumps(cells[:-1]), encoding="utf-8")
    return [*found, export(output, sources, name)]


def export(output: Path, sources: Path, name: str) -> Figures:
    """Run the verb as people do."""
    options = ["--formats", name, "--output", str(output), "--input", str(sources), "--json"]
    started = time.perf_counter()
    with subprocess.Popen(
        [sys.executable, str(ROOT / "tools/export.py"), *options],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env={**os.environ, "CONFIG": os.devnull},
    ) as process:
        assert process.stdout
        said = json.loads(process.stdout.read())
        _, _, usage = os.wait4(process.pid, 0)
        process.returncode = 0
    assert not said["failed"], said["failed"]
    cpu_s = usage.ru_utime + usage.ru_stime  # includes its child processes
    return time.perf_counter() - started, cpu_s, usage.ru_maxrss / 1024, len(said["made"])


def show(name: str, figures: list[Figures]) -> None:
    """Print a row of the table."""
    parts = (f"{s:>6.1f} {cpu:>6.1f} {mib:>5,.0f} {made:>5,}" for s, cpu, mib, made in figures)
    click.echo(f"{name:<18}{'    '.join(parts)}")


if __name__ == "__main__":
    main()
