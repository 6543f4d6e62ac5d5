"""Which pages are the sample: drawn by lot, and spread over folders, kinds of files and sizes.

The lot has a seed: the same pages below INPUT give the same sample, so that a second run goes on.
"""

import heapq
import math
import random
from collections import defaultdict
from collections.abc import Hashable, Iterable, Mapping
from pathlib import PurePosixPath
from typing import NamedTuple, TypeVar

from wanted_pages import Selection

T = TypeVar("T")
Stratum = TypeVar("Stratum", bound=Hashable)
SEED = 16
CANDIDATES = 10  # for each page of the sample so many are looked at, for their size


class Place(NamedTuple):
    """A page below INPUT: its file, and which page of that, from 0; None: the file has one."""

    name: str
    page: int | None = None

    def __str__(self) -> str:
        """For people, who count from 1."""
        return self.name if self.page is None else f"{self.name}, page {self.page + 1}"

    @property
    def stratum(self) -> tuple[str, str]:
        """The folder, and what the file's name says it is."""
        path = PurePosixPath(self.name)
        return str(path.parent), path.suffix.lower()


def candidates(counts: Mapping[str, int], selection: Selection, count: int) -> list[Place]:
    """Pages to choose from, by how many each file has."""
    lot = random.Random(SEED)
    strata = defaultdict[tuple[str, str], dict[str, int]](dict)
    for name, pages in sorted(counts.items()):
        if wanted := selection.count(pages):
            strata[Place(name).stratum][name] = wanted
    sizes = {stratum: sum(files.values()) for stratum, files in strata.items()}
    found = list[Place]()
    for stratum, share in shares(sizes, CANDIDATES * count, lot).items():
        for name, nth in spread(strata[stratum], share, lot):
            page = None if counts[name] == 1 else nth_of(selection, nth)
            found.append(Place(name, page))
    return found


def choose(sizes: Mapping[Place, tuple[float, float]], count: int) -> list[Place]:
    """The sample among candidates, by their width and height; in order."""
    lot = random.Random(SEED)
    strata = defaultdict[Hashable, list[Place]](list)
    for place in sorted(sizes, key=order):
        strata[(*place.stratum, size_class(sizes[place]))].append(place)
    found = list[Place]()
    counts = {stratum: len(places) for stratum, places in strata.items()}
    for stratum, share in shares(counts, count, lot).items():
        found += lot.sample(strata[stratum], share)
    return sorted(found, key=order)


def order(place: Place) -> tuple[str, int]:
    """For sorting."""
    return place.name, -1 if place.page is None else place.page


def size_class(size: tuple[float, float]) -> int:
    """Sizes whose areas differ by less than half are alike; 0: not known."""
    area = size[0] * size[1]
    return round(2 * math.log2(area)) if area > 0 else 0


def shares(sizes: Mapping[Stratum, int], count: int, lot: random.Random) -> dict[Stratum, int]:
    """How many of each kind: one of each, and the rest in proportion.

    Where there are more kinds than that, a large one is likelier among them.
    """
    count = min(count, sum(sizes.values()))
    by_lot = sorted(sizes, key=lambda kind: -(lot.random() ** (1 / sizes[kind])))
    found = dict.fromkeys(by_lot[:count], 1)
    heap = [(-sizes[kind] / 3, place, kind) for place, kind in enumerate(found)]
    heapq.heapify(heap)
    for _ in range(count - len(found)):
        _, place, kind = heapq.heappop(heap)
        found[kind] += 1
        if found[kind] < sizes[kind]:
            heapq.heappush(heap, (-sizes[kind] / (2 * found[kind] + 1), place, kind))
        elif not heap:
            break
    return found


def spread(files: Mapping[str, int], count: int, lot: random.Random) -> Iterable[tuple[str, int]]:
    """So many pages of these files, (file, which of its pages): of each one, then a second."""
    left: list[tuple[str, list[int]]] = []
    for name in lot.sample(sorted(files), len(files)):
        pages = lot.sample(range(files[name]), min(count, files[name]))
        left.append((name, pages))
    found = list[tuple[str, int]]()
    while len(found) < count and left:
        found += [(name, pages.pop()) for name, pages in left][: count - len(found)]
        left = [(name, pages) for name, pages in left if pages]
    return found


def nth_of(selection: Selection, nth: int) -> int:
    """Which page is the nth of those that are wanted; all from 0."""
    for first, last in selection.parts:
        if nth <= last - first:
            return first - 1 + nth
        nth -= last - first + 1
    raise IndexError(nth)


def rarest(count: int) -> int:
    """Of how many pages a kind must be one, at least, to be in such a sample with 95%."""
    return max(2, math.floor(count / 3))
