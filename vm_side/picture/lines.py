"""Writing that runs across a page, by its ink: how much there is, and where its foot is.

A full stop and a comma stand at the foot of their line, before a gap, in Latin as in Korean,
Chinese and Japanese. On a page upside down they stand at its head, after a gap.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy
from numpy.typing import NDArray
from PIL import Image, ImageFilter

Ink = NDArray[numpy.bool_]

SIDE = 700  # pixels of the short side at which ink is looked for, about
COLUMNS = 5  # a page is cut into: over all of it a line that is a little askew has no room

# Of a line's height:
FOOT = 0.4  # in there a stop stands whole,
WIDTH, GAP = 0.3, 0.2  # not wider than this, and with so much room behind it
UNSEEN = 3  # stops that each end is given before any is seen, so that a few say little


@dataclass(frozen=True, slots=True)
class Lines:
    """What writing runs across a page: pieces of lines, and how they seem to stand."""

    count: int
    upright: float
    """How likely they stand on their feet, not on their heads, as a logarithm of the odds."""


def lines_of(gray: Image.Image) -> Lines:
    found = list(pieces(gray))
    return Lines(len(found), uprightness(found))


def pieces(gray: Image.Image) -> Iterator[Ink]:
    """Pieces of lines: ink with room above and below."""
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
    """By how many stops more lines have when they are seen as they stand, as a logarithm."""
    on_feet, on_heads = (
        UNSEEN + sum(stops(line[::way, ::way]) for line in lines) for way in (1, -1)
    )
    return math.log(on_feet / on_heads)


def stops(line: Ink) -> int:
    """How many full stops and commas a line seems to have: small ink at its foot, before a gap."""
    high = line.shape[0]
    edges = numpy.flatnonzero(numpy.diff(numpy.pad(line.any(0).astype(numpy.int8), 1)))
    left, right = edges[::2], edges[1::2]
    stands_up = numpy.logical_or.reduceat(line[: round((1 - FOOT) * high)].any(0), left)
    room = numpy.append(left[1:], math.inf) - right
    return int((~stands_up & (right - left <= WIDTH * high) & (room >= GAP * high)).sum())


def ink_of(page: Image.Image) -> Ink:
    """Where the page differs from what is around, be it darker or lighter."""
    light = numpy.asarray(page, numpy.float32)
    ground = page.reduce(max(1, min(16, min(page.size) // 8)))
    ground = ground.filter(ImageFilter.MedianFilter(5))
    ground = ground.resize(page.size, Image.Resampling.BILINEAR)
    difference = abs(light - numpy.asarray(ground, numpy.float32))
    found: Ink = difference > max(25.0, 0.4 * float(numpy.percentile(difference, 99.5)))
    return found
