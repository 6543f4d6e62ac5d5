"""Reading a page's doubts: any value can be shown, or counts as nothing."""

from pathlib import Path
from typing import Any

import pytest

from contract import DOUBT_KINDS
from lib.pages.doubts import MOST, Doubt, doubt_in, doubts_in, trust_in
from lib.pages.entries import read_entries
from rig.hostile import NUMBERS, hostile_doubts
from rig.result_sets import SIZE, ResultSet, doubt

PAGE = (200.0, 100.0)


def test_a_doubt_is_read_as_it_was_written() -> None:
    found = doubt_in(doubt("amount", (50, 50, 100, 100), 3, ratio=0.41), PAGE)
    assert found == Doubt("amount", (0.25, 0.5, 0.5, 1.0), 3, {"ratio": 0.41})


@pytest.mark.parametrize(
    ("candidate", "expected"),
    [
        ({"kind": "missed"}, Doubt("missed", (0, 0, 0, 0), None)),
        (doubt("missed", (-9, 0, 1e300, 50)), Doubt("missed", (0, 0, 0, 0.5), None)),
        (doubt("missed", (0, 0, 900, 50)), Doubt("missed", (0, 0, 1, 0.5), None)),
        (doubt("missed", (1, 2, 3)), Doubt("missed", (0, 0, 0, 0), None)),
        (doubt("empty", (0, 0, 0, 0), -1), Doubt("empty", (0, 0, 0, 0), None)),
        (doubt("empty", (0, 0, 0, 0), True), Doubt("empty", (0, 0, 0, 0), None)),
        (doubt("empty", (0, 0, 0, 0), 10**20), Doubt("empty", (0, 0, 0, 0), None)),
        (doubt("reader", (0,) * 4, 0, agreement=0), Doubt("reader", (0,) * 4, 0, {"agreement": 0})),
        (doubt("reader", (0,) * 4, 0, agreement=-1, engine=5), Doubt("reader", (0,) * 4, 0)),
        (doubt("reader", (0,) * 4, 0, agreement=float("nan")), Doubt("reader", (0,) * 4, 0)),
        (
            doubt("empty", (0,) * 4, 0, why="\ud800" * 50),
            Doubt("empty", (0,) * 4, 0, {"why": "?" * 40}),
        ),
        (doubt("empty", (0,) * 4, 0, __proto__="x"), Doubt("empty", (0,) * 4, 0)),
        *((value, None) for value in (*NUMBERS, doubt("new"), {"kind": ["missed"]})),
    ],
)
def test_a_part_that_cannot_be_meant_is_not_there(candidate: Any, expected: Doubt | None) -> None:
    assert doubt_in(candidate, PAGE) == expected


def test_the_heaviest_are_shown_and_the_others_counted() -> None:
    found, more = doubts_in([doubt("missed", (0, 0, n, n)) for n in range(MOST + 5)], PAGE)
    assert (len(found), more) == (MOST, 5)
    assert found[10].box == (0, 0, 0.05, 0.1)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        *((0, 0), (1, 1), (0.25, 0.25)),
        *((value, None) for value in (2, 1.01, *NUMBERS[:8], *NUMBERS[10:])),
    ],
)
def test_a_trust_that_cannot_be_meant_is_not_known(value: Any, expected: float | None) -> None:
    assert trust_in(value) == expected


def test_no_line_ends_the_others(tmp_path: Path) -> None:
    results = ResultSet(tmp_path)
    candidates = hostile_doubts(DOUBT_KINDS)
    for number, value in enumerate(candidates):
        results.add(
            f"{number}.png",
            [],
            status="doubtful",
            doubts=value,
            trust=NUMBERS[number % len(NUMBERS)],
        )
    entries = read_entries(results.finish())
    assert len(entries) == len(candidates)
    for entry in entries:
        assert len(entry.doubts) <= MOST
        for found in entry.doubts:
            assert found.kind in DOUBT_KINDS
            assert all(0 <= part <= 1 for part in found.box)
    assert (len(entries[-1].doubts), entries[-1].more_doubts) == (MOST, len(candidates[-1]) - MOST)
    assert entries[-1].size == SIZE
