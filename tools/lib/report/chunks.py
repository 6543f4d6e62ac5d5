"""The pages as data for the report, in chunks. A chunk is made again only if something changed."""

import hashlib
import json
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import astuple, dataclass
from pathlib import Path
from typing import Any

from contract import CATEGORIES, DOUBT_KINDS
from lib import files, results
from lib.pages import doubts, editable, entries, markup, values
from lib.pages.doubts import Doubt
from lib.pages.editable import mark_of
from lib.pages.entries import Entry, cells_path, read_answer, read_cells, what_is_lost
from lib.pages.markup import cell_html, plain_text
from lib.pages.values import clean
from lib.pool import TEXT_CPU_S, each
from lib.report.scripts import remove_above, write_script

PAGES_PER_CHUNK = 50
STATE = "state.json"
SNIPPET = 110
DATA, TEXT, CELLS = KINDS = ("data", "text", "cells")


@dataclass(frozen=True)
class Digest:
    """What the list shows of a page's cells: how many of each category, and how the text begins.

    reading identifies this answer: another reading of the page has another value. It is empty if
    there is no answer. lost says why cells of the page are missing; empty if none are.
    """

    counts: tuple[int, ...]
    snippet: str
    reading: str = ""
    lost: str = ""


@dataclass(frozen=True)
class Chunk:
    """Some pages that follow each other, and where their data goes."""

    number: int
    entries: tuple[Entry, ...]
    output: Path
    folder: Path

    def __str__(self) -> str:
        return f"{len(self.entries):,} pages from {self.entries[0].page} on"


def write_chunks(entries: Sequence[Entry], output: Path, folder: Path) -> tuple[list[Digest], int]:
    """Write N.js of each kind for all pages. Return (digests of the pages, count of new chunks)."""
    state = read_state(folder)
    keys = []
    digests: dict[int, list[Digest]] = {}
    stale = []
    for number, start in enumerate(range(0, len(entries), PAGES_PER_CHUNK)):
        chunk = Chunk(number, tuple(entries[start : start + PAGES_PER_CHUNK]), output, folder)
        keys.append(key_of(chunk))
        known = state[number] if number < len(state) else {}
        if known.get("key") == keys[-1] and stands(chunk):
            digests[number] = [Digest(tuple(page[0]), *page[1:]) for page in known["pages"]]
        else:
            stale.append(chunk)
    for chunk, made in each(write_chunk, stale, "report: text", TEXT_CPU_S):
        digests[chunk.number] = made
    for kind in KINDS:
        remove_above(folder / kind, len(keys))
    saved = [
        {"key": key, "pages": [astuple(page) for page in digests[number]]}
        if number in digests
        else {}
        for number, key in enumerate(keys)
    ]
    files.write_whole(folder / STATE, clean(json.dumps(saved, ensure_ascii=False)))
    whole = [digests.get(number) or [NOTHING] * PAGES_PER_CHUNK for number in range(len(keys))]
    return [digest for chunk in whole for digest in chunk][: len(entries)], len(stale)


NOTHING = Digest((0,) * len(CATEGORIES), "")


def write_chunk(chunk: Chunk) -> list[Digest]:
    """Write the data of a chunk's pages. Return a digest of each."""
    pages, texts, raw, digests = [], [], [], []
    for entry in chunk.entries:
        answer = read_answer(chunk.output, entry)
        cells = read_cells(chunk.output, entry)
        lost = what_is_lost(chunk.output, entry)
        plain = [plain_text(cell) for cell in cells]
        counts = Counter(cell.category for cell in cells)
        pages.append(
            {
                **about(entry),
                "notes": [*entry.notes, *([lost] if lost else [])],
                "cells": [
                    [CATEGORIES.index(cell.category), *percents(cell.box), cell_html(cell)]
                    for cell in cells
                ],
            }
        )
        texts.append("\n".join(filter(None, plain)))
        found = tuple(counts[category] for category in CATEGORIES)
        digests.append(Digest(found, beginning(plain), mark_of(answer), lost))
        raw.append(editable.editable(answer, entry))
    write_script(chunk.folder, f"{DATA}/{chunk.number}", pages)
    write_script(chunk.folder, f"{TEXT}/{chunk.number}", texts)
    write_script(chunk.folder, f"{CELLS}/{chunk.number}", raw)
    return digests


def beginning(texts: Iterable[str]) -> str:
    """The beginning of a page's text, with … at its end if the text goes on."""
    text = " · ".join(filter(None, texts))
    return text if len(text) <= SNIPPET else f"{text[: SNIPPET - 1].rstrip(' ·')}…"


def about(entry: Entry) -> dict[str, Any]:
    """What the view of a page shows besides its cells."""
    return {
        "input": entry.input,
        "pdfPage": entry.pdf_page,
        "sha256": entry.sha256,
        "notes": entry.notes,
        "size": entry.size,
        "tokensIn": entry.tokens_in,
        "attempts": entry.attempts,
        "model": entry.model,
        "doubts": [doubt_row(doubt) for doubt in entry.doubts],
        "moreDoubts": entry.more_doubts,
    }


def doubt_row(doubt: Doubt) -> list[Any]:
    """A doubt for the browser: kind, box, cell (-1 if it belongs to no cell), detail."""
    cell = -1 if doubt.cell is None else doubt.cell
    return [DOUBT_KINDS.index(doubt.kind), *percents(doubt.box), cell, doubt.detail]


def percents(box: tuple[float, float, float, float]) -> list[float]:
    """Left, top, width and height in percent of the page."""
    left, top, right, bottom = box
    return [round(100 * value, 2) for value in (left, top, right - left, bottom - top)]


def key_of(chunk: Chunk) -> str:
    """A hash of all that a chunk's data depends on: its records, its files and this program."""
    facts = [program()]
    for entry in chunk.entries:
        facts.append(entry.line)
        path = cells_path(chunk.output, entry)
        try:
            stat = path.stat() if path else None
        except FileNotFoundError:
            stat = None
        # a user can set a file's mtime to any value, but not its ctime
        facts.append(f"{stat.st_size} {stat.st_mtime_ns} {stat.st_ctime_ns}" if stat else "")
    return hashlib.sha256("\n".join(facts).encode("utf-8", "replace")).hexdigest()


def program() -> str:
    """The source text of the modules that decide what a chunk's data is."""
    modules = (markup, entries, editable, doubts, values)
    rooms = (__file__, *(str(module.__file__) for module in modules))
    return "".join(Path(room).read_text(encoding="utf-8") for room in rooms)


def stands(chunk: Chunk) -> bool:
    """Whether all files of a chunk exist."""
    return all((chunk.folder / kind / f"{chunk.number}.js").is_file() for kind in KINDS)


def read_state(folder: Path) -> list[dict[str, Any]]:
    """What was written before, for each chunk; an empty list if it cannot be read."""
    try:
        found = json.loads(results.read_text(folder / STATE))
    except (ValueError, RecursionError):
        return []
    known = found if isinstance(found, list) else []
    return [chunk if isinstance(chunk, dict) else {} for chunk in known]
