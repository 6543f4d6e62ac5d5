"""A word that somebody has read, and its place in a picture."""

from dataclasses import dataclass

Box = tuple[float, float, float, float]


@dataclass(frozen=True, slots=True)
class Word:
    """A word and its box [x1, y1, x2, y2] in the pixels of the picture that is sent.

    text is empty if something is there, but its letters are not known.
    """

    text: str
    bbox: Box
