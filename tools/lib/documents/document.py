"""A document: pages in order, with what was read on them."""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from lib.pages.entries import Cell, Entry

LONGEST_NAME_BYTES = 255 - len(".finetune.jsonl.old99")


@dataclass(frozen=True)
class Page:
    """One page: what the manifest says about it, and its cells in reading order.

    A page that failed, or was not reached, has no cells. entry.status and entry.reason say why, and
    every format that can do so says it in the page's place.
    """

    entry: Entry
    cells: tuple[Cell, ...]
    is_cut: bool = False
    """Whether some of what was read is missing, because its JSON is damaged or gone."""


@dataclass(frozen=True)
class Document:
    """The content of one file in OUTPUT/documents/: the pages of a PDF, a TIFF or a folder."""

    path: str
    """Its path below OUTPUT/documents/, without an ending, as 100dpi/report."""
    pages: tuple[Page, ...]

    @property
    def name(self) -> str:
        """The name of its files, without an ending."""
        return file_name(self.path)


@dataclass(frozen=True)
class Sources:
    """Where a format finds what the cells do not have."""

    results: Path
    """OUTPUT: it has the pages' pictures (Entry.pictures)."""
    input: Path | None = None
    """The folder of INPUT; None if it was not given, or does not exist."""
    password: str = field(default="", repr=False)
    """Opens PDFs that need one."""
    with_furniture: bool = False
    """Whether page headers and footers are part of the text."""


def file_name(path: str) -> str:
    """Return the last part of a document's path.

    If it is so long that no ending would fit, it is cut, and a hash of the whole name is added.
    """
    name = path.rpartition("/")[2]
    encoded = name.encode("utf-8", "surrogatepass")
    if len(encoded) <= LONGEST_NAME_BYTES:
        return name
    mark = f"~{hashlib.sha256(encoded).hexdigest()[:8]}"
    return encoded[: LONGEST_NAME_BYTES - len(mark)].decode("utf-8", "ignore") + mark


Write = Callable[[Document, Sources, Path], list[str]]
"""Write a document in one format into an empty folder. It runs in its own process, which can be
killed. The files are `<document.name>.<ending>`, and what belongs to them is in
`<document.name>_files/`. Return remarks for people: what is lost in this format, and why.
Raises OSError, ValueError.
"""
