"""A word that somebody has read, and where it stands in a picture."""

from dataclasses import dataclass

Box = tuple[float, float, float, float]


@dataclass(frozen=True, slots=True)
class Word:
    """A word and its box [x1, y1, x2, y2] in the pixels of the picture that is sent.

    text is empty where something stands of which the letters are not told.
    """

    text: str
    bbox: Box
