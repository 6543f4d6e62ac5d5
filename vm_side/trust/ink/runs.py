"""Connected parts of a picture of bits, by the runs of its rows."""

from dataclasses import dataclass

import numpy
from numpy.typing import NDArray

Bits = NDArray[numpy.bool_]
Ints = NDArray[numpy.int64]
Pairs = tuple[Ints, Ints]


@dataclass(frozen=True)
class Runs:
    """Pieces of rows: their row, where they start, and where they have ended."""

    rows: Ints
    starts: Ints
    ends: Ints
    stride: int
    """How far rows are apart where all of them stand behind one another."""

    def __len__(self) -> int:
        return len(self.rows)

    def kept(self, wanted: Bits) -> "Runs":
        """Those of them that are wanted."""
        return Runs(self.rows[wanted], self.starts[wanted], self.ends[wanted], self.stride)

    def in_line(self) -> Pairs:
        """Starts and ends where all rows stand behind one another."""
        return self.rows * self.stride + self.starts, self.rows * self.stride + self.ends


def runs_of(bits: Bits) -> Runs:
    """The runs of set bits, row by row."""
    high, wide = bits.shape
    stride = wide + 2  # a gap, so that no run and no neighbour of it reaches into the next row
    padded = numpy.zeros((high, stride), bool)
    padded[:, 1:-1] = bits
    behind = padded.ravel()
    edges = numpy.flatnonzero(behind[1:] != behind[:-1])
    rows, starts = numpy.divmod(edges[::2], stride)
    return Runs(rows, starts, edges[1::2] - rows * stride, stride)


def touching(runs: Runs) -> Pairs:
    """Which runs touch which of the next row, corners counted."""
    starts, ends = runs.in_line()
    first = numpy.searchsorted(ends, starts + runs.stride, "left")
    last = numpy.searchsorted(starts, ends + runs.stride, "right")
    count = numpy.maximum(last - first, 0)
    upper = numpy.repeat(numpy.arange(len(runs)), count)
    before = numpy.cumsum(count) - count
    return upper, numpy.arange(len(upper)) - numpy.repeat(before - first, count)


def joined(pairs: Pairs, count: int) -> Ints:
    """For each of so many things the number of its group; pairs are of the same group.

    Groups are numbered from 0, in the order of their first things.
    """
    group = numpy.arange(count)
    one, other = pairs
    while len(one):
        # each end of a pair is at its group's head: the later head goes under the earlier one
        group[numpy.maximum(one, other)] = numpy.minimum(one, other)
        while True:
            above = group[group]
            if (above == group).all():
                break
            group = above
        one, other = group[one], group[other]
        apart = one != other
        one, other = one[apart], other[apart]
    heads = numpy.zeros(count, numpy.int64)
    heads[group == numpy.arange(count)] = 1
    return (numpy.cumsum(heads) - 1)[group]
