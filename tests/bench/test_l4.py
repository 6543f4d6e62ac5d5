"""The simulated card: its rates are those of the data sheet, and its scheduler is vLLM's."""

from __future__ import annotations

from collections import deque

import pytest

from bench.gpu import PLAUSIBLE
from bench.l4 import (
    H200,
    KV_TOKENS,
    L4,
    PROMPT_TOKENS,
    STEP_TOKENS,
    Card,
    Job,
    best_possible_s,
    pages_per_s,
    seconds_for,
)


@pytest.mark.parametrize(("in_flight", "rate"), PLAUSIBLE.items())
def test_the_rates_are_those_on_paper(in_flight: int, rate: float) -> None:
    assert pages_per_s(in_flight) == pytest.approx(rate, rel=0.03)


@pytest.mark.parametrize(
    ("tokens", "paper_s"), [(1_275, 0.19), (2_551, 0.49), (4_936, 1.36), (14_400, 8.7)]
)
def test_reading_a_picture_takes_twice_what_it_does_on_paper(tokens: int, paper_s: float) -> None:
    assert L4.prefill_s(tokens) == pytest.approx(2 * paper_s, rel=0.03)


@pytest.mark.parametrize(("in_flight", "rate"), {1: 0.28, 12: 2.2, 64: 4.5, 256: 5.5}.items())
def test_the_rates_of_an_h200_are_those_of_the_fit(in_flight: int, rate: float) -> None:
    """The rates of the fit to 71 windows on a real H200; it was measured at 1.6, 4.3 and 5.3."""
    assert pages_per_s(in_flight, 2_519, 1_260, H200) == pytest.approx(rate, rel=0.02)
    assert H200.prefill_s(2_519) == pytest.approx(0.127, rel=0.01)


def jobs(*answers: int, picture: int = 2_551) -> list[Job]:
    return [Job(picture, answer) for answer in answers]


def finished(card: Card) -> list[Job]:
    """Run the card until it has no more work; return the jobs as they end."""
    ended = []
    while card.waiting or card.running:
        ended += card.step()
    return ended


def test_every_page_gets_its_whole_answer() -> None:
    card = Card(4, waiting=deque(jobs(30, 10, 20, 5, 40, 1)))
    ended = finished(card)
    assert sorted(job.answer for job in ended) == [1, 5, 10, 20, 30, 40]
    assert all(job.written == job.answer for job in ended)
    assert card.cached == 0 and card.preemptions == 0


def test_the_batch_is_never_larger_than_allowed() -> None:
    card = Card(3, waiting=deque(jobs(*range(1, 20))))
    while card.waiting or card.running:
        card.step()
        assert len(card.running) <= 3


def test_one_step_reads_no_more_than_its_tokens() -> None:
    card = Card(64, waiting=deque(jobs(*[100] * 20)))
    card.step()
    assert len(card.running) == STEP_TOKENS // (2_551 + PROMPT_TOKENS)


def test_a_picture_larger_than_a_step_is_read_all_the_same() -> None:
    card = Card(64, waiting=deque(jobs(1, picture=STEP_TOKENS + 1)))
    assert len(card.step()) == 1


def test_a_full_cache_throws_out_the_youngest_who_comes_back() -> None:
    picture = KV_TOKENS // 3 - PROMPT_TOKENS - 100
    card = Card(64, waiting=deque(jobs(500, 501, 502, picture=picture)))
    ended = finished(card)
    assert card.preemptions > 0
    assert [job.answer for job in ended] == [500, 501, 502]


@pytest.mark.parametrize("place", ["waiting", "running"])
def test_a_dropped_request_leaves_no_trace(place: str) -> None:
    one, other = jobs(10, 10)
    card = Card(1, waiting=deque([one, other]))
    card.step()
    card.drop({"running": one, "waiting": other}[place])
    assert len(finished(card)) == 1 and card.cached == 0


def test_an_empty_card_lets_no_time_pass() -> None:
    card = Card()
    assert card.step() == [] and card.now_s == 0


def test_a_perfect_client_begins_with_the_longest() -> None:
    short_first = jobs(*[200] * 40, 6_000)
    assert best_possible_s(short_first, 8) < 0.95 * seconds_for(short_first, 8)
    assert best_possible_s(short_first, 8) == seconds_for(short_first[::-1], 8)


def test_the_pages_are_left_as_they_were() -> None:
    pages = jobs(5, 6)
    seconds_for(pages)
    assert [page.written for page in pages] == [0, 0]
