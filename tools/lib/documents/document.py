"""A document: pages in their order, with what was read on them."""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from lib.pages.entries import Cell, Entry

LONGEST_NAME_BYTES = 255 - len(".finetune.jsonl.old99")


@dataclass(frozen=True)
class Page:
    """One page: what the manifest says of it, and its cells in reading order.

    Of a page that failed, or was not reached, there are no cells: entry.status and entry.reason say
    why, and every form that can says so in its place.
    """

    entry: Entry
    cells: tuple[Cell, ...]
    is_cut: bool = False
    """Whether not all that was read is here: its JSON is damaged, or gone."""


@dataclass(frozen=True)
class Document:
    """What one file of OUTPUT/documents/ is made of: a PDF's pages, a TIFF's, or a folder's."""

    path: str
    """Below OUTPUT/documents/, without an ending: 100dpi/report."""
    pages: tuple[Page, ...]

    @property
    def name(self) -> str:
        """What its files are called, without an ending."""
        return file_name(self.path)


@dataclass(frozen=True)
class Sources:
    """Where a form finds what is not in the cells."""

    results: Path
    """OUTPUT: the pages' pictures stand in it (Entry.pictures)."""
    input: Path | None = None
    """INPUT's folder; None: it was not given, or is not there."""
    password: str = field(default="", repr=False)
    """Opens PDFs that want one."""
    with_furniture: bool = False
    """Whether page headers and footers are part of the text."""


def file_name(path: str) -> str:
    """The last part of a document's path; cut, with a mark of the whole, if no ending would fit."""
    name = path.rpartition("/")[2]
    encoded = name.encode("utf-8", "surrogatepass")
    if len(encoded) <= LONGEST_NAME_BYTES:
        return name
    mark = f"~{hashlib.sha256(encoded).hexdigest()[:8]}"
    return encoded[: LONGEST_NAME_BYTES - len(mark)].decode("utf-8", "ignore") + mark


Write = Callable[[Document, Sources, Path], list[str]]
"""Writes a document in one form into a folder that is empty, in a process of its own that can be
killed: files called `<document.name>.<ending>`, and what belongs to them in
`<document.name>_files/`. Gives remarks for people: what is lost in this form, and why.
Raises OSError, ValueError.
"""
