"""Find writing that runs across a page, by its ink: how much there is, and where its foot is.

A full stop and a comma stand at the foot of their line, before a gap. This is so in Latin, Korean,
Chinese and Japanese. On a page upside down they stand at the head of the line, after a gap.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy
from numpy.typing import NDArray
from PIL import Image, ImageFilter

Ink = NDArray[numpy.bool_]

SIDE = 700  # pixels of the short side, about, when we look for ink
COLUMNS = 5  # that we cut a page into: over its full width, tilted lines leave no gaps

# Of a line's height:
FOOT = 0.4  # a stop is wholly in this lowest part of the line,
WIDTH, GAP = 0.3, 0.2  # is not wider than this, and has so much room after it
UNSEEN = 3  # stops that we add to both counts, so that a few stops say little


@dataclass(frozen=True, slots=True)
class Lines:
    """The writing that runs across a page: how many pieces of lines, and which way up."""

    count: int
    upright: float
    """Logarithm of the odds that they are upright, not upside down."""


def lines_of(gray: Image.Image) -> Lines:
    found = list(pieces(gray))
    return Lines(len(found), uprightness(found))


def pieces(gray: Image.Image) -> Iterator[Ink]:
    """Yield pieces of lines: ink with room above and below."""
    page = gray.reduce(max(1, round(min(gray.size) / SIDE)))
    ink = ink_of(page)
    high, wide = ink.shape
    for column in range(COLUMNS):
        strip = ink[:, column * (wide // COLUMNS) : (column + 1) * (wide // COLUMNS)]
        is_row = strip.sum(1) >= max(2, 0.03 * strip.shape[1])
        edges = numpy.flatnonzero(numpy.diff(numpy.pad(is_row.astype(numpy.int8), 1)))
        for top, bottom in zip(edges[::2], edges[1::2], strict=True):
            if 6 <= bottom - top <= 0.12 * high:
                row = strip[top:bottom]
                filled = numpy.flatnonzero(row.any(0))
                row = row[:, filled[0] : filled[-1] + 1]
                if row.shape[1] >= 2 * row.shape[0] and 0.05 < row.mean() < 0.6:
                    yield row


def uprightness(lines: list[Ink]) -> float:
    """Compare the stops in lines as they are with those upside down: logarithm of the ratio."""
    on_feet, on_heads = (
        UNSEEN + sum(stops(line[::way, ::way]) for line in lines) for way in (1, -1)
    )
    return math.log(on_feet / on_heads)


def stops(line: Ink) -> int:
    """Count what looks like full stops and commas: small ink at a line's foot, before a gap."""
    high = line.shape[0]
    edges = numpy.flatnonzero(numpy.diff(numpy.pad(line.any(0).astype(numpy.int8), 1)))
    left, right = edges[::2], edges[1::2]
    stands_up = numpy.logical_or.reduceat(line[: round((1 - FOOT) * high)].any(0), left)
    room = numpy.append(left[1:], math.inf) - right
    return int((~stands_up & (right - left <= WIDTH * high) & (room >= GAP * high)).sum())


def ink_of(page: Image.Image) -> Ink:
    """Map where the page is darker or lighter than its surroundings."""
    light = numpy.asarray(page, numpy.float32)
    ground = page.reduce(max(1, min(16, min(page.size) // 8)))
    ground = ground.filter(ImageFilter.MedianFilter(5))
    ground = ground.resize(page.size, Image.Resampling.BILINEAR)
    difference = abs(light - numpy.asarray(ground, numpy.float32))
    found: Ink = difference > max(25.0, 0.4 * float(numpy.percentile(difference, 99.5)))
    return found
