"""Measure how far a scan is askew, and straighten it: between tilted lines there are no gaps."""

from collections.abc import Sequence
from dataclasses import replace

import numpy
from numpy.typing import NDArray
from PIL import Image

from lib.documents.searchable.ink import ink_in
from lib.pages.entries import Cell
from lib.pages.values import Box

Gray = NDArray[numpy.uint8]

STEP, MOST = 0.0025, 16  # rows down for each column, and how many steps: 0.14 to 2.3 degrees
CLEARER = 1.1  # times as clear as without a tilt: if less, the lines count as straight
ENOUGH_PIXELS = 20_000  # of ink are enough to look at


def tilt_of(gray: Gray) -> float:
    """Return how many rows a page's lines go down from column to column; 0 if that is not sure.

    With the right tilt, the ink of a line falls into few rows.
    """
    half = gray[::2, ::2]
    down, across = numpy.nonzero(ink_in(half, (0, 0, half.shape[1], half.shape[0])))
    every = max(1, len(down) // ENOUGH_PIXELS)
    down, across = down[::every].astype(float), across[::every].astype(float)
    if not len(down):
        return 0.0

    def clearness(tilt: float) -> float:
        rows = numpy.round(down - tilt * across).astype(int)
        counts = numpy.bincount(rows - rows.min()).astype(float)
        return float((counts**2).sum())

    best = max((STEP * n for n in range(-MOST, MOST + 1)), key=clearness)
    return best if clearness(best) > CLEARER * clearness(0.0) else 0.0


def straightened(gray: Gray, tilt: float) -> Gray:
    """Return a page's picture with each column moved, so that its lines are straight."""
    image = Image.fromarray(gray)
    data = (1, 0, 0, tilt, 1, 0)
    paper = int(numpy.median(gray))
    moved = image.transform(image.size, Image.Transform.AFFINE, data, fillcolor=paper)
    return numpy.asarray(moved)


def moved(cells: Sequence[Cell], tilt: float, aspect: float) -> list[Cell]:
    """Return cells with their boxes in the straightened picture; aspect is its width / height."""
    return [replace(cell, box=moved_box(cell.box, tilt * aspect)) for cell in cells]


def moved_box(box: Box, tilt: float) -> Box:
    """Turn a box around tilted lines into the box around the same lines when they are straight."""
    left, top, right, bottom = box
    first, last = (left, right) if tilt > 0 else (right, left)
    above, below = top - tilt * first, bottom - tilt * last
    if below - above < (bottom - top) / 2:  # a long line in an inexact box
        middle, half = (above + below) / 2, (bottom - top) / 4
        above, below = middle - half, middle + half
    return (left, min(max(above, 0.0), 1.0), right, min(max(below, 0.0), 1.0))
