"""Small documents, of pages with a few cells, for the formats that they are written in."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from lib.documents.document import Document, Page, Sources
from lib.pages.entries import Cell, Entry
from lib.pages.values import relative

SIZE = (1000.0, 1400.0)
HEIGHT = 40  # of a cell


def entry(number: int, **values: Any) -> Entry:
    """A page of a PDF, counted from 0."""
    whole = Entry(
        line="",
        page=f"report/report_page_{number}",
        input="report.pdf",
        pdf_page=number,
        status="ok",
        reason="",
        notes=(),
        sha256=hashlib.sha256(b"report.pdf").hexdigest(),
        size=SIZE,
        rotation=0,
        tokens_in=2750,
        tokens_out=400,
        attempts=1,
        seconds=3.0,
        finished_at=1_790_000_000.0,
        model="dots.ocr",
    )
    return replace(whole, **values)


def cells(*texts: tuple[str, str]) -> tuple[Cell, ...]:
    """Cells of a category with a text, one below the other."""
    boxes = ((100, 50 + 60 * at, 900, 50 + 60 * at + HEIGHT) for at in range(len(texts)))
    return tuple(
        Cell(relative(box, SIZE), category, text)
        for box, (category, text) in zip(boxes, texts, strict=True)
    )


def document(*pages: Sequence[tuple[str, str]], path: str = "report", **values: Any) -> Document:
    """A document of pages with these cells; values are of all its pages' lines."""
    return Document(
        path,
        tuple(Page(entry(number, **values), cells(*page)) for number, page in enumerate(pages)),
    )


def written(write: Any, what: Document, folder: Path, **sources: Any) -> list[str]:
    """Write a document; what was remarked. The folder of the results is the folder's own."""
    folder.mkdir(parents=True, exist_ok=True)
    remarks = write(what, Sources(**{"results": folder.parent, **sources}), folder)
    assert isinstance(remarks, list)
    return remarks
