"""Hours and money: how long the pages take, by a run or by the cards; what the plan says."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Callable
from typing import Any

import pytest

from lib.knobs import Knobs
from lib.plan.forecast import Basis, Way, basis_of, forecast, own_way, ways
from lib.plan.left import Left
from lib.plan.making import took
from lib.plan.prices import G2_STANDARD_8, cost
from lib.plan.words import Plan, warnings
from rig.plans import GCP, H200, L4, LOCAL, run_with


def seconds(basis: Basis, pages: int, knobs: Knobs, machines: int = 1, **left: int) -> float:
    """The seconds of a forecast."""
    way = Way(machines, "", 1.0, 1.0)
    found = forecast(basis, Left(pages, **left), knobs, way)
    assert found is not None
    return found.hours * 3600


def test_without_a_run_it_is_the_table_of_cards() -> None:
    basis = basis_of(None, GCP)
    assert seconds(basis, 500, GCP) == pytest.approx(210 + L4.seconds(500))
    assert "NVIDIA L4, simulated" in basis.says
    assert seconds(basis, 500, dataclasses.replace(GCP, max_pixels=1_000_000)) < 900


@pytest.mark.parametrize(("pages", "billed_s"), [(50, 344), (500, 1_151), (5_000, 9_618)])
def test_the_table_tells_what_the_simulated_vm_billed(pages: int, billed_s: float) -> None:
    """From docs/speed.md, "What does the VM bill?": make all on the tests' cloud (bill.py)."""
    assert seconds(basis_of(None, GCP), pages, GCP) == pytest.approx(billed_s, rel=0.03)


FULL: dict[str, Any] = {"bucket": "gs://b", "processes": 512}


def test_several_cards_read_as_one_each() -> None:
    """PROCESSES limits how full each card's batch can be."""
    four = Knobs(bucket="gs://b", machine_type="g2-standard-48")
    basis = basis_of(None, four)
    assert seconds(basis, 2_000, four) == pytest.approx(210 + L4.seconds(500))
    assert "4 × NVIDIA L4, simulated" in basis.says
    eight = Knobs(**FULL, machine_type="a3-ultragpu-8g")
    as_64 = dataclasses.replace(H200, slots=64)
    assert seconds(basis_of(None, eight), 8_000, eight) == pytest.approx(210 + as_64.seconds(1_000))
    run = run_with(place=four.machine_type, pages=2_000, reading_s=2 * L4.seconds(500))
    expected = 210 + 2 * L4.seconds(5_000)
    assert seconds(basis_of(run, four), 20_000, four) == pytest.approx(expected)


def test_a_run_of_this_kind_tells_how_much_slower_or_faster_it_is() -> None:
    """Also for a few pages. Each takes longer then, because the card's batch was not full."""
    for pages, times in ((8, 1.0), (500, 1.4), (500, 0.25)):
        reading_s = L4.seconds(pages) * times
        run = run_with(pages=pages, reading_s=reading_s)
        expected = 50 + 140 + 20 + times * L4.seconds(5_000)
        assert seconds(basis_of(run, GCP), 5_000, GCP) == pytest.approx(expected)


def test_longer_answers_take_longer() -> None:
    of_books = run_with(tokens=3_000.0, reading_s=L4.seconds(500, 3_000.0))
    expected = 210 + L4.seconds(2_000, 3_000.0)
    assert seconds(basis_of(of_books, GCP), 2_000, GCP) == pytest.approx(expected)


def test_eight_machines_read_seven_and_a_half_times_as_fast() -> None:
    basis = basis_of(None, GCP)
    one, eight = (seconds(basis, 100_000, GCP, machines) - 210 for machines in (1, 8))
    assert one / eight == pytest.approx(8 * 0.95, rel=0.01)
    fleet = run_with(machines=8, pages=8 * 5_000, reading_s=L4.seconds(5_000 / 0.95))
    assert seconds(basis_of(fleet, GCP), 100_000, GCP, 1) == pytest.approx(one + 210, rel=0.01)


def test_over_ssh_pages_and_results_travel_while_it_is_on() -> None:
    reading_s, ssh = L4.seconds(500), Knobs()
    steps_s = {"start": 50.0, "upload": 30.0, "process": reading_s + 110, "stop": 20.0}
    run = run_with(bucket=False, steps_s=steps_s | {"download": 10.0})
    basis = basis_of(run, ssh)
    assert seconds(basis, 500, ssh, size_bytes=150_000_000) == pytest.approx(220 + reading_s)
    twice = 220 + 30 + 10 + L4.seconds(1_000)
    assert seconds(basis, 1_000, ssh, size_bytes=300_000_000) == pytest.approx(twice)


def test_what_nobody_has_measured_is_not_known() -> None:
    for knobs in (LOCAL, Knobs(target="ssh"), Knobs(machine_type="n1-standard-8")):
        basis = basis_of(None, knobs)
        assert forecast(basis, Left(8), knobs, own_way(knobs)) is None
        assert "not known" in Plan(Left(8), basis, None, [], knobs).line()


def test_of_an_unknown_card_the_last_run_tells_a_page_s_time() -> None:
    run = run_with(target="local", bucket=False, pages=8, reading_s=60.0, steps_s={"start": 9.0})
    assert seconds(basis_of(run, LOCAL), 16, LOCAL) == pytest.approx(9 + 120)


def test_nothing_to_read_costs_nothing() -> None:
    found = forecast(basis_of(None, GCP), Left(0, 12), GCP, own_way(GCP))
    assert found is not None and (found.hours, found.cost.total) == (0, 0)


def test_the_parts_of_the_price() -> None:
    """200 GB of disk cost 26 USD a month. A page and three results are written; all are read."""
    found = cost(730, 1.0, 200, 1_000_000, 300.0)
    assert found.machines == 730
    assert found.disks == pytest.approx(26)
    assert found.bucket == pytest.approx(20 + 1.6 + (300 + 18) * 0.023)
    assert found.egress == pytest.approx(18 * 0.12)
    assert cost(730, 1.0, 200, 1_000_000, None).bucket == 0


def test_the_knobs_prices_win() -> None:
    knobs = Knobs(price_per_hour=2.0, price_per_worker_hour=0.5, workers=3)
    assert own_way(knobs).per_hour == 3.5
    assert [way.per_hour for way in ways(knobs)] == [2, 0.5, 16, 5.5, 128, 33.5]
    assert own_way(Knobs(target="local")).per_hour == 0
    assert ways(Knobs(target="ssh")) == []


def test_a_spot_vm_s_price_is_not_shown_as_that_on_demand() -> None:
    assert ways(Knobs(spot=True, price_per_hour=0.2)) == [Way(1, "spot", 0.2, 0.2)]
    assert ways(Knobs(spot=True)) == ways(Knobs())


def test_the_defaults_are_the_prices_of_the_default_zone() -> None:
    knobs = Knobs()
    listed = G2_STANDARD_8[knobs.zone.rpartition("-")[0]]
    assert (knobs.price_per_hour, knobs.price_per_worker_hour) == listed


FOUR_OF_ONE = (
    "PRICE_PER_HOUR: priced for a g2-standard-8, and this is a g2-standard-48, with its 4 GPUs"
)
BEWARE: list[tuple[Knobs, Callable[[str], bool]]] = [
    (GCP, lambda text: not text),
    (Knobs(),
     lambda text: text.startswith("without BUCKET the VM waits, and bills, while 300.0 MB")),
    (Knobs(bucket="gs://b", max_hours=0.1), lambda text: text.startswith("MAX_HOURS=0.1 ends it")),
    (Knobs(bucket="gs://b", zone="us-central1-a"), lambda text: "0.854 and 0.341" in text),
    (Knobs(bucket="gs://b", zone="europe-west4-a"), lambda text: "other prices" in text),
    (Knobs(bucket="gs://b", zone="europe-west4-a", price_per_hour=1), lambda text: not text),
    (Knobs(bucket="gs://b", machine_type="g2-standard-48"), lambda text: text == FOUR_OF_ONE),
    (Knobs(bucket="gs://b", machine_type="g2-standard-48", price_per_hour=4),
     lambda text: not text),
    (Knobs(bucket="gs://b", processes=64, machine_type="g2-standard-24", price_per_hour=2),
     lambda text: text == "PROCESSES=64: 128 pages at once would fill the machine's cards"),
    (Knobs(bucket="gs://b", spot=True),
     lambda text: text == "PRICE_PER_HOUR: the price on demand, and this is a spot VM"),
    (Knobs(bucket="gs://b", spot=True, price_per_hour=0.229), lambda text: not text),
    (Knobs(target="ssh"), lambda text: not text),
]  # fmt: skip


@pytest.mark.parametrize(("knobs", "fits"), BEWARE)
def test_what_the_numbers_do_not_say_is_told(knobs: Knobs, fits: Callable[[str], bool]) -> None:
    basis, left = basis_of(None, knobs), Left(1_000, size_bytes=300_000_000)
    own = forecast(basis, left, knobs, own_way(knobs))
    assert fits("; ".join(warnings(Plan(left, basis, own, [], knobs))))


@pytest.mark.parametrize(
    ("knobs", "told"),
    [
        (Knobs(bucket="gs://b", machine_type="g2-standard-48", price_per_hour=4.4),
         FOUR_OF_ONE.replace("PRICE_PER", "PRICE_PER_WORKER")),
        (Knobs(bucket="gs://b", zone="us-central1-a", price_per_hour=0.854),
         "PRICE_PER_WORKER_HOUR is Seoul's; us-central1 has 0.854 and 0.341"),
        (Knobs(bucket="gs://b", zone="us-central1-a", price_per_worker_hour=0.341),
         "PRICE_PER_HOUR is Seoul's; us-central1 has 0.854 and 0.341"),
        (Knobs(bucket="gs://b", zone="europe-west4-a"),
         "PRICE_PER_HOUR and PRICE_PER_WORKER_HOUR are Seoul's; europe-west4 has other prices"),
        (Knobs(bucket="gs://b", machine_type="g2-standard-48", spot=True, price_per_hour=0.2), ""),
        (GCP, ""),
    ],
)  # fmt: skip
def test_a_price_of_another_way_is_told_too(knobs: Knobs, told: str) -> None:
    """The table shows spot VMs at PRICE_PER_WORKER_HOUR, also if WORKERS is 0."""
    basis, left = basis_of(None, knobs), Left(1_000, size_bytes=300_000_000)
    own = forecast(basis, left, knobs, own_way(knobs))
    others = [one for way in ways(knobs) if (one := forecast(basis, left, knobs, way))]
    assert "; ".join(warnings(Plan(left, basis, own, others, knobs))) == told


def test_what_it_took_stands_beside_what_was_planned() -> None:
    left = Left(500, size_bytes=1)
    own = forecast(basis_of(None, GCP), left, GCP, own_way(GCP))
    plan = Plan(left, basis_of(None, GCP), own, [], GCP)
    said = "the VM was on for 30 min: 0.55 USD, and the disk; planned: 19 min, 0.35 USD"
    assert took(plan, 1_800.0) == said
    crew = dataclasses.replace(GCP, workers=4, price_per_worker_hour=0.25)
    said = took(Plan(left, basis_of(None, crew), None, [], crew), 1_800.0)
    assert said == "the VM and its 4 workers were on for 30 min: at most 1.05 USD, and the disk"
    said = took(plan, 1_800.0, has_started=False)  # the zone may have had no machine
    assert said.startswith("the VM was on for at most 30 min: at most 0.55 USD, and the disk")
    said = took(plan, 1_800.0, before=1e9)
    assert said.startswith(
        "the VM was on for 30 min: 0.55 USD, and the disk; it was on before us, "
    )
    assert re.search(r", since 2001-09-\d\d \d\d:\d\d:\d\d; planned: ", said)
