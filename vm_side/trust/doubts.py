"""What a witness says against an answer, and how much of the trust in the page is left after it."""

import math
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from contract import DOUBT_KINDS

TRUSTED = 0.5  # a page with less is doubtful: one doubt that weighs more than 0.5 is enough


@dataclass(frozen=True, slots=True)
class Doubt:
    """One reason to doubt an answer: its kind and its place.

    bbox is [x1, y1, x2, y2] in the pixels of the picture that the cells belong to. cell is the
    index of the cell in doubt, or None if it is about no cell. detail says how much, or why, in
    values that JSON can hold. weight is the share of the trust in the page that the doubt takes
    away, from 0 to 1.
    """

    kind: str
    bbox: tuple[int, int, int, int]
    cell: int | None
    weight: float
    detail: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        assert self.kind in DOUBT_KINDS, self.kind

    def line(self) -> dict[str, Any]:
        """Return the doubt as the manifest holds it."""
        return {
            "kind": self.kind,
            "bbox": list(self.bbox),
            "cell": self.cell,
            "detail": self.detail,
        }


def trust_left(doubts: Iterable[Doubt], before: float = 1.0) -> float:
    """Return the trust in a page after these doubts, from 0 to 1. before: the trust until then."""
    return round(before * math.prod(1 - doubt.weight for doubt in doubts), 3)


def is_doubtful(trust: float) -> bool:
    """Whether somebody should look at the page, or the model should read it again."""
    return trust < TRUSTED
