"""What speaks against a page's answer, as its line of the manifest has it."""

from dataclasses import dataclass, field
from typing import Any

from contract import DOUBT_KINDS
from lib.pages.values import BEYOND, Box, clean, number, relative

MOST = 100  # of a page, the heaviest; nobody looks at more
LONGEST = 40  # characters of a word in a detail
NUMBERS = ("lines", "ratio", "of", "precision", "recall", "digits", "words", "agreement")
WORDS = ("why", "engine")


@dataclass(frozen=True)
class Doubt:
    """One reason to doubt a page. Its box is in parts of the page's width and height."""

    kind: str
    box: Box
    cell: int | None
    """The place of the cell in doubt among the page's cells; None: of no cell."""
    detail: dict[str, float | str] = field(default_factory=dict)
    """How much, by the names in NUMBERS and WORDS."""


def doubts_in(value: Any, size: tuple[float, float]) -> tuple[tuple[Doubt, ...], int]:
    """The doubts of a page of this size, no more than MOST; and how many more there are."""
    found = value if isinstance(value, list) else []
    doubts = (doubt_in(candidate, size) for candidate in found[:MOST])
    return tuple(doubt for doubt in doubts if doubt is not None), max(0, len(found) - MOST)


def doubt_in(candidate: Any, size: tuple[float, float]) -> Doubt | None:
    """One doubt; None of what is none, or is of a kind that we do not know."""
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
    """What of a detail can be said in words."""
    numbers = {name: found[name] for name in NUMBERS if is_amount(found.get(name))}
    words = {name: found[name] for name in WORDS if isinstance(found.get(name), str)}
    return {
        **{name: round(value, 4) for name, value in numbers.items()},
        **{name: clean(value[:LONGEST]) for name, value in words.items()},
    }


def is_amount(value: Any) -> bool:
    """Whether it is a number that can be meant; 0 is one."""
    return type(value) in (int, float) and 0 <= value < BEYOND


def trust_in(value: Any) -> float | None:
    """The trust in a page; None if that is not known."""
    return float(value) if is_amount(value) and value <= 1 else None
