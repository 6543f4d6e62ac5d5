"""What the name of a machine type says about its cards."""

import pytest

from lib.knobs import Knobs
from lib.machine_types import cards_in, price_warning, unpriced, with_cards, wrong_price


@pytest.mark.parametrize(
    ("machine_type", "cards"),
    [
        ("g2-standard-4", 1),
        ("g2-standard-8", 1),
        ("g2-standard-32", 1),
        ("g2-standard-24", 2),
        ("g2-standard-48", 4),
        ("g2-standard-96", 8),
        ("a2-highgpu-1g", 1),
        ("a2-megagpu-16g", 16),
        ("a3-highgpu-8g", 8),
        ("a3-ultragpu-8g", 8),
        ("n1-standard-8", 1),
        ("", 1),
    ],
)
def test_how_many_cards_a_machine_has(machine_type: str, cards: int) -> None:
    assert cards_in(machine_type) == cards


def test_it_is_told() -> None:
    assert with_cards("g2-standard-8") == "g2-standard-8, with its GPU"
    assert with_cards("g2-standard-24") == "g2-standard-24, with its 2 GPUs"


@pytest.mark.parametrize(
    ("knobs", "machine_type", "wrong"),
    [
        (Knobs(), "g2-standard-8", ""),
        (Knobs(price_per_hour=4.0), "g2-standard-48", ""),
        (Knobs(), "g2-standard-48", "PRICE_PER_HOUR: priced for a g2-standard-8, and"),
        (Knobs(workers=2), "g2-standard-4", "PRICE_PER_HOUR and PRICE_PER_WORKER_HOUR: priced"),
        (Knobs(workers=2, price_per_hour=4.0), "a3-highgpu-1g", "PRICE_PER_WORKER_HOUR: priced"),
    ],
)
def test_whose_a_price_is(knobs: Knobs, machine_type: str, wrong: str) -> None:
    assert wrong_price(knobs, machine_type).startswith(wrong)
    assert bool(wrong_price(knobs, machine_type)) is bool(wrong)


def test_the_price_on_demand_is_not_a_spot_vms() -> None:
    """An earlier `make plan SPOT=1` silently showed five times the real cost."""
    assert "this is a spot VM" in price_warning(Knobs(), "g2-standard-8", spot=True)
    assert not price_warning(Knobs(), "g2-standard-8", spot=False)
    assert not price_warning(Knobs(price_per_hour=0.229), "g2-standard-8", spot=True)
    assert "priced for a g2-standard-8" in price_warning(Knobs(), "g2-standard-48", spot=True)


def test_only_a_budget_needs_it() -> None:
    assert not unpriced(Knobs(), "g2-standard-48")
    assert not unpriced(Knobs(budget=5.0), "g2-standard-8")
    assert unpriced(Knobs(budget=5.0), "g2-standard-48").startswith("BUDGET needs the machine's")
