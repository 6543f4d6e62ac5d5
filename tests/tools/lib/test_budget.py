"""BUDGET at home: what it pays for, its effect on MAX_HOURS, and what is refused."""

from __future__ import annotations

import dataclasses
import re
from typing import Any

import pytest

from lib.knobs import Knobs
from lib.plan.budget import paid_s, too_little, within_budget
from lib.plan.forecast import Basis, basis_of, forecast, own_way
from lib.plan.left import Left
from lib.plan.making import took
from lib.plan.words import Plan, warnings

ONE_USD = Knobs(price_per_hour=1.0, bucket="gs://b")
CREW = dataclasses.replace(ONE_USD, workers=8, price_per_worker_hour=0.25)


def plan_of(knobs: Knobs, pages: int = 1_000) -> Plan:
    """The plan for so many pages, by the table of cards."""
    basis, left = basis_of(None, knobs), Left(pages, size_bytes=1)
    return Plan(left, basis, forecast(basis, left, knobs, own_way(knobs)), [], knobs)


@pytest.mark.parametrize(
    ("knobs", "budget", "hours"),
    [
        (ONE_USD, 0.0, None),
        (ONE_USD, 5.0, 5.0),
        (CREW, 6.0, 2.0),
        (dataclasses.replace(ONE_USD, target="local"), 5.0, None),
        (dataclasses.replace(ONE_USD, price_per_hour=0.0), 5.0, None),
    ],
)
def test_what_it_pays(knobs: Knobs, budget: float, hours: float | None) -> None:
    paid = paid_s(dataclasses.replace(knobs, budget=budget))
    assert paid == (None if hours is None else pytest.approx(hours * 3600))


@pytest.mark.parametrize(
    ("budget", "max_hours", "lowered_s"),
    [
        (0.0, 12.0, 12 * 3600),
        (0.0, 0.0, 0),
        (1.0, 12.0, 3600 - 312 / 2),
        (1.0, 0.0, 3600 - 312 / 2),
        (1.0, 0.5, 1800),
        (20.0, 12.0, 12 * 3600),
    ],
)
def test_the_longest_run_is_lowered(budget: float, max_hours: float, lowered_s: float) -> None:
    knobs = dataclasses.replace(ONE_USD, budget=budget, max_hours=max_hours)
    assert within_budget(knobs).max_hours * 3600 == pytest.approx(lowered_s)


@pytest.mark.parametrize(
    ("budget", "max_hours", "on_s", "longest_s"),
    [
        (1.0, 12.0, 5 * 3600, 6 * 3600 - 312 / 2),
        (1.0, 12.0, -5.0, 3600 - 312 / 2),  # the VM's clock is ahead of ours
        (1.0, 12.0, 11.5 * 3600, 12 * 3600),
        (0.0, 12.0, 5 * 3600, 12 * 3600),
        # more than Google allows, so that the start would refuse it
        (5_000.0, 0.0, 0, 2880 * 3600),
    ],
)
def test_of_a_vm_that_was_on_before_the_budget_counts_from_now(
    budget: float, max_hours: float, on_s: float, longest_s: float
) -> None:
    """MAX_HOURS counts from its start. With only the budget, the guard would end it now."""
    knobs = dataclasses.replace(ONE_USD, budget=budget, max_hours=max_hours)
    assert within_budget(knobs, on_s).max_hours * 3600 == pytest.approx(longest_s)


@pytest.mark.parametrize("budget", [0.1, 0.5, 1.0, 5.0, 100.0])
def test_a_guard_that_is_two_minutes_late_is_in_time(budget: float) -> None:
    """It counts whole minutes, and looks once a minute. Budgets from 20 minutes on are kept."""
    knobs = dataclasses.replace(ONE_USD, budget=budget)
    late_h = within_budget(knobs).max_hours + 2 / 60
    assert (late_h <= budget) is (budget * 60 >= 20)


@pytest.mark.parametrize(
    ("knobs", "budget", "refused"),
    [
        (ONE_USD, 0.0, False),
        (ONE_USD, 0.08, True),
        (ONE_USD, 0.12, False),
        (CREW, 0.2, True),
        (CREW, 0.5, False),
        # how long a start takes is not known
        (dataclasses.replace(ONE_USD, target="ssh"), 0.02, False),
        # less than Google's smallest limit
        (dataclasses.replace(ONE_USD, target="ssh"), 0.009, True),
        (dataclasses.replace(ONE_USD, target="local"), 0.001, False),
    ],
)
def test_less_than_a_start_and_a_page_is_refused(
    knobs: Knobs, budget: float, refused: bool
) -> None:
    said = plan_of(dataclasses.replace(knobs, budget=budget)).refusal
    assert said.startswith(f"BUDGET={budget:g} USD pays for ") if refused else not said


@pytest.mark.parametrize(
    ("changed", "told"),
    [
        ({}, ""),
        ({"price_per_hour": 0.0}, "PRICE_PER_HOUR of 0"),
        ({"price_per_hour": 0.0, "target": "ssh"}, "PRICE_PER_HOUR of 0"),
        ({"price_per_hour": 0.0, "target": "local"}, ""),
        ({"price_per_hour": 0.0, "budget": 0.0}, ""),
        ({"price_per_worker_hour": 0.0}, ""),  # there are no workers
        ({"price_per_worker_hour": 0.0, "workers": 3}, "PRICE_PER_WORKER_HOUR of 0"),
        (
            {"price_per_hour": 0.0, "price_per_worker_hour": 0.0, "workers": 3},
            "PRICE_PER_HOUR and PRICE_PER_WORKER_HOUR of 0",
        ),
    ],
)
def test_what_costs_nothing_has_no_budget(changed: dict[str, Any], told: str) -> None:
    """Such a budget would limit nothing, silently. make plan says it, too."""
    plan = plan_of(dataclasses.replace(ONE_USD, **{"budget": 5.0, **changed}))
    assert plan.refusal == (
        f"BUDGET limits nothing with {told} (say what an hour costs, or BUDGET=0)" if told else ""
    )
    unknown = dataclasses.replace(plan, own=None, basis=Basis(None, None))
    for one in (plan, unknown):
        said = " ".join(text for name, text in one.rows() if name == "beware")
        assert ("make all would end at once: BUDGET limits nothing" in said) is bool(told)


@pytest.mark.parametrize("budget", [0.0001, 0.005, 0.01, 0.0111, 0.0112, 0.05])
def test_what_is_refused_pays_less_than_what_is_asked(budget: float) -> None:
    """Also for an unknown machine: a run of less than 36 s is too short to be useful."""
    said = too_little(dataclasses.replace(ONE_USD, target="ssh", budget=budget), Basis(None, None))
    if said:
        paid, asked = map(float, re.findall(r"(?:pays for|about) ([\d.]+)", said))
        assert paid <= asked
    assert bool(said) is (budget < 0.0112)


def test_with_another_machine_s_price_no_budget_can_be_kept() -> None:
    """The real bill would be several times as high."""
    knobs = Knobs(bucket="gs://b", budget=50.0, machine_type="g2-standard-96")
    said = plan_of(knobs).refusal
    assert said.startswith(
        "BUDGET needs the machine's own price: PRICE_PER_HOUR: priced for a g2-standard-8, and"
    )
    assert not plan_of(dataclasses.replace(knobs, price_per_hour=8.0)).refusal
    crew = dataclasses.replace(knobs, price_per_hour=8.0, workers=3)
    assert "PRICE_PER_WORKER_HOUR: priced for a g2-standard-8," in plan_of(crew).refusal
    assert not plan_of(dataclasses.replace(knobs, target="local")).refusal


@pytest.mark.parametrize(
    ("budget", "told"),
    [
        (0.08, ["make all would end at once: BUDGET=0.08 USD pays for 4.8 minutes"]),
        (0.15, ["BUDGET=0.15 ends it before: run again for the rest"]),
        (3.0, []),
    ],
)
def test_the_plan_tells_that_it_does_not_pay_all(budget: float, told: list[str]) -> None:
    plan = plan_of(dataclasses.replace(ONE_USD, budget=budget))
    assert [text.partition(";")[0] for text in warnings(plan) if "BUDGET" in text] == told


def test_what_it_took_is_beside_what_was_planned() -> None:
    assert "planned: " in took(plan_of(dataclasses.replace(ONE_USD, budget=1.0)), 60.0)
