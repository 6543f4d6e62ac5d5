"""What make score found of the pages, as OUTPUT/score.json has it: only of those still the same."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from contract import SCORES as SCORES
from lib import files, results
from lib.pages.doubts import is_amount

DIGITS = 16  # of a result's SHA-256: enough to see that it is another
FIGURES = ("cer", "wer", "teds", "order", "f1", "characters")


@dataclass(frozen=True)
class PageScore:
    """The figures of a page; None: there is none, as TEDS of a page without tables."""

    cer: float | None
    wer: float | None
    teds: float | None
    order: float | None
    f1: float | None
    characters: float | None
    """How many the truth has."""


def content_of(path: Path | None) -> str:
    """Tells one state of a page's results from another; empty if there are none."""
    found = files.sha256_or_none(path) if path else None
    return (found or "")[:DIGITS]


def read_scores(folder: Path) -> dict[str, PageScore]:
    """The figures by page, of pages whose results are still those that were scored."""
    try:
        found = json.loads(results.read_text(folder / SCORES))
    except (ValueError, RecursionError):
        return {}
    listed = found.get("scored") if isinstance(found, dict) else None
    return dict(
        pair
        for candidate in (listed if isinstance(listed, list) else [])
        if (pair := score_in(folder, candidate)) is not None
    )


def score_in(folder: Path, candidate: Any) -> tuple[str, PageScore] | None:
    """A page and its figures; None of what is none, or of results that have changed."""
    page = candidate.get("page") if isinstance(candidate, dict) else None
    if not isinstance(page, str) or not results.is_below(page):
        return None
    if not candidate.get("of") or candidate["of"] != content_of(folder / f"{page}.json"):
        return None
    values = (candidate.get(name) for name in FIGURES)
    return page, PageScore(*(float(v) if is_amount(v) else None for v in values))
