"""Scores as JSON, and as tables for people."""

from collections.abc import Sequence
from typing import Any

from contract import CATEGORIES
from lib.console import aligned
from lib.score.figures import PAGE, TABLE, TEXT, Kind, Score
from lib.score.scores import Found, Scored, by_folder

MOST_ROWS = 10
MOST_NAMES = 3
ABSENT = "(not in the results)"
TOP = "(top)"
HEAD = ("pages", "CER", "WER", "tables", "TEDS", "order", "IoU", "F1", "")
KIND_HEAD = ("true", "found", "CER", "IoU", "precision", "recall", "F1", "")
SAID = {
    PAGE: "it has more blocks than any page, or took too long",
    TEXT: "a text is too long for its CER",
    TABLE: "a table of the truth is not HTML, or one is too large for TEDS",
}


def as_json(found: Found, truth: str) -> dict[str, Any]:
    """All figures as data, for scripts and for the report."""
    absent = [page.page for page in found.pages if page.folder is None]
    return {
        "truth": truth,
        **figures(found.total),
        "missing": absent,
        "without_truth": found.without_truth,
        "unclear": found.unclear,
        "odd": found.odd,
        "no_truth": [{"file": file, "reason": reason} for file, reason in found.no_truth],
        "folders": [
            {"folder": folder, **figures(score)} for folder, score in by_folder(found.pages).items()
        ],
        "categories": [{"name": name, **of_kind(kind)} for name, kind in kinds(found.total)],
        "scored": [
            {
                "page": page.page,
                "of": page.content,
                **figures(page.score),
                "not_computed": page.score.not_computed,
            }
            for page in found.pages
        ],
    }


def figures(score: Score) -> dict[str, Any]:
    """The figures of a page, or of many pages."""
    unknown = score.not_computed.count(PAGE) + score.not_computed.count(TEXT)
    is_computed = score.pages > unknown
    return {
        "pages": score.pages,
        "cer": rounded(score.characters.rate) if is_computed else None,
        "wer": rounded(score.words.rate) if is_computed else None,
        "characters": score.characters.of,
        "words": score.words.of,
        "tables": score.teds.count,
        "teds": rounded(score.teds.value),
        "order": rounded(score.disorder.value),
        "iou": rounded(score.boxes.overlap.value),
        "f1": rounded(score.boxes.f1),
    }


def of_kind(kind: Kind) -> dict[str, Any]:
    """The figures of a category."""
    return {
        "true": kind.true,
        "told": kind.told,
        "found": kind.found,
        "cer": rounded(kind.characters.rate) if kind.characters.of else None,
        "iou": rounded(kind.overlap.value),
        "precision": rounded(kind.precision),
        "recall": rounded(kind.recall),
        "f1": rounded(kind.f1),
    }


def rounded(value: float | None) -> float | None:
    """The value with nine digits: enough for everybody."""
    return None if value is None else round(value, 9)


def kinds(score: Score) -> list[tuple[str, Kind]]:
    """The categories that occur, in the contract's order."""
    return [(name, score.kinds[name]) for name in CATEGORIES if name in score.kinds]


def tables(found: Found) -> list[str]:
    """The figures by folder, by category, and of the worst pages, as lines of text."""
    folders = sorted(by_folder(found.pages).items(), key=lambda one: (one[0] is None, one[0] or ""))
    names = {None: ABSENT, "": TOP}
    rows = [row(score, names.get(name) or f"{name}/") for name, score in folders]
    whole = [row(found.total, "all")] if len(rows) > 1 else []
    bad = [page for page in found.pages if is_wrong(page)]
    more = len(bad) - MOST_ROWS
    return [
        *aligned([HEAD, *rows, *whole]),
        "",
        *aligned([KIND_HEAD, *(kind_row(name, kind) for name, kind in kinds(found.total))]),
        *(["", "the worst pages:"] if bad else []),
        *aligned([row(page.score, page.page)[1:] for page in bad[:MOST_ROWS]], HEAD[1:]),
        *([f"… and {more} more pages with errors"] if more > 0 else []),
    ]


def is_wrong(page: Scored) -> bool:
    """Whether anything on a page is wrong or unknown."""
    score = page.score
    is_table_wrong = score.teds.total < score.teds.count
    return bool(score.not_computed or score.characters.errors or is_table_wrong)


def row(score: Score, name: str) -> tuple[str, ...]:
    """A row of the first table."""
    found = figures(score)
    return (
        str(found["pages"]),
        percent(found["cer"]),
        percent(found["wer"]),
        str(found["tables"]),
        *(part(found[key]) for key in ("teds", "order", "iou", "f1")),
        name,
    )


def kind_row(name: str, kind: Kind) -> tuple[str, ...]:
    """A row of the second table."""
    found = of_kind(kind)
    counts = (str(kind.true), str(kind.found), percent(found["cer"]))
    return *counts, *(part(found[key]) for key in ("iou", "precision", "recall", "f1")), name


def percent(value: float | None) -> str:
    """An error rate in percent. Only no error at all gives 0: small rates are not rounded to it."""
    if value is None:
        return "·"
    return "0 %" if value == 0 else f"{max(value * 100, 0.01):.2f} %"


def part(value: float | None) -> str:
    """A figure from 0 to 1."""
    return "·" if value is None else f"{value:.3f}"


def remarks(found: Found) -> list[str]:
    """What the user must know besides the figures, one line for each."""
    absent = [page.page for page in found.pages if page.folder is None]
    lines = []
    if absent:
        lines.append(
            f"{some(absent)} not in the results: they count as pages of which nothing was read"
        )
    lost = [page for page in found.pages if page.lost]
    lines += [f"counts as not read: {page.page}: {page.lost}" for page in lost[:MOST_ROWS]]
    if len(lost) > MOST_ROWS:
        lines.append(f"counts as not read: cells of {len(lost) - MOST_ROWS} more pages")
    if found.unclear:
        lines.append(
            f"left out, as it may belong to several pages, or is there twice: {some(found.unclear)}"
        )
    lines += [f"blocks without four corners or a text: {name}" for name in found.odd[:MOST_ROWS]]
    if len(found.odd) > MOST_ROWS:
        lines.append(f"blocks without four corners or a text: {len(found.odd) - MOST_ROWS} more")
    lines += [f"no truth: {file}: {reason}" for file, reason in found.no_truth[:MOST_ROWS]]
    if len(found.no_truth) > MOST_ROWS:
        lines.append(f"no truth: {len(found.no_truth) - MOST_ROWS} more files")
    for what, why in SAID.items():
        pages = [page.page for page in found.pages if what in page.score.not_computed]
        if pages:
            lines.append(f"not computed: {what} of {some(pages)}: {why}")
    return lines


def some(names: Sequence[str]) -> str:
    """The first few names, and how many more there are."""
    more = len(names) - MOST_NAMES
    return ", ".join(names[:MOST_NAMES]) + (f" and {more} more" if more > 0 else "")
