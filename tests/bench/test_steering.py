"""How the client finds the number of pages in flight, on cards of all kinds, as events."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest

from bench import l4
from bench.steering import CASES, Client, Run, Server, Sim, pages, perfect
from server.in_flight import AHEAD, QUEUE, START

# share of a perfect client's rate; seconds that ours may need longer to fill the places
NEAR, FILL_S = 0.97, 5.0
FULL_CARDS = [name for name in CASES if "others" not in name and "no metrics" not in name]
FULL_CARDS.remove("L4, 256 places, which its cache has not")


def run_of(name: str) -> Run:
    count, client, server = CASES[name]
    return Sim(pages(count), client, server).run()


@pytest.mark.parametrize("name", FULL_CARDS)
def test_a_card_is_full_soon_and_never_flooded(name: str) -> None:
    count, _, server = CASES[name]
    run, (seconds, fill_s) = run_of(name), perfect(pages(count), server)
    assert seconds / run.seconds >= NEAR
    assert run.fill_s <= fill_s + FILL_S
    assert run.overshoot <= QUEUE * server.engines
    assert run.in_hand <= server.engines * (server.places + QUEUE) + AHEAD


def test_a_cache_that_is_too_small_throws_next_to_nobody_out() -> None:
    """Nearly as good as the best fixed number, which nobody knows before the run."""
    count, client, server = CASES["L4, 256 places, which its cache has not"]
    run = run_of("L4, 256 places, which its cache has not")
    fixed = (Sim(pages(count), replace(client, bound=n), server).run() for n in (80, 92, 104, 256))
    assert min(other.seconds for other in fixed) / run.seconds >= NEAR
    assert run.preemptions <= count / 100 and run.overshoot <= QUEUE


@pytest.mark.parametrize(("others", "share"), [(30, 0.5), (100, 0.05)])
def test_a_server_of_others_is_shared(others: int, share: float) -> None:
    """The others are always as many: our requests take what is free, and never starve."""
    jobs, server = pages(100), Server(l4.H200, others=others)
    run = Sim(jobs, Client(), server).run()
    assert perfect(jobs, server)[0] / run.seconds >= share
    assert run.overshoot < 2 * QUEUE  # the gauges do not say whose requests they count


def test_a_server_without_metrics_gets_the_start() -> None:
    run = Sim(pages(100), Client(late_s=None), Server(l4.H200, places=2)).run()
    assert run.overshoot <= START and run.in_hand == START + AHEAD


def test_a_run_is_the_same_each_time() -> None:
    once, again = (Sim(pages(20), Client(), Server()).run() for _ in range(2))
    assert once == again and math.isinf(once.fill_s) and once.seconds > once.tail_s > 0
