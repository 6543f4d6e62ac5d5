"""Which pages are the sample: drawn at random, and spread over folders, kinds of files and sizes.

The random numbers have a fixed seed: the same pages below INPUT give the same sample, so that a
second run goes on with it.
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
CANDIDATES = 10  # for each page of the sample, the size of so many pages is measured


class Place(NamedTuple):
    """A page below INPUT: its file, and its number there, from 0; None if it is the only page."""

    name: str
    page: int | None = None

    def __str__(self) -> str:
        """The page for people, who count from 1."""
        return self.name if self.page is None else f"{self.name}, page {self.page + 1}"

    @property
    def stratum(self) -> tuple[str, str]:
        """The folder, and the kind of file by its ending."""
        path = PurePosixPath(self.name)
        return str(path.parent), path.suffix.lower()


def candidates(counts: Mapping[str, int], selection: Selection, count: int) -> list[Place]:
    """Draw the pages to choose from. counts: how many pages each file has."""
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
    """Choose the sample from candidates, by their width and height. Return it sorted."""
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
    """The key to sort pages by."""
    return place.name, -1 if place.page is None else place.page


def size_class(size: tuple[float, float]) -> int:
    """The class of a size. Areas of one class differ by a factor of 1.41 at most; 0: not known."""
    area = size[0] * size[1]
    return round(2 * math.log2(area)) if area > 0 else 0


def shares(sizes: Mapping[Stratum, int], count: int, lot: random.Random) -> dict[Stratum, int]:
    """How many to take of each kind: one of each, and the rest in proportion.

    If there are more kinds than `count`, kinds are drawn: a large one is drawn with more chance.
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
    """Draw so many pages of these files: (file, number among its wanted pages) of each.

    First one page of each file, then a second one of each, and so on.
    """
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
    """The number of the nth page that is wanted. Both numbers count from 0."""
    for first, last in selection.parts:
        if nth <= last - first:
            return first - 1 + nth
        nth -= last - first + 1
    raise IndexError(nth)


def rarest(count: int) -> int:
    """Return n: a kind as frequent as one page in n is in the sample with 95% probability."""
    return max(2, math.floor(count / 3))
