"""Values from elsewhere, as what a report can show: whatever they are, nothing fails by them."""

from typing import Any

BEYOND = 1e15  # no page has such a size, and no run took so long

Box = tuple[float, float, float, float]


def relative(box: Box, size: tuple[float, float]) -> Box:
    """A box in pixels as parts of the page, within it; nothing of a page without a size."""
    width, height = size
    if width <= 0 or height <= 0:
        return (0.0, 0.0, 0.0, 0.0)
    left, top, right, bottom = (
        min(max(value / side, 0.0), 1.0)
        for value, side in zip(box, (width, height, width, height), strict=True)
    )
    return (left, top, max(left, right), max(top, bottom))


def number(value: Any) -> float:
    """A number that is not negative and can be meant; 0 of anything else."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return 0.0
    return float(value) if 0 < value < BEYOND else 0.0


def word(value: Any) -> str:
    """Any value as text; nothing as none."""
    return "" if value is None else clean(str(value))


def clean(text: str) -> str:
    """A text without halves of surrogate pairs, which no UTF-8 can hold."""
    return text.encode("utf-8", "replace").decode("utf-8")
