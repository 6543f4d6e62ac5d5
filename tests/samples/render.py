#!/usr/bin/env python3
"""Renders the pages in samples/.

They are committed, so that a first try needs nothing else. Run it again after a change of the
pages:  make samples
"""

from __future__ import annotations

import io
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import click
import pymupdf
from PIL import Image, PngImagePlugin

TESTS = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(TESTS))

from samples import english_pages, korean_pages, paper_page  # noqa: E402 - found by the line above
from samples.typesetting import A4_HEIGHT, A4_WIDTH  # noqa: E402 - so are these

SAMPLES_FOLDER = TESTS.parent / "samples"
Draw = Callable[[pymupdf.Page], None]

JPEG_QUALITY = 80
# Written into every file, because a test compares files exactly only if the version is the same.
RENDERER = f"PyMuPDF {pymupdf.__version__}"


@dataclass(frozen=True)
class Sample:
    """One file: its path below the folder, its pages, and for a picture its resolution."""

    path: str
    pages: tuple[Draw, ...]
    dpi: int = 0
    colour: bool = False


# The resolutions are below, between and above the sizes at which a page is enlarged or reduced.
SAMPLES = [
    Sample("72dpi/letter.png", (english_pages.letter,), dpi=72),
    Sample("100dpi/article.png", (english_pages.article,), dpi=100),
    Sample("100dpi/timetable.jpg", (english_pages.timetable,), dpi=100, colour=True),
    Sample("150dpi/two columns.png", (paper_page.two_columns,), dpi=150),
    Sample("korean/도서관_안내.png", (korean_pages.library_notice,), dpi=120),
    Sample("korean/workshop.png", (korean_pages.workshop,), dpi=120),
    Sample("report.pdf", (english_pages.garden_english, korean_pages.garden_korean)),
]


def draw(pages: Sequence[Draw]) -> pymupdf.Document:
    """Make a PDF document of A4 pages; its fonts have only the letters that are used."""
    document = pymupdf.open()
    for fill in pages:
        fill(document.new_page(width=A4_WIDTH, height=A4_HEIGHT))
    document.subset_fonts()
    # Without this, MuPDF would write the current time into the file.
    document.set_metadata({"title": "Sample pages", "producer": RENDERER})
    return document


def encode(sample: Sample) -> bytes:
    """The bytes of the sample's file: the same for the same versions of the libraries."""
    with draw(sample.pages) as document:
        if sample.path.endswith(".pdf"):
            return bytes(document.tobytes(garbage=4, deflate=True, no_new_id=True, use_objstms=1))
        space = pymupdf.csRGB if sample.colour else pymupdf.csGRAY
        pixmap = document[0].get_pixmap(dpi=sample.dpi, colorspace=space, alpha=False)
    mode = "RGB" if sample.colour else "L"
    picture = Image.frombytes(mode, (pixmap.width, pixmap.height), pixmap.samples)
    buffer, dpi = io.BytesIO(), (sample.dpi, sample.dpi)
    if sample.path.endswith(".jpg"):
        picture.save(
            buffer, "JPEG", quality=JPEG_QUALITY, optimize=True, dpi=dpi, comment=RENDERER.encode()
        )
    else:
        notes = PngImagePlugin.PngInfo()
        notes.add_text("Software", RENDERER)
        picture.save(buffer, "PNG", optimize=True, dpi=dpi, pnginfo=notes)
    return buffer.getvalue()


@click.command()
@click.option(
    "--out",
    type=click.Path(file_okay=False, path_type=Path),
    default=SAMPLES_FOLDER,
    show_default="samples/",
    help="Folder to write the sample pages to.",
)
def main(out: Path) -> None:
    """Render the sample pages; what is there already is replaced."""
    for sample in SAMPLES:
        target = out / sample.path
        target.parent.mkdir(parents=True, exist_ok=True)
        data = encode(sample)
        target.write_bytes(data)
        click.echo(f"{len(data) / 1024:7.1f} KiB  {target}", err=True)


if __name__ == "__main__":
    main()
