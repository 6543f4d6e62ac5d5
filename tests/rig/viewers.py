"""What other programs find in a PDF: poppler, and PDFium, which Chromium uses."""

from __future__ import annotations

import html
import re
import subprocess
from pathlib import Path

import numpy
import pymupdf
import pypdfium2
from numpy.typing import NDArray

from rig.pages import PDF_PASSWORD
from rig.programs import needed

Box = tuple[float, float, float, float]
Words = list[tuple[str, Box]]

PAGE = re.compile(r'<page width="(.*?)" height="(.*?)">(.*?)</page>', re.DOTALL)
WORD = re.compile(r'<word xMin="(.*?)" yMin="(.*?)" xMax="(.*?)" yMax="(.*?)">(.*?)</word>')


def poppler(path: Path, *options: str, original: Path | None = None) -> str:
    """The text that pdftotext finds in a PDF. It may complain only about what the original has."""
    needed("pdftotext", "poppler-utils")
    text, complaint = pdftotext(path, *options)
    assert complaint == (pdftotext(original)[1] if original else "")
    return text


def pdftotext(path: Path, *options: str) -> tuple[str, str]:
    """The text of a PDF, and the complaints about it."""
    command = ["pdftotext", *options, str(path), "-"]
    done = subprocess.run(command, capture_output=True, check=False, timeout=60)
    complaint = done.stderr.decode("utf-8").replace("no word list\n", "")  # a page without text
    return done.stdout.decode("utf-8"), complaint


def words_by_poppler(path: Path, *options: str, original: Path | None = None) -> list[Words]:
    """The words of each page in the order of its operators, as shares of the page's sides."""
    words = list[Words]()
    said = poppler(path, "-bbox", "-raw", "-cropbox", *options, original=original)
    for index, (wide, high, found) in enumerate(PAGE.findall(said)):
        x, y = float(wide), float(high)  # sides of the page before its rotation
        if rotation_of(path, index) in (90, 270):
            x, y = y, x
        words.append(
            [
                (html.unescape(text), (float(a) / x, float(b) / y, float(c) / x, float(d) / y))
                for a, b, c, d, text in WORD.findall(found)
            ]
        )
    return words


def rotation_of(path: Path, page: int) -> int:
    """The angle by which a page is turned before it is shown."""
    with pymupdf.open(path) as document:
        if document.needs_pass:
            assert document.authenticate(PDF_PASSWORD)
        return int(document[page].rotation)


def found_by_pdfium(path: Path, text: str, page: int = 0, password: str | None = None) -> int:
    """How often Chromium's search finds a text on a page."""
    with pypdfium2.PdfDocument(path, password=password) as document:
        layer = document[page].get_textpage()
        searcher = layer.search(text, match_case=False)
        return sum(1 for _ in iter(searcher.get_next, None))


def drawn_by_pdfium(path: Path, page: int = 0, password: str | None = None) -> NDArray[numpy.uint8]:
    """A page's pixels, as Chromium draws it."""
    with pypdfium2.PdfDocument(path, password=password) as document:
        found: NDArray[numpy.uint8] = document[page].render(scale=1.5).to_numpy().copy()
        return found
