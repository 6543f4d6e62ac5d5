"""Corrections as a report saves them: a page, which reading of it, and all its new cells.

The file may come from anybody. Entries in another form are refused, and no path in it is used.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from contract import CATEGORIES, CORRECTED, DONE
from lib.console import Failure
from lib.pages.editable import mark_of
from lib.results import Line
from schema import BOX, COUNT, NULL, TEXT, Schema, check, either, fields, list_of, one_of

FORM = "dots_ocr_corrections"
VERSION = 1
LARGEST_BYTES = 1 << 28
MOST_CELLS, LONGEST_TEXT = 10_000, 1_000_000  # cells of a page, characters of a cell

CELL = fields(
    {"bbox": BOX, "category": one_of(CATEGORIES)}, {"text": {**TEXT, "maxLength": LONGEST_TEXT}}
)
CORRECTION: Schema = fields(
    {
        "page": {**TEXT, "description": "As in the page's line of the manifest, as the next two."},
        "input": TEXT,
        "pdf_page": either(COUNT, NULL),
        "sha256": {**TEXT, "description": "Of the whole input file that was read."},
        "reading": {
            **TEXT,
            "description": "Of the page's JSON that was corrected: 16 digits of its SHA-256.",
        },
        "cells": {**list_of(CELL), "maxItems": MOST_CELLS},
    }
)
FILE: Schema = fields({FORM: one_of((VERSION,)), "pages": list_of(CORRECTION)})

is_correction = check(CORRECTION)


@dataclass(frozen=True)
class Correction:
    """A page's new cells, and the reading that was corrected."""

    page: str
    input: str
    pdf_page: int | None
    sha256: str
    reading: str
    cells: tuple[dict[str, Any], ...]

    @property
    def key(self) -> tuple[str, int | None]:
        """What identifies its page."""
        return self.input, self.pdf_page


def read_corrections(path: Path) -> tuple[list[Correction], dict[str, str]]:
    """Read the corrections in a file. Return them, and the refused entries: name -> why.

    Raises Failure.
    """
    if not path.exists():
        raise Failure(f"{path} does not exist", "save the corrections in the report, and name it")
    try:
        if not path.is_file() or path.stat().st_size > LARGEST_BYTES:
            raise Failure(f"{path} is not a file of corrections", "save them in the report")
        found = json.loads(path.read_bytes())
    except OSError as error:
        raise Failure(f"{path}: {error.strerror}") from error
    except (ValueError, RecursionError) as error:
        raise Failure(f"{path} is not JSON", "save the corrections in the report again") from error
    pages = found.get("pages") if isinstance(found, dict) else None
    if not isinstance(pages, list) or FORM not in found:
        raise Failure(f"{path} is not a file of corrections", "save them in the report")
    if found[FORM] != VERSION:
        raise Failure(f"{path} is of another version of the toolkit", "use that one")
    corrections, refused = list[Correction](), dict[str, str]()
    for number, page in enumerate(pages, 1):
        if is_correction(page) and is_writable(page):
            corrections.append(Correction(**{**page, "cells": tuple(page["cells"])}))
        else:
            name = page.get("page") if isinstance(page, dict) else None
            refused[name if isinstance(name, str) else f"page {number}"] = (
                "not in the report's form"
            )
    return corrections, refused


def is_writable(value: Any) -> bool:
    """Whether all texts in a value can be written as UTF-8: half a surrogate pair cannot."""
    try:
        json.dumps(value, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        return False
    return True


def is_applied(correction: Correction, line: Line | None, cells: Sequence[Any]) -> bool:
    """Whether a correction has been applied before; cells are the page's current ones."""
    is_so = line is not None and line.status == CORRECTED and line.sha256 == correction.sha256
    return is_so and list(cells) == list(correction.cells)


def fault_of(
    correction: Correction, line: Line | None, answer: bytes, cells: Sequence[Any], size: Any
) -> str:
    """Say why a correction cannot be applied to this page; empty if it can.

    answer is the page's current JSON, cells are the entries in it, size is [width, height].
    """
    if line is None or line.page != correction.page:
        return "OUTPUT has no such page"
    if line.status not in DONE:
        return f"the page is {line.status}: there is no answer to correct"
    if line.sha256 != correction.sha256:
        return "its file has changed since then"
    if mark_of(answer) != correction.reading and list(cells) != list(correction.cells):
        return "it was made for another reading: make report, and correct that one"
    if not all(is_on_page(cell["bbox"], size) for cell in correction.cells):
        return "a box that is not on the page"
    return ""


def is_on_page(box: Sequence[int], size: Any) -> bool:
    """Whether a box lies on a page of this [width, height], with its corners in the right order."""
    if not check(list_of(COUNT, 2))(size):
        return False
    left, top, right, bottom = box
    return bool(left <= right <= size[0] and top <= bottom <= size[1])
