"""A written page and its evidence: what the witnesses say about an answer."""

from __future__ import annotations

from typing import Any

from rig.written_page import full_page
from trust.doubts import Doubt
from trust.witnesses import doubts_of, evidence_of

Cells = list[dict[str, Any]]
PAGE = full_page()
EVIDENCE = evidence_of(PAGE.picture)


def told(cells: Cells) -> list[Doubt]:
    """The witnesses' doubts about these cells."""
    return doubts_of(EVIDENCE, cells)


def changed(index: int, **what: Any) -> Cells:
    """The page's true cells, with one of them changed."""
    return [{**cell, **what} if n == index else cell for n, cell in enumerate(PAGE.cells)]
