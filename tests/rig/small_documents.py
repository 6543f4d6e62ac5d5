"""Small documents, with a few cells on each page, for tests of the document formats."""

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
HEIGHT = 40  # height of a cell


def entry(number: int, **values: Any) -> Entry:
    """The manifest line of a page of a PDF; pages count from 0."""
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
    """Cells from pairs of category and text, one below the other."""
    boxes = ((100, 50 + 60 * at, 900, 50 + 60 * at + HEIGHT) for at in range(len(texts)))
    return tuple(
        Cell(relative(box, SIZE), category, text)
        for box, (category, text) in zip(boxes, texts, strict=True)
    )


def document(*pages: Sequence[tuple[str, str]], path: str = "report", **values: Any) -> Document:
    """A document with these cells on its pages; `values` apply to the lines of all pages."""
    return Document(
        path,
        tuple(Page(entry(number, **values), cells(*page)) for number, page in enumerate(pages)),
    )


def written(write: Any, what: Document, folder: Path, **sources: Any) -> list[str]:
    """Write a document into `folder` and return the remarks. The results are in its parent."""
    folder.mkdir(parents=True, exist_ok=True)
    remarks = write(what, Sources(**{"results": folder.parent, **sources}), folder)
    assert isinstance(remarks, list)
    return remarks
