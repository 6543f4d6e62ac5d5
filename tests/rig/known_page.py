"""A page with a known place for each word: as a PDF with letters, and as its picture."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pymupdf
from PIL import Image

from lib.documents.document import Document, Page
from lib.pages.entries import Cell, Entry

WIDE, HIGH = 595, 842
Box = tuple[float, float, float, float]
ENGLISH = (
    "The machine reads every page of a book and gives its text in the order in which a person "
    "would read it. Tables, formulas, captions and notes are kept apart, so that nothing is lost "
    "on the way from paper to a file that can be searched. "
)
KOREAN = (
    "기계는 책의 모든 쪽을 읽고 사람이 읽는 순서대로 글을 돌려준다. 표와 수식과 각주는 따로 "
    "보관하므로 종이에서 파일로 가는 길에 아무것도 사라지지 않는다. 찾기 쉬운 문서가 된다. "
)


@dataclass(frozen=True)
class Block:
    """A block of text, and its box in points."""

    box: Box
    text: str
    category: str = "Text"
    size: float = 10.5
    font: str = "tiro"


ARTICLE = (
    Block((60, 50, 535, 80), "# A page that is known", "Title", 20),
    Block((60, 90, 535, 190), ENGLISH * 2, size=11),
    Block((60, 205, 535, 225), "## 1. Korean", "Section-header", 14),
    Block((60, 232, 535, 330), KOREAN * 2, size=10, font="korea"),
    Block((60, 340, 287, 620), ENGLISH * 3),
    Block((308, 340, 535, 620), KOREAN * 2, font="korea"),
    Block((60, 800, 535, 815), "17", "Page-footer", 9),
)


def draw(pdf: pymupdf.Document, blocks: Sequence[Block] = ARTICLE) -> list[Cell]:
    """Add a page with these blocks; return its cells, with the boxes of what was drawn."""
    page = pdf.new_page(width=WIDE, height=HIGH)
    cells = []
    for block in blocks:
        plain = block.text.lstrip("# ")
        place = pymupdf.Rect(block.box) + pymupdf.Rect(0, 0, 0, 15)
        left = page.insert_textbox(place, plain, fontsize=block.size, fontname=block.font)
        assert left >= 0, f"too much text for its box: {plain:.40}"
        words = page.get_text("words", clip=block.box)
        drawn = pymupdf.Rect()
        for word in words:
            drawn |= pymupdf.Rect(word[:4])
        box = drawn.x0 / WIDE, drawn.y0 / HIGH, drawn.x1 / WIDE, drawn.y1 / HIGH
        cells.append(Cell(box, block.category, block.text))
    return cells


def words_in(page: pymupdf.Page) -> list[tuple[str, Box]]:
    """The words of a page in drawing order; boxes as shares of the page's sides."""
    return [
        (text, (x0 / WIDE, y0 / HIGH, x1 / WIDE, y1 / HIGH))
        for x0, y0, x1, y1, text, *_ in page.get_text("words", sort=False)
    ]


def picture_of(page: pymupdf.Page, dpi: int = 150) -> Image.Image:
    """A page's picture in gray."""
    pixmap = page.get_pixmap(dpi=dpi, colorspace=pymupdf.csGRAY, alpha=False)
    return Image.frombytes("L", (pixmap.width, pixmap.height), pixmap.samples)


def entry_of(path: Path, root: Path, pdf_page: int | None = None, **values: Any) -> Entry:
    """The manifest line of a page, for a file as it is now."""
    facts: dict[str, Any] = {
        "line": "",
        "page": f"{path.stem}/{path.stem}" + (f"_page_{pdf_page}" if pdf_page is not None else ""),
        "input": path.relative_to(root).as_posix(),
        "pdf_page": pdf_page,
        "status": "ok",
        "reason": "",
        "notes": (),
        "sha256": hashlib.sha256(path.read_bytes()).hexdigest(),
        "size": (1240.0, 1755.0),
        "rotation": 0,
        "tokens_in": 0,
        "tokens_out": 0,
        "attempts": 1,
        "seconds": 1.0,
        "finished_at": 1.0,
        "model": "dots.ocr",
    }
    return Entry(**{**facts, **values})


def document_of(*pages: tuple[Entry, Sequence[Cell]], path: str = "book") -> Document:
    """Make a document of these pages."""
    return Document(path, tuple(Page(entry, tuple(cells)) for entry, cells in pages))
