"""The sample is random, the same each time, and spread over folders, kinds, files and sizes."""

import random
from collections import Counter

import pytest

from lib.tune.sampling import (
    Place,
    candidates,
    choose,
    nth_of,
    rarest,
    shares,
    size_class,
    spread,
)
from wanted_pages import Selection, selection_from

ALL = Selection()
SIZE = (1000.0, 1400.0)


@pytest.mark.parametrize(
    ("sizes", "count", "wanted"),
    [
        ({"a": 10, "b": 10}, 4, {"a": 2, "b": 2}),
        ({"a": 90, "b": 10}, 10, {"a": 9, "b": 1}),
        ({"a": 997, "b": 2, "c": 1}, 10, {"a": 8, "b": 1, "c": 1}),
        ({"a": 2, "b": 3}, 50, {"a": 2, "b": 3}),
        ({}, 5, {}),
    ],
)
def test_each_kind_has_one_and_the_rest_goes_by_size(
    sizes: dict[str, int], count: int, wanted: dict[str, int]
) -> None:
    assert shares(sizes, count, random.Random(1)) == wanted


def test_of_more_kinds_than_pages_the_large_ones_are_likelier() -> None:
    sizes = {f"small {n}": 1 for n in range(50)} | {"large": 1000}
    drawn = [shares(sizes, 5, random.Random(seed)) for seed in range(20)]
    assert all(sum(one.values()) == 5 and set(one.values()) == {1} for one in drawn)
    assert sum("large" in one for one in drawn) >= 18
    assert len(set().union(*drawn)) > 30


def test_each_file_gives_a_page_before_one_gives_two() -> None:
    files = {"long.pdf": 1000, "b.pdf": 3, "c.pdf": 1}
    found = list(spread(files, 7, random.Random(1)))
    assert len(set(found)) == 7
    assert {name for name, _ in found[:3]} == set(files)
    assert Counter(name for name, _ in found) == {"long.pdf": 3, "b.pdf": 3, "c.pdf": 1}
    assert all(0 <= page < files[name] for name, page in found)


@pytest.mark.parametrize(
    ("pages", "nth", "wanted"),
    [("", 7, 7), ("5", 0, 4), ("1-3,10-", 2, 2), ("1-3,10-", 3, 9), ("1-3,10-", 5, 11)],
)
def test_only_wanted_pages_are_drawn(pages: str, nth: int, wanted: int) -> None:
    assert nth_of(selection_from(pages), nth) == wanted


def test_a_large_folder_is_not_all_there_is_nor_its_first_pages() -> None:
    counts = {f"a/{n:04}.png": 1 for n in range(5000)} | {f"b/{n}.png": 1 for n in range(20)}
    counts |= {"books/one.pdf": 400, "books/two.pdf": 7}
    places = candidates(counts, ALL, 50)
    sample = choose(dict.fromkeys(places, SIZE), 50)
    assert len(sample) == len(set(sample)) == 50
    folders = Counter(place.name.partition("/")[0] for place in sample)
    assert folders["a"] > 40 and folders["b"] >= 1 and folders["books"] >= 2
    first = {f"a/{n:04}.png" for n in range(50)}
    assert sum(place.name in first for place in sample) < 5
    assert {place.page is None for place in sample if place.name.endswith(".pdf")} == {False}
    shuffled = dict(random.Random(3).sample(list(counts.items()), len(counts)))
    assert choose(dict.fromkeys(candidates(shuffled, ALL, 50), SIZE), 50) == sample


def test_sizes_are_kinds() -> None:
    sizes = {Place(f"{n:03}.png"): SIZE for n in range(200)} | {Place("map.png"): (9000.0, 7000.0)}
    assert Place("map.png") in choose(sizes, 10)


@pytest.mark.parametrize(
    ("one", "other", "alike"),
    [
        ((827, 1169), (840, 1180), True),
        ((827, 1169), (1654, 2338), False),
        ((0, 0), (0, 900), True),
        ((0, 0), (1, 1), True),
    ],
)
def test_when_two_sizes_are_of_a_kind(
    one: tuple[float, float], other: tuple[float, float], alike: bool
) -> None:
    assert (size_class(one) == size_class(other)) == alike


def test_a_page_is_called_as_people_count() -> None:
    assert (str(Place("a/b.pdf", 0)), str(Place("c.png"))) == ("a/b.pdf, page 1", "c.png")
    assert (rarest(50), rarest(2)) == (16, 2), "rarer than one in 1 are all"
