"""Results on their way home: which files belong to this input, and the manifest they end in."""

import json
import os
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any, TypeVar

from contract import DONE as DONE
from contract import DRAWING_ENDING, RESULT_ENDINGS, is_still_of
from contract import MANIFEST as MANIFEST
from lib.console import Failure
from walk import BEYOND

T = TypeVar("T")
REPORT = "report.html"
LARGEST_BYTES = 1 << 28  # of one result of a page: nobody must fill our disk
LARGEST_MANIFEST_BYTES = 1 << 29  # a million pages have 350 MB
HOW = {"sha256": str, "model": str, "settings": dict, "pdf_pages": int, "finished_at": float}


@dataclass(frozen=True)
class Line:
    """A line of a manifest: its text, the page it is of, and what became of the page.

    From sha256 on, how it was read, as far as the line says that in a form that we know.
    """

    text: str
    page: str
    input: str
    pdf_page: int | None
    status: str
    sha256: str = ""
    model: str = ""
    settings: Mapping[str, Any] = field(default_factory=dict)
    pdf_pages: int = 0
    finished_at: float = 0.0

    def files(self, images: bool) -> list[str]:
        """The result files of the page, below the results."""
        if self.status not in DONE:
            return []
        return [self.page + end for end in (*RESULT_ENDINGS, *([DRAWING_ENDING] if images else []))]


def read_lines(manifest: str) -> list[Line]:
    """The lines of a manifest; torn ones are no lines. Raises Failure for paths that lead out."""
    lines: dict[tuple[str, int | None], Line] = {}
    for text in manifest.split("\n"):
        try:
            entry = json.loads(text)
            place = (text, entry["page"], entry["input"], entry["pdf_page"], entry["status"])
            line = Line(*place, **{name: known(entry, name, kind) for name, kind in HOW.items()})
        except (ValueError, KeyError, TypeError, RecursionError):
            continue
        if not (isinstance(line.page, str) and isinstance(line.input, str)):
            continue
        if not isinstance(line.pdf_page, int | None):
            continue
        if not is_below(line.page):
            raise Failure(f"the machine's manifest names {line.page!r}, outside of the results")
        lines[line.input, line.pdf_page] = line
    return list(lines.values())


def known(entry: Mapping[str, Any], name: str, kind: type[T]) -> T:
    """A value of a line's, or an empty one if it is not there or of another type."""
    value = entry.get(name)
    return value if isinstance(value, kind) else kind()


def is_below(path: str) -> bool:
    """Whether a relative path stays below the folder it is taken from, and can be one."""
    try:
        os.fsencode(path)
    except UnicodeEncodeError:
        return False
    parts = PurePosixPath(path).parts
    is_relative = bool(parts) and not PurePosixPath(path).is_absolute()
    return is_relative and ".." not in parts and "\0" not in path


def of_inputs(lines: Iterable[Line], files: Collection[str] | None) -> list[Line]:
    """The lines of pages in these input files; None stands for all."""
    return [line for line in lines if files is None or line.input in files]


def merged(ours: Iterable[Line], theirs: Iterable[Line]) -> str:
    """A manifest of `theirs` and, behind them, what `ours` has of other pages.

    An older line whose result files are now another page's, or whose page its file no longer has,
    is no longer true.
    """
    new = {(line.input, line.pdf_page): line for line in theirs}
    taken = {line.page for line in new.values()}
    files = {line.input: (line.pdf_pages, line.sha256) for line in new.values()}
    old = [
        line
        for line in ours
        if (line.input, line.pdf_page) not in new
        and line.page not in taken
        and (line.input not in files or is_still_of(line, *files[line.input]))
    ]
    return "".join(f"{line.text}\n" for line in (*new.values(), *old))


def with_not_read(summary: str, not_read: Mapping[str, int]) -> str:
    """A summary that says what INPUT has beside its pages: the machine never sees that.

    What the machine alone can count stays. A text that is no summary is left as it is.
    """
    try:
        found = json.loads(summary)
    except (ValueError, RecursionError):
        return summary
    if not isinstance(found, dict):
        return summary
    theirs = found.get("not_read")
    beyond = theirs.get(BEYOND) if isinstance(theirs, dict) else None
    ours = dict(not_read) | ({BEYOND: beyond} if beyond else {})
    if ours == theirs:
        return summary
    return json.dumps(found | {"not_read": ours}, ensure_ascii=False, indent=2) + "\n"


def read_text(path: Path) -> str:
    """A file's text, or nothing if there is no such file."""
    try:
        return path.read_text(encoding="utf-8", errors="replace")  # a line may be torn anywhere
    except FileNotFoundError:
        return ""
