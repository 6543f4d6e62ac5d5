"""Turn a page into a record, and a record into a line, for the formats that hold data."""

import json
from collections.abc import Iterator, Mapping
from typing import Any

from lib.documents.breaks import FURNITURE
from lib.documents.document import Document, Page, Sources
from lib.pages.entries import Cell
from lib.pages.markup import plain_text
from lib.pages.values import clean

# JSON allows them in a text, but programs that read lines, as Python's splitlines, end one there.
LINE_ENDS = {ord(sign): f"\\u{ord(sign):04x}" for sign in "\x85\u2028\u2029"}


def line_of(record: Mapping[str, Any]) -> str:
    """Return a record as a line of JSON."""
    return clean(json.dumps(record, ensure_ascii=False)).translate(LINE_ENDS) + "\n"


def rows(document: Document, sources: Sources) -> Iterator[dict[str, Any]]:
    """Yield a record for each page, also for pages that were not read."""
    for number, page in enumerate(document.pages, 1):
        entry = page.entry
        yield {
            "document": document.path,
            "number": number,  # in the document, from 1
            "source": clean(entry.input),
            # in its file, also from 1; None for a picture
            "source_page": None if entry.pdf_page is None else entry.pdf_page + 1,
            "sha256": entry.sha256,
            "status": entry.status,
            "reason": entry.reason,
            "trust": entry.trust,
            "model": entry.model,
            "width": round(entry.size[0]),
            "height": round(entry.size[1]),
            "rotation": entry.rotation,
            "text": text_of(page, sources.with_furniture),
            "cells": [cell_row(cell, entry.size) for cell in page.cells],
        }


def text_of(page: Page, with_furniture: bool) -> str:
    """Return the text of a page, one line for each cell, without signs and tags."""
    texts = (
        plain_text(cell) for cell in page.cells if with_furniture or cell.category not in FURNITURE
    )
    return clean("\n".join(filter(None, texts)))


def cell_row(cell: Cell, size: tuple[float, float]) -> dict[str, Any]:
    """Return a cell in the form of dots.ocr, with its box in the page's pixels."""
    sides = (*size, *size)
    return {
        "bbox": [round(part * side) for part, side in zip(cell.box, sides, strict=True)],
        "category": cell.category,
        "text": clean(cell.text),
    }
