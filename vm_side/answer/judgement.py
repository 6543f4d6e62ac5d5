"""What is thought of an answer once it was compared with its page."""

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Judgement:
    """How far an answer is to be trusted, and what speaks against it."""

    trust: float | None = None
    """From 0 to 1; None: nobody has looked."""
    reason: str = ""
    """Why somebody should look at the page, in plain words; empty: nobody need."""
    doubts: tuple[dict[str, Any], ...] = ()
    """As they stand in the manifest, the heaviest first."""


NOT_ASKED = Judgement()
