"""Connected parts of a picture of bits, found by the runs of its rows."""

from dataclasses import dataclass

import numpy
from numpy.typing import NDArray

Bits = NDArray[numpy.bool_]
Ints = NDArray[numpy.int64]
Pairs = tuple[Ints, Ints]


@dataclass(frozen=True)
class Runs:
    """Pieces of rows: the row of each, its first column, and the column after its last one."""

    rows: Ints
    starts: Ints
    ends: Ints
    stride: int
    """How far the start of a row is from the next one, if all rows stand in one long line."""

    def __len__(self) -> int:
        return len(self.rows)

    def kept(self, wanted: Bits) -> "Runs":
        """Return only the wanted runs."""
        return Runs(self.rows[wanted], self.starts[wanted], self.ends[wanted], self.stride)

    def in_line(self) -> Pairs:
        """Return starts and ends as places in one long line of all rows."""
        return self.rows * self.stride + self.starts, self.rows * self.stride + self.ends


def runs_of(bits: Bits) -> Runs:
    """Return the runs of set bits, row by row."""
    high, wide = bits.shape
    stride = wide + 2  # the gap keeps a run and its neighbours out of the next row
    padded = numpy.zeros((high, stride), bool)
    padded[:, 1:-1] = bits
    behind = padded.ravel()
    edges = numpy.flatnonzero(behind[1:] != behind[:-1])
    rows, starts = numpy.divmod(edges[::2], stride)
    return Runs(rows, starts, edges[1::2] - rows * stride, stride)


def touching(runs: Runs) -> Pairs:
    """Return the pairs of runs in neighbouring rows that touch, also at corners."""
    starts, ends = runs.in_line()
    first = numpy.searchsorted(ends, starts + runs.stride, "left")
    last = numpy.searchsorted(starts, ends + runs.stride, "right")
    count = numpy.maximum(last - first, 0)
    upper = numpy.repeat(numpy.arange(len(runs)), count)
    before = numpy.cumsum(count) - count
    return upper, numpy.arange(len(upper)) - numpy.repeat(before - first, count)


def joined(pairs: Pairs, count: int) -> Ints:
    """Return the number of each thing's group. The two things of a pair are in the same group.

    count is how many things there are. Groups are numbered from 0, in the order of their first
    things.
    """
    group = numpy.arange(count)
    one, other = pairs
    while len(one):
        # each end of a pair is a group's head: the later head goes under the earlier one
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
