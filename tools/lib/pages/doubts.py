"""The reasons to doubt a page's answer, as the page's line of the manifest lists them."""

from dataclasses import dataclass, field
from typing import Any

from contract import DOUBT_KINDS
from lib.pages.values import BEYOND, Box, clean, number, relative

MOST = 100  # doubts of one page, the heaviest ones; nobody looks at more
LONGEST = 40  # characters of a word in a detail
NUMBERS = ("lines", "ratio", "of", "precision", "recall", "digits", "words", "agreement")
WORDS = ("why", "engine")


@dataclass(frozen=True)
class Doubt:
    """One reason to doubt a page. Its box is in parts of the page's width and height."""

    kind: str
    box: Box
    cell: int | None
    """The number of the doubted cell among the page's cells; None if it is not about one cell."""
    detail: dict[str, float | str] = field(default_factory=dict)
    """How strong the doubt is: values by the names in NUMBERS and WORDS."""


def doubts_in(value: Any, size: tuple[float, float]) -> tuple[tuple[Doubt, ...], int]:
    """Return at most MOST doubts of a page of this size, and how many more there are."""
    found = value if isinstance(value, list) else []
    doubts = (doubt_in(candidate, size) for candidate in found[:MOST])
    return tuple(doubt for doubt in doubts if doubt is not None), max(0, len(found) - MOST)


def doubt_in(candidate: Any, size: tuple[float, float]) -> Doubt | None:
    """Return one doubt; None if the value is not a doubt, or its kind is not known here."""
    if not isinstance(candidate, dict) or candidate.get("kind") not in DOUBT_KINDS:
        return None
    box, cell, detail = (candidate.get(name) for name in ("bbox", "cell", "detail"))
    corners = tuple(map(number, box)) if isinstance(box, list) else ()
    return Doubt(
        kind=candidate["kind"],
        box=relative(corners if len(corners) == 4 else (0.0, 0.0, 0.0, 0.0), size),
        cell=cell if type(cell) is int and 0 <= cell < BEYOND else None,
        detail=detail_in(detail) if isinstance(detail, dict) else {},
    )


def detail_in(found: dict[str, Any]) -> dict[str, float | str]:
    """Keep the parts of a detail that the report can show: known numbers and short words."""
    numbers = {name: found[name] for name in NUMBERS if is_amount(found.get(name))}
    words = {name: found[name] for name in WORDS if isinstance(found.get(name), str)}
    return {
        **{name: round(value, 4) for name, value in numbers.items()},
        **{name: clean(value[:LONGEST]) for name, value in words.items()},
    }


def is_amount(value: Any) -> bool:
    """Whether a value is a plausible number: at least 0, and below BEYOND."""
    return type(value) in (int, float) and 0 <= value < BEYOND


def trust_in(value: Any) -> float | None:
    """The trust in a page, from 0 to 1; None if it is not known."""
    return float(value) if is_amount(value) and value <= 1 else None
