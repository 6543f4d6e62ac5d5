"""The words of a PDF page's text layer."""

from dataclasses import dataclass

Box = tuple[float, float, float, float]


@dataclass(frozen=True, slots=True)
class Word:
    """A word and its box [x1, y1, x2, y2] in the pixels of the picture that is sent.

    text is empty where something stands of which the layer does not tell the letters.
    """

    text: str
    bbox: Box
