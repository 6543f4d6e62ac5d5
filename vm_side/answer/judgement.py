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
    reader: str = ""
    """Which second reader's doubts are among them; empty: none was heard."""
    trusted_as: float | None = None
    """How far it was to be trusted before that reader was heard."""


NOT_ASKED = Judgement()
