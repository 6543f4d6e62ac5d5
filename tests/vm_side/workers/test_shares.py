"""Which node gets the next page, as tables."""

from __future__ import annotations

import dataclasses

import pytest

from workers.shares import Share, next_node

L4, H200 = Share(64, usual_s=115.0), Share(256, usual_s=50.0)


def holding(share: Share, held: int) -> Share:
    """A node like this one with so many pages."""
    return dataclasses.replace(share, held=held)


@pytest.mark.parametrize(
    ("held", "next_one"),
    [
        ((0, 0), "a"),
        ((16, 0), "b"),
        ((32, 100), "b"),  # 50% against 39%
        ((32, 200), "a"),
        ((64, 255), "b"),
        ((64, 256), None),
        ((70, 300), None),  # both limits have become smaller
    ],
)
def test_the_emptiest_gets_it(held: tuple[int, int], next_one: str | None) -> None:
    shares = {"a": holding(L4, held[0]), "b": holding(H200, held[1])}
    assert next_node(shares, 10_000, 0.0) == next_one


@pytest.mark.parametrize(
    ("waiting", "next_one"),
    [(10_000, "slow"), (340, "slow"), (320, None), (1, None)],  # 65 s, of 5.12 pages each
)
def test_a_slow_node_gets_none_of_the_last_pages(waiting: int, next_one: str | None) -> None:
    """They would end there long after the quick node has read all others."""
    shares = {"slow": holding(L4, 0), "quick": holding(H200, 256)}
    assert next_node(shares, waiting, 0.0) == next_one


@pytest.mark.parametrize("usual_s", [0.0, 115.0, 121.0])
def test_nodes_that_are_alike_get_all_of_them(usual_s: float) -> None:
    """Also if nobody knows yet how quick they are."""
    shares = {"a": holding(L4, 64), "b": Share(64, usual_s=usual_s)}
    assert next_node(shares, 10, 0.0) == "b"


@pytest.mark.parametrize(
    ("silent_s", "next_one"), [(10.0, None), (100.0, None), (130.0, "slow"), (1_000.0, "slow")]
)
def test_a_quick_node_that_has_fallen_silent_is_not_waited_for(
    silent_s: float, next_one: str | None
) -> None:
    shares = {"slow": Share(64, usual_s=115.0), "quick": holding(H200, 256)}
    assert next_node(shares, 1, silent_s) == next_one


def test_who_has_nothing_to_say_is_not_silent() -> None:
    """The node still counts as quick, however long it had no page."""
    shares = {"slow": holding(L4, 0), "quick": holding(H200, 0)}
    assert next_node(shares, 1, 1_000.0) == "quick"
    shares["quick"].take(1_000.0)
    assert shares["quick"].page_s(1_020.0) == 50.0


def test_what_a_page_takes_is_what_the_last_ones_took() -> None:
    share = Share(4)
    for now_s, page_s in enumerate([*(500.0,) * 40, *(10.0,) * 33]):
        share.take(now_s)
        share.end(page_s, now_s)
    assert share.usual_s == 10.0 and share.held == 0


def test_no_node_no_page() -> None:
    assert next_node({}, 5, 0.0) is None
    assert next_node({"a": Share(0), "b": Share(-3)}, 5, 0.0) is None
