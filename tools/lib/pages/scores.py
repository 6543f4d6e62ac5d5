"""The scores of pages, from OUTPUT/score.json, only for pages that have not changed since then."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from contract import SCORES as SCORES
from lib import files, results
from lib.pages.doubts import is_amount

DIGITS = 16  # of a result's SHA-256: enough to see that the result has changed
FIGURES = ("cer", "wer", "teds", "order", "f1", "characters")


@dataclass(frozen=True)
class PageScore:
    """The figures of a page. None if there is no such figure, as TEDS of a page without tables."""

    cer: float | None
    wer: float | None
    teds: float | None
    order: float | None
    f1: float | None
    characters: float | None
    """How many characters the truth has."""


def content_of(path: Path | None) -> str:
    """Return a hash that tells two states of a page's results apart; empty if there are none."""
    found = files.sha256_or_none(path) if path else None
    return (found or "")[:DIGITS]


def read_scores(folder: Path) -> dict[str, PageScore]:
    """Return the figures by page, for the pages that still have the results that were scored."""
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
    """Return a page and its figures; None if it is not a score, or the results have changed."""
    page = candidate.get("page") if isinstance(candidate, dict) else None
    if not isinstance(page, str) or not results.is_below(page):
        return None
    if not candidate.get("of") or candidate["of"] != content_of(folder / f"{page}.json"):
        return None
    values = (candidate.get(name) for name in FIGURES)
    return page, PageScore(*(float(v) if is_amount(v) else None for v in values))
