"""Turn untrusted values into what a report can show. No value, whatever it is, makes this fail."""

from typing import Any

BEYOND = 1e15  # no page has such a size, and no run took so long

Box = tuple[float, float, float, float]


def relative(box: Box, size: tuple[float, float]) -> Box:
    """Turn a box in pixels into parts of the page, within it; all 0 if the page has no size."""
    width, height = size
    if width <= 0 or height <= 0:
        return (0.0, 0.0, 0.0, 0.0)
    left, top, right, bottom = (
        min(max(value / side, 0.0), 1.0)
        for value, side in zip(box, (width, height, width, height), strict=True)
    )
    return (left, top, max(left, right), max(top, bottom))


def number(value: Any) -> float:
    """Return the value if it is a number from 0 to below BEYOND; 0 if it is anything else."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return 0.0
    return float(value) if 0 < value < BEYOND else 0.0


def word(value: Any) -> str:
    """Return any value as text; None gives an empty text."""
    return "" if value is None else clean(str(value))


def clean(text: str) -> str:
    """Replace the halves of surrogate pairs in a text: UTF-8 cannot hold them."""
    return text.encode("utf-8", "replace").decode("utf-8")
