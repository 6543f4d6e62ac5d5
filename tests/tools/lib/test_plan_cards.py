"""The table of cards, compared with what was simulated and measured."""

from __future__ import annotations

import dataclasses
import math
import random

import pytest

from bench import l4
from lib.plan.cards import SPREAD, TOKENS, card_of, longest, weight
from rig.plans import H200, L4


def answers(count: int, seed: int) -> list[int]:
    """Tokens of so many answers, distributed as in tests/bench/gpu.py."""
    rng, median = random.Random(seed), TOKENS / math.exp(SPREAD**2 / 2)
    return [
        int(min(5_965, max(198, median * math.exp(rng.gauss(0, SPREAD))))) for _ in range(count)
    ]


@pytest.mark.parametrize("count", [1, 8, 20, 50, 100, 500])
def test_the_l4_is_that_of_the_simulated_card(count: int) -> None:
    """Compared with its scheduler, step by step, for answers of all lengths; a mean of draws."""
    draws = range(12 if count < 100 else 3)
    exact = [
        l4.best_possible_s([l4.Job(2_551, tokens) for tokens in answers(count, seed)])
        for seed in draws
    ]
    mean = sum(exact) / len(exact)
    assert L4.seconds(count) * L4.of_best == pytest.approx(mean, rel=0.08)


@pytest.mark.parametrize(("slots", "pages_per_s"), [(64, 4.29), (256, 5.3)])
def test_the_h200_is_as_it_was_measured(slots: int, pages_per_s: float) -> None:
    """In the middle of 400 pages, with so many pages in flight."""
    card = dataclasses.replace(H200, slots=slots)
    assert card.pages_per_s == pytest.approx(pages_per_s, rel=0.03)


@pytest.mark.parametrize(("pixels", "tokens"), [(1_000_000, 1_275), (4_000_000, 5_102)])
def test_what_a_picture_takes_goes_with_its_pixels(pixels: int, tokens: int) -> None:
    assert weight(pixels) == pytest.approx(
        l4.L4.prefill_s(tokens) / l4.L4.prefill_s(2_551), rel=0.01
    )


def test_one_answer_is_an_average_one() -> None:
    assert longest(1, TOKENS) == pytest.approx(TOKENS, rel=0.1)
    assert longest(8, TOKENS) < longest(500, TOKENS) < 6_100


@pytest.mark.parametrize(
    ("machine", "card"), [("g2-standard-8", L4), ("a3-ultragpu-8g", H200), ("n1-standard-8", None)]
)
def test_the_card_is_that_of_the_machine(machine: str, card: object) -> None:
    assert card_of(machine) is card
