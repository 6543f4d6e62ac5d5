"""Boxes and lines: the plain data that the modules of this engine pass to each other.

A box is (x1, y1, x2, y2) in pixels of the picture sent, x1 < x2, y1 < y2.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

Box = tuple[float, float, float, float]


@dataclass(frozen=True)
class Line:
    """One line of text as detected; text is "" if nothing could be read."""

    box: Box
    text: str = ""
    score: float = 0.0

    @property
    def vertical(self) -> bool:
        return height(self.box) > 2.0 * width(self.box)

    @property
    def size(self) -> float:
        """The line's thickness in pixels, which follows its type size."""
        return min(width(self.box), height(self.box))


@dataclass(frozen=True)
class Region:
    """One box of the layout model, with its CDLA label."""

    box: Box
    label: str
    score: float


def width(box: Box) -> float:
    return max(0.0, box[2] - box[0])


def height(box: Box) -> float:
    return max(0.0, box[3] - box[1])


def area(box: Box) -> float:
    return width(box) * height(box)


def center(box: Box) -> tuple[float, float]:
    return (box[0] + box[2]) / 2, (box[1] + box[3]) / 2


def shared_area(a: Box, b: Box) -> float:
    return max(0.0, min(a[2], b[2]) - max(a[0], b[0])) * max(0.0, min(a[3], b[3]) - max(a[1], b[1]))


def share_inside(inner: Box, outer: Box) -> float:
    """Return the part of `inner` that lies in `outer`, 0 to 1."""
    return shared_area(inner, outer) / area(inner) if area(inner) else 0.0


def x_overlap(a: Box, b: Box) -> float:
    """Return the shared width as a part of the smaller width; negative if there is a gap."""
    narrower = min(width(a), width(b)) or 1.0
    return (min(a[2], b[2]) - max(a[0], b[0])) / narrower


def y_overlap(a: Box, b: Box) -> float:
    """Return the shared height as a part of the smaller height; negative if there is a gap."""
    lower = min(height(a), height(b)) or 1.0
    return (min(a[3], b[3]) - max(a[1], b[1])) / lower


def union(boxes: Iterable[Box]) -> Box:
    """Return the smallest box around all boxes; at least one is needed."""
    found = list(boxes)
    return (
        min(b[0] for b in found),
        min(b[1] for b in found),
        max(b[2] for b in found),
        max(b[3] for b in found),
    )


def median(values: Sequence[float]) -> float:
    """Return the middle value; 0.0 if there are no values."""
    ordered = sorted(values)
    return ordered[len(ordered) // 2] if ordered else 0.0


def rows(lines: Sequence[Line]) -> list[list[Line]]:
    """Gather lines into rows, top to bottom, each row left to right."""
    found: list[list[Line]] = []
    for line in sorted(lines, key=lambda item: center(item.box)[1]):
        if found and y_overlap(found[-1][-1].box, line.box) > 0.5:
            found[-1].append(line)
        else:
            found.append([line])
    return [sorted(row, key=lambda item: item.box[0]) for row in found]
