"""What a witness says against an answer, and what it leaves of the trust in the page."""

import math
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from contract import DOUBT_KINDS

TRUSTED = 0.5  # a page with less is doubtful: one doubt of more than half does it


@dataclass(frozen=True, slots=True)
class Doubt:
    """One reason to doubt an answer: of which kind, and where.

    bbox is [x1, y1, x2, y2] in the pixels of the picture that the cells are of. cell is the index
    of the cell in doubt; None: of no cell. detail says how much, by names and numbers that JSON
    can hold. weight is how much of the trust in the page the doubt takes away, from 0 to 1.
    """

    kind: str
    bbox: tuple[int, int, int, int]
    cell: int | None
    weight: float
    detail: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        assert self.kind in DOUBT_KINDS, self.kind

    def line(self) -> dict[str, Any]:
        """As it stands in the manifest."""
        return {
            "kind": self.kind,
            "bbox": list(self.bbox),
            "cell": self.cell,
            "detail": self.detail,
        }


def trust_left(doubts: Iterable[Doubt], before: float = 1.0) -> float:
    """The trust in a page, from 0 to 1, after these doubts; before: what earlier ones had left."""
    return round(before * math.prod(1 - doubt.weight for doubt in doubts), 3)


def is_doubtful(trust: float) -> bool:
    """Whether somebody should look at the page, or the model should read it again."""
    return trust < TRUSTED
