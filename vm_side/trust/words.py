"""The words of a PDF page's text layer."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Word:
    """A word and its box [x1, y1, x2, y2] in the pixels of the picture that is sent."""

    text: str
    bbox: tuple[float, float, float, float]
