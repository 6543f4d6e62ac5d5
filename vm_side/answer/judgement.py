"""The result of comparing an answer with its page."""

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Judgement:
    """How far to trust an answer, and the doubts about it."""

    trust: float | None = None
    """From 0 to 1; None if no witness has looked."""
    reason: str = ""
    """Why somebody should look at the page, in plain words; empty if nobody needs to."""
    doubts: tuple[dict[str, Any], ...] = ()
    """As the manifest has them, the heaviest first."""
    reader: str = ""
    """The second reader that some of the doubts come from; empty if none was asked."""
    trusted_as: float | None = None
    """The trust before that reader was asked."""


NOT_ASKED = Judgement()
