"""What a second reader has found, on its way from one manifest to another: a line of JSON a page.

A line belongs to one reading of a page. It says nothing about the next reading.
"""

import json
from collections.abc import Mapping
from typing import Any, Protocol

CHANGED = (  # the fields that it changes in the page's line of the manifest
    *("status", "read_as", "reason", "trust", "trusted_as", "doubts"),
    *("reader", "reader_lines"),
)

Changes = Mapping[str, Any]
Reading = tuple[tuple[str, int | None], str, float]


class Read(Protocol):
    """What a page's line says about when it was read."""

    @property
    def key(self) -> tuple[str, int | None]:
        """The input file, and which of its pages."""

    @property
    def sha256(self) -> str:
        """Of the whole input file."""

    @property
    def finished_at(self) -> float:
        """Unix time."""


def reading_of(read: Read) -> Reading:
    """Return what distinguishes one reading of a page from the next."""
    return read.key, read.sha256, read.finished_at


def check_of(read: Read, changes: Changes) -> str:
    """Return the line, with its newline: which page, read when, and what changes in its line."""
    (name, pdf_page), sha256, finished_at = reading_of(read)
    which = {"input": name, "pdf_page": pdf_page, "sha256": sha256, "finished_at": finished_at}
    line = json.dumps({**which, "changes": changes}, ensure_ascii=False) + "\n"
    return line.encode("utf-8", "backslashreplace").decode("utf-8")


def read_checks(text: str) -> dict[Reading, Changes]:
    """Return the changes of each reading. Torn lines are skipped."""
    found: dict[Reading, Changes] = {}
    for part in text.split("\n"):
        try:
            entry = json.loads(part)
            key, changes = (entry["input"], entry["pdf_page"]), entry["changes"]
            found[key, entry["sha256"], entry["finished_at"]] = {
                name: changes[name] for name in CHANGED if name in changes
            }
        except (ValueError, LookupError, TypeError, RecursionError):
            continue
    return found
