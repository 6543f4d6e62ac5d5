"""Read a box in any form that a model writes: [x1, y1, x2, y2], the numbers as written."""

import re
from typing import Any

FARTHEST = 1e9  # pixels; a number beyond is a loop of digits
CORNERS = (
    ("x1", "y1", "x2", "y2"),
    ("x0", "y0", "x1", "y1"),
    ("xmin", "ymin", "xmax", "ymax"),
    ("x_min", "y_min", "x_max", "y_max"),
    ("left", "top", "right", "bottom"),
)
SIZES = (("x", "y", "width", "height"), ("x", "y", "w", "h"), ("left", "top", "width", "height"))
NUMBERS_ALONE = re.compile(r"[\s\[\](){},;]*(?:-?[0-9]+(?:\.[0-9]*)?[\s\[\](){},;]*){4,}")
NUMBER = re.compile(r"-?[0-9]+(?:\.[0-9]*)?")


def box_of(written: Any) -> list[Any] | None:
    """Return the box, or None. Four numbers stay as they are; a polygon becomes its outer box."""
    if isinstance(written, str):
        return box_in(written)
    if isinstance(written, dict):
        return box_by_name(written)
    if not isinstance(written, list):
        return None
    if len(written) == 4 and all(map(is_number, written)):
        return written
    if len(written) == 1 and isinstance(written[0], list):
        return box_of(written[0])
    return around(written)


def box_in(text: str) -> list[Any] | None:
    """Return the box in a text that has only its numbers; None if there is more in it."""
    if len(text) > 1000 or not NUMBERS_ALONE.fullmatch(text):
        return None
    numbers = [float(n) if "." in n else int(n) for n in NUMBER.findall(text)]
    return box_of(numbers)


def box_by_name(named: dict[str, Any]) -> list[Any] | None:
    """Return a box that is written with names: two corners, or one corner and the size."""
    for names in CORNERS:
        box = [named.get(name) for name in names]
        if all(map(is_number, box)):
            return box
    for names in SIZES:
        numbers = [named.get(name) for name in names]
        if all(map(is_number, numbers)):
            x, y, width, height = map(float, numbers)  # type: ignore[arg-type] # is_number
            return [x, y, x + width, y + height]
    return None


def around(polygon: list[Any]) -> list[Any] | None:
    """Return the box around points: [[x, y], …], [{"x": …, "y": …}, …] or [x, y, x, y, …]."""
    numbers: list[Any] = []
    for point in polygon:
        if isinstance(point, dict):
            numbers += [point.get("x"), point.get("y")]
        elif isinstance(point, list):
            numbers += point if len(point) == 2 else [None]
        else:
            numbers.append(point)
    if len({type(point) in (list, dict) for point in polygon}) > 1:
        return None
    if len(numbers) < 4 or len(numbers) % 2 or not all(map(is_number, numbers)):
        return None
    xs, ys = numbers[::2], numbers[1::2]
    return [min(xs, key=float), min(ys, key=float), max(xs, key=float), max(ys, key=float)]


def is_number(value: Any) -> bool:
    """Whether float() can read a value as a coordinate (the reference accepts "12" too)."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return False
    try:
        return abs(float(value)) < FARTHEST
    except (ValueError, OverflowError):
        return False
