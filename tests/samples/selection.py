#!/usr/bin/env python3
"""Draws docs/searchable.png: text that is selected in a searchable PDF of a sample, in Chromium.

Run it again after a change of how text is laid:  python tests/samples/selection.py
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

import click
import pymupdf

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / part) for part in ("vm_side", "tools", "tests")]

from lib.documents.document import Sources  # noqa: E402 - found by the line above
from lib.documents.formats import pdf  # noqa: E402 - so is this
from lib.pages.entries import Cell  # noqa: E402 - so is this
from rig.known_page import document_of, entry_of  # noqa: E402 - so is this
from rig.pdf_viewer import open_viewer  # noqa: E402 - so is this
from samples.korean_pages import workshop  # noqa: E402 - so is this
from samples.typesetting import A4_HEIGHT, A4_WIDTH  # noqa: E402 - so is this

SAMPLE, PICTURE = "korean/workshop.png", ROOT / "docs" / "searchable.png"
FROM, TO = (0.16, 0.205), (0.72, 0.315)  # start and end of the mouse's way, as shares of the page
PART = (0.03, 0.05, 0.97, 0.4)  # part of the page that the picture shows
COLOURS = 24


def cells() -> list[Cell]:
    """The cells of the sample: its blocks, as the model would give them."""
    with pymupdf.open() as book:
        page = book.new_page(width=A4_WIDTH, height=A4_HEIGHT)
        workshop(page)
        return [
            Cell((x0 / A4_WIDTH, y0 / A4_HEIGHT, x1 / A4_WIDTH, y1 / A4_HEIGHT), "Text", text)
            for x0, y0, x1, y1, text, *_ in page.get_text("blocks")
        ]


@click.command(help=__doc__)
def main() -> None:
    samples = ROOT / "samples"
    with tempfile.TemporaryDirectory() as folder:
        document = document_of((entry_of(samples / SAMPLE, samples), cells()))
        pdf.write(document, Sources(Path(folder), samples), Path(folder))
        with open_viewer(Path(folder, "book.pdf"), 900, 1270) as viewer:
            viewer.drag(FROM, TO)
            picture = viewer.picture()
    left, top, right, bottom = PART
    wide, high = picture.size
    part = picture.crop((int(left * wide), int(top * high), int(right * wide), int(bottom * high)))
    part.quantize(COLOURS).save(PICTURE, optimize=True)
    click.echo(f"{PICTURE.stat().st_size / 1024:.1f} KiB  {PICTURE}", err=True)


if __name__ == "__main__":
    main()
