"""Results on their way home: which files belong to an input, and the manifest that lists them."""

import json
import os
import stat
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path, PurePosixPath
from typing import Any, TypeVar

from contract import CORRECTED, DRAWING_ENDING, LEFT, RESULT_ENDINGS, SUMMARY
from contract import DONE as DONE
from contract import MANIFEST as MANIFEST
from contract import REPORT as REPORT
from lib.console import Failure, say
from picture_files import picture_paths
from schema import NUMBER, READ_LINES, TEXT, Schema, check, named
from walk import BEYOND

T = TypeVar("T")
LARGEST_BYTES = 1 << 28  # of one result of a page: no machine must fill our disk
LARGEST_MANIFEST_BYTES = 1 << 29  # a million pages have 350 MB
HOW = {
    "sha256": str,
    "model": str,
    "settings": dict,
    "notes": list,
    "pictures": list,
    "pictures_as": str,
    "pdf_pages": int,
    "rotation": int,
    "finished_at": float,
    "cells": int,
    "reader": str,
    "reader_lines": list,
    "read_as": str,
    "forced": bool,
}
FORMS = {"reader_lines": check(READ_LINES)}  # these values go back to a machine
BROUGHT = ', "brought": {'  # begins what we add at home at the end of a line
AT_HOME: dict[str, Schema] = {  # besides what the machine has in a line
    "corrected_at": {**NUMBER, "description": "Unix time at which a person's correction came."},
    "brought": {**named(TEXT), "description": "What its files were when they came, by ending."},
}


@dataclass(frozen=True)
class Line:
    """A line of a manifest: its text, its page, and what became of the page.

    The fields from sha256 on say how the page was read; a missing or malformed value is empty.
    """

    text: str
    page: str
    input: str
    pdf_page: int | None
    status: str
    sha256: str = ""
    model: str = ""
    settings: Mapping[str, Any] = field(default_factory=dict)
    notes: list[Any] = field(default_factory=list)
    pictures: list[Any] = field(default_factory=list)
    """The names of its pictures' files, as the line has them; see picture_paths."""
    pictures_as: str = ""
    pdf_pages: int = 0
    rotation: int = 0
    finished_at: float = 0.0
    cells: int = 0
    reader: str = ""
    """The second reader that has also read it; see lib.checked."""
    reader_lines: list[Any] = field(default_factory=list)
    """What the second reader has read, to compare it with another answer."""
    read_as: str = ""
    """The machine's status for it, if the second reader made it doubtful."""
    forced: bool = False
    """Whether it was read because the user asked for all pages again."""
    brought: Mapping[str, str] = field(default_factory=dict)
    """Added at home: the hashes of its files when they came; see lib.standing."""

    @property
    def key(self) -> tuple[str, int | None]:
        """Return what distinguishes its page from all others."""
        return self.input, self.pdf_page

    @property
    def said(self) -> str:
        """Return the text of a line of OUTPUT without `brought`, which is added at home."""
        return self.text.rpartition(BROUGHT)[0] + "}" if BROUGHT in self.text else self.text

    def with_brought(self, brought: Mapping[str, str]) -> "Line":
        """Return the line, which has no `brought` yet, with these hashes of its files added."""
        if not brought or not self.text.endswith("}"):
            return self
        added = BROUGHT + json.dumps(brought)[1:] + "}"
        return replace(self, text=self.text.removesuffix("}") + added, brought=brought)

    @property
    def as_said(self) -> "Line":
        """Return the line without `brought`."""
        return replace(self, text=self.said, brought={})

    def changed(self, changes: Mapping[str, Any]) -> "Line":
        """Return the line with these changes; the rest stays, also what was added at home."""
        entry = json.loads(self.said) | changes
        text = json.dumps(entry, ensure_ascii=False).encode("utf-8", "backslashreplace").decode()
        own = {name: value for name, value in changes.items() if name in ("status", *HOW)}
        return replace(self, text=text, brought={}, **own).with_brought(self.brought)

    def files(self, images: bool) -> list[str]:
        """Return the page's result files, below the results' folder; its JSON comes first.

        A page that a person corrected needs no drawing.
        """
        if self.status not in DONE:
            return []
        drawing = [DRAWING_ENDING] if images and self.status != CORRECTED else []
        own = [self.page + end for end in (*RESULT_ENDINGS, *drawing)]
        return own + picture_paths(self.page, self.pictures)


def read_lines(manifest: str) -> list[Line]:
    """Return a manifest's lines, without torn ones. Raises Failure for paths that lead out."""
    return latest(filter(None, map(read_line, manifest.split("\n"))))


def read_manifest(folder: Path) -> tuple[list[Line], int]:
    """The lines of the manifest in a folder, and how many cannot be read. Raises Failure."""
    texts = [text for text in read_text(folder / MANIFEST).split("\n") if text.strip()]
    lines = [line for text in texts if (line := read_line(text)) is not None]
    return latest(lines), len(texts) - len(lines)


def say_damaged(folder: Path, count: int, fate: str) -> None:
    """Say how many lines of a manifest cannot be read, if any, and what becomes of their pages."""
    if count:
        path = folder / MANIFEST
        say(f"{path} is damaged: {count} of its lines cannot be read; their pages are {fate}")


def read_line(text: str) -> Line | None:
    """Read a line of a manifest; None if it is torn or has no page. Raises Failure."""
    try:
        entry = json.loads(text)
        place = (text, entry["page"], entry["input"], entry["pdf_page"], entry["status"])
        line = Line(
            *place,
            **{name: known(entry, name, kind) for name, kind in HOW.items()},
            brought=words_in(entry.get("brought")),
        )
    except (ValueError, KeyError, TypeError, RecursionError):
        return None
    if not (isinstance(line.page, str) and isinstance(line.input, str)):
        return None
    if not isinstance(line.pdf_page, int | None):
        return None
    if not is_below(line.page):
        raise Failure(f"the machine's manifest names {line.page!r}, outside of the results")
    return line


def latest(found: Iterable[Line]) -> list[Line]:
    """Keep the last line of each page, and the last one of inputs with the same result files."""
    lines: dict[tuple[str, int | None], Line] = {}
    holders: dict[str, tuple[str, int | None]] = {}  # the results' owners, by the results' path
    for line in found:
        if line.status in DONE:
            before = holders.get(line.page, line.key)
            holders[line.page] = line.key
            if before != line.key and before in lines and lines[before].page == line.page:
                del lines[before]
        lines[line.key] = line
    return list(lines.values())


def known(entry: Mapping[str, Any], name: str, kind: type[T]) -> T:
    """Return a value of a line, or an empty one if it is missing or malformed."""
    value = entry.get(name)
    if not isinstance(value, kind) or (name in FORMS and not FORMS[name](value)):
        return kind()
    return value


def words_in(value: Any) -> dict[str, str]:
    """Return the pairs of texts in a value that may be anything."""
    pairs = value.items() if isinstance(value, dict) else ()
    return {name: word for name, word in pairs if isinstance(word, str)}


def is_below(path: str) -> bool:
    """Whether a text can be a relative path, and stays below the folder that it starts from."""
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


def text_of(lines: Iterable[Line]) -> str:
    """Return the text of the manifest that has these lines."""
    return "".join(f"{line.text}\n" for line in lines)


def together(
    ours: Iterable[Line], theirs: Iterable[Line], on_the_way: Iterable[Line] = ()
) -> list[Line]:
    """Return the lines that are true of OUTPUT when the results of `theirs` have joined `ours`.

    A page that the machine has not reached keeps its old line here. So does a page with results
    that are still on the way. An older line is dropped if its result files now belong to another
    page, or if its input file now has other content or no such page.
    """
    awaited = {line.key for line in on_the_way}
    before = {line.key: line for line in ours}
    new = {line.key: line for line in theirs}
    contents: dict[str, set[str]] = defaultdict(set)  # by file, as the machine has read it
    counts: Counter[str] = Counter()
    for line in new.values():
        contents[line.input] |= {line.sha256} - {""}
        counts[line.input] = max(counts[line.input], line.pdf_pages)
    known = [
        old if line.status == LEFT and (old := before.get(key)) and old.status in DONE else line
        for key, line in new.items()
    ]
    taken = {line.page for line in known if line.status in DONE}
    rest = [
        line
        for key, line in before.items()
        if key not in new
        and line.page not in taken
        and (key in awaited or is_still_of(line, contents[line.input], counts[line.input]))
    ]
    return [*known, *rest]


def is_still_of(line: Line, contents: Collection[str], count: int) -> bool:
    """Whether a line can be of a file with this content and page count; empty or 0: not known."""
    is_there = not count or (line.pdf_page is not None and line.pdf_page < count)
    return is_there and (not contents or line.sha256 in contents)


def stands(path: Path) -> bool:
    """Whether a result file exists and has content; only Markdown may be empty."""
    try:
        status = path.stat()
    except OSError:
        return False
    return stat.S_ISREG(status.st_mode) and (status.st_size > 0 or path.suffix == ".md")


def with_not_read(summary: str, not_read: Mapping[str, int]) -> str:
    """Add to a summary which other files INPUT has: the machine never sees them.

    The count that only the machine can make (BEYOND) stays. A text that is no summary stays, too.
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


def read_summary(folder: Path) -> dict[str, Any]:
    """Return the last run's totals, as process_all_images.py wrote them; empty if it wrote none."""
    try:
        found = json.loads(read_text(folder / SUMMARY))
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def read_text(path: Path) -> str:
    """Return a file's text, or nothing if there is none; drops a UTF-8 mark that an editor set."""
    try:
        return path.read_text(encoding="utf-8-sig", errors="replace")  # it may be torn anywhere
    except FileNotFoundError:
        return ""
