"""Which cells of an answer match which blocks of the truth, and in which order they come."""

import random

import pytest

from lib.pages.entries import Cell
from lib.pages.matching import match
from lib.score.blocks import Group, disorder, groups

Side = list[Cell]


def block(top: int, bottom: int, text: str = "", category: str = "Text") -> Cell:
    """A cell as wide as the page, between two of its ten rows."""
    return Cell((0.0, top / 10, 1.0, bottom / 10), category, text)


@pytest.mark.parametrize(
    ("true", "told", "expected"),
    [
        ([block(0, 4)], [block(0, 4)], [([0], [0])]),
        ([block(0, 4)], [block(0, 2), block(2, 4)], [([0], [0, 1])]),
        ([block(0, 6)], [block(0, 2), block(2, 4), block(4, 6)], [([0], [0, 1, 2])]),
        ([block(0, 2), block(2, 4)], [block(0, 4)], [([0, 1], [0])]),
        ([block(0, 1), block(1, 2), block(2, 3)], [block(0, 3)], [([0, 1, 2], [0])]),
        ([block(0, 4)], [block(5, 9)], []),
        ([block(0, 9, category="Picture")], [block(2, 3)], []),
        ([block(0, 9, category="Table")], [block(2, 3), block(3, 4)], []),
        ([block(2, 3)], [block(0, 9, category="Picture")], []),
        ([block(0, 4), block(4, 8)], [block(4, 8), block(0, 4)], [([0], [1]), ([1], [0])]),
        ([block(0, 4)], [block(0, 0)], []),  # a box without area matches nothing
    ],
)
def test_what_was_cut_or_joined_is_one_group(
    true: Side, told: Side, expected: list[tuple[list[int], list[int]]]
) -> None:
    found = groups(true, told, match(true, told))
    assert [(group.true, group.told) for group in found] == expected


def test_nothing_is_in_two_groups() -> None:
    chance = random.Random(7)
    for _ in range(300):
        true, told = (
            [block(top := chance.randrange(9), top + chance.randrange(1, 5)) for _ in range(6)]
            for _ in range(2)
        )
        found = groups(true, told, match(true, told))
        for numbers in zip(*((group.true, group.told) for group in found), strict=True):
            flat = [number for side in numbers for number in side]
            assert len(flat) == len(set(flat))
        assert all(group.true and group.told for group in found)


@pytest.mark.parametrize(
    ("told", "expected"),
    [
        ([], None),
        ([0], 0),
        ([0, 1, 2, 3], 0),
        ([0, 2, 1, 3], 2 / 4),  # two neighbours are exchanged: two edits
        ([1, 2, 3, 0], 2 / 4),  # one moved to the end: it is removed and added again
        ([3, 2, 1, 0], 4 / 4),
        ([5, 9], 0),  # only the order counts
    ],
)
def test_disorder(told: list[int], expected: float | None) -> None:
    assert disorder([Group([n], [place]) for n, place in enumerate(told)]) == expected
