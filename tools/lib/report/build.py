"""The report of one result set: report.html, and the folder report_files/ that it loads from.

The name is report_files, because report/ would hold the results of a report.pdf. Only what changed
since the last time is made again.
"""

import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

from contract import CATEGORIES, DOUBT_KINDS, MANIFEST, STATUSES
from lib import files
from lib.alone import alone_in
from lib.console import Failure
from lib.pages.entries import Entry, read_entries
from lib.pages.scores import PageScore, read_scores
from lib.pages.values import number, word
from lib.pool import CPU_S, each
from lib.report import chunks, pictures
from lib.report.chunks import Digest
from lib.report.document import render
from lib.report.scripts import write_script
from lib.results import REPORT, read_summary

HTML, FOLDER = REPORT, "report_files"


@dataclass(frozen=True)
class Built:
    """A finished report: where it is, which pages it shows, and what was new in it."""

    path: Path
    entries: list[Entry]
    summary: dict[str, Any]
    new_chunks: int
    new_pictures: int
    lost: dict[str, str]
    """For each page of which cells are missing in the report: the reason."""


def build(
    output: Path, source: Path | None, page_timeout_s: float = CPU_S, password: str = ""
) -> Built | None:
    """Make the report of the results in output. Return None if the results have no page.

    Pictures are made from the files in source, if it is given; one that takes too long is left
    out. The password opens PDFs that need one. Raises Failure if there are no results.
    """
    manifest, folder = output / MANIFEST, output / FOLDER
    if not manifest.is_file():
        raise Failure(f"there are no results in {output}", "make download, or give their OUTPUT")
    if not manifest.stat().st_size:
        return None
    folder.mkdir(exist_ok=True)
    with alone_in(folder):
        return build_alone(output, folder, source, page_timeout_s, password)


def build_alone(
    output: Path, folder: Path, source: Path | None, page_timeout_s: float, password: str
) -> Built | None:
    """The same, while no other process makes one there. folder is what the report loads from."""
    entries = read_entries(output)
    if not entries:
        return None
    for kind in pictures.KINDS:
        (folder / kind).mkdir(parents=True, exist_ok=True)
    jobs = list(pictures.jobs(entries, source, folder, password))
    made = each(pictures.make, jobs, "report: pictures", page_timeout_s, pictures.one_by_one)
    new_pictures = sum(count for _, count in made)
    digests, new_chunks = chunks.write_chunks(entries, output, folder)
    pictures.remove_others(folder, entries)
    seen = pictures.names_in(folder / pictures.THUMBS)
    summary = read_summary(output)
    data = index(entries, digests, summary, output.name, seen)
    write_script(folder, "index", data | {"scores": scores(entries, read_scores(output))})
    files.write_whole(output / HTML, document())
    pages = zip(entries, digests, strict=True)
    lost = {entry.page: digest.lost for entry, digest in pages if digest.lost}
    return Built(output / HTML, entries, summary, new_chunks, new_pictures, lost)


def document() -> str:
    """The report's HTML, the same for all results."""
    return render(
        "report.html",
        ("report.css", "editor.css"),
        (
            *("plots.js", "scores.js", "overview.js", "viewer.js"),
            *("corrections.js", "handles.js", "forms.js", "editor.js", "report.js"),
        ),
    )


def index(
    entries: Sequence[Entry],
    digests: Sequence[Digest],
    summary: dict[str, Any],
    name: str,
    seen: set[str],
) -> dict[str, Any]:
    """The data that the report loads first: the totals, and the columns of the list of pages."""
    folders = sorted({entry.folder for entry in entries})
    reasons = [reason for reason, _ in Counter(e.reason for e in entries if e.reason).most_common()]
    place = {folder: number for number, folder in enumerate(folders)}
    cause = {reason: number for number, reason in enumerate(reasons)}
    first = min((entry.finished_at for entry in entries if entry.finished_at), default=0.0)
    return {
        "name": name,
        "made": int(time.time()),
        "first": first,
        "chunk": chunks.PAGES_PER_CHUNK,
        "categories": CATEGORIES,
        "statuses": STATUSES,
        "doubtKinds": DOUBT_KINDS,
        "folders": folders,
        "reasons": reasons,
        "model": next((entry.model for entry in entries if entry.model), ""),
        "lacks": word(summary.get("lacks")),
        "settings": settings(summary),
        "run": run(summary),
        "counts": [sum(column) for column in zip(*(d.counts for d in digests), strict=True)],
        "page": [entry.page for entry in entries],
        "label": [entry.name for entry in entries],
        "folder": [place[entry.folder] for entry in entries],
        "status": [STATUSES.index(entry.status) for entry in entries],
        "reason": [cause.get(entry.reason, -1) for entry in entries],
        "trust": [trust(entry) for entry in entries],
        "doubts": [doubt_mask(entry) for entry in entries],
        "picture": [entry.picture if entry.picture in seen else "" for entry in entries],
        "aspect": [aspect(entry) for entry in entries],
        "seconds": [round(entry.seconds, 2) for entry in entries],
        "tokens": [entry.tokens_out for entry in entries],
        "tokensIn": sum(entry.tokens_in for entry in entries),
        "finished": [
            round(entry.finished_at - first) if entry.finished_at else -1 for entry in entries
        ],
        "cells": [sum(digest.counts) for digest in digests],
        "mask": [sum(1 << i for i, count in enumerate(d.counts) if count) for d in digests],
        "snippet": [digest.snippet for digest in digests],
        "reading": [digest.reading for digest in digests],
    }


def scores(entries: Sequence[Entry], known: dict[str, PageScore]) -> dict[str, list[float]] | None:
    """What make score found: a column for each figure, -1 if unknown. None if no page is scored."""
    if not any(entry.page in known for entry in entries):
        return None
    values = [asdict(known[entry.page]) if entry.page in known else {} for entry in entries]
    names = [part.name for part in fields(PageScore)]
    return {
        name: [-1 if page.get(name) is None else round(page[name], 6) for page in values]
        for name in names
    }


def trust(entry: Entry | None) -> float:
    """The trust in a page; -1 if it is not known."""
    return -1 if entry is None or entry.trust is None else round(entry.trust, 3)


def doubt_mask(entry: Entry) -> int:
    """Which kinds of doubt a page has: one bit for each kind."""
    return sum(1 << DOUBT_KINDS.index(kind) for kind in {doubt.kind for doubt in entry.doubts})


def aspect(entry: Entry) -> float:
    """Width divided by height; the value of A4 if the page has no size."""
    width, height = entry.size
    return round(width / height, 4) if width and height else 0.7071


def settings(summary: dict[str, Any]) -> list[tuple[str, str]]:
    """The settings of the last run, as text."""
    found = summary.get("settings")
    return [(str(k), str(v)) for k, v in found.items()] if isinstance(found, dict) else []


def run(summary: dict[str, Any]) -> dict[str, float]:
    """The numbers of the last run."""
    found = summary.get("run")
    values = found if isinstance(found, dict) else {}
    names = ("pages", "seconds", "pages_per_second", "gpu_hours", "cost_usd")
    return {name: number(values.get(name)) for name in names}
