"""The plan: what is left, by the manifest; how long that takes, by a run or by the cards."""

from __future__ import annotations

import dataclasses
import json
import math
import os
import random
from collections.abc import Callable, Collection, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from bench import l4
from contract import Selection, selection_from
from lib.files import sha256_or_none
from lib.inputs import Inputs
from lib.knobs import Knobs
from lib.plan import left as left_of
from lib.plan.cards import CARDS, SPREAD, TOKENS, card_of, longest, weight
from lib.plan.counting import count_in
from lib.plan.forecast import Basis, Way, basis_of, forecast, own_way, ways
from lib.plan.left import File, Left, content_of, known_files
from lib.plan.making import remember, run_of, took
from lib.plan.prices import G2_STANDARD_8, cost
from lib.plan.runs import RUNS, Run, last_of_kind, runs_in
from lib.plan.words import Plan, warnings
from lib.results import Line

RECIPE = {"prompt_mode": "layout_all", "max_pixels": 2_000_000, "upsample_below": 1_200_000}
RECIPE |= {"rotate": "auto"}
L4, H200 = CARDS
GCP, LOCAL = Knobs(bucket="gs://b"), Knobs(target="local")


@pytest.mark.timeout(20)
@pytest.mark.parametrize("name", ["a.pdf", "a.tif"])
def test_a_pipe_is_not_waited_for(tmp_path: Path, name: str) -> None:
    os.mkfifo(tmp_path / name)
    assert count_in(tmp_path / name, "") == 0
    assert sha256_or_none(tmp_path / name) is None


# ---- cards ----


def answers(count: int, seed: int) -> list[int]:
    """Tokens of so many answers, as tests/bench/gpu.py has them."""
    rng, median = random.Random(seed), TOKENS / math.exp(SPREAD**2 / 2)
    return [
        int(min(5_965, max(198, median * math.exp(rng.gauss(0, SPREAD))))) for _ in range(count)
    ]


@pytest.mark.parametrize("count", [1, 8, 20, 50, 100, 500])
def test_the_l4_is_that_of_the_simulated_card(count: int) -> None:
    """Its scheduler, step by step, for answers of all lengths: the mean over some draws of them."""
    draws = range(12 if count < 100 else 3)
    exact = [
        l4.best_possible_s([l4.Job(2_551, tokens) for tokens in answers(count, seed)])
        for seed in draws
    ]
    mean = sum(exact) / len(exact)
    assert L4.seconds(count) * L4.of_best == pytest.approx(mean, rel=0.08)


@pytest.mark.parametrize(("slots", "pages_per_s"), [(64, 4.29), (256, 5.3)])
def test_the_h200_is_as_it_was_measured(slots: int, pages_per_s: float) -> None:
    """In the middle of 400 pages, with so many in flight."""
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


# ---- what is left ----


def line(name: str, page: int | None = None, pages: int = 0, **more: Any) -> Line:
    """A page that was read, at second 100."""
    values = {"sha256": f"sha of {name}", "model": "dots", "settings": RECIPE, "finished_at": 100.0}
    return Line("", name, name, page, "ok", pdf_pages=pages, **{**values, **more})


def of_now(name: str, lines: Collection[Line]) -> str | None:
    """Nothing has changed."""
    return f"sha of {name}"


KNOWN: list[tuple[str, list[Line], dict[str, File]]] = [
    ("a page", [line("a.png")], {"a.png": File(1, 1)}),
    ("failed", [dataclasses.replace(line("a.png"), status="failed")], {"a.png": File(1, 0)}),
    ("another model", [line("a.png", model="x"), line("b.png", finished_at=200.0)],
     {"a.png": File(1, 0), "b.png": File(1, 1)}),
    ("another recipe", [line("a.png", settings=RECIPE | {"max_pixels": 1_000_000})],
     {"a.png": File(1, 0)}),
    ("another content", [line("a.png", sha256="old")], {}),
    ("a frame of one", [line("a.tif")], {"a.tif": File(1, 1)}),
    ("two of three", [line("a.pdf", n, 3) for n in (0, 2)], {"a.pdf": File(3, 2)}),
    ("more pages than a file can have", [line("a.pdf", 0, 10**400)], {"a.pdf": File(0, 1)}),
    ("fewer than none", [line("a.pdf", 0, -7)], {"a.pdf": File(0, 1)}),
    ("killed before it was counted", [line("a.pdf", 0)], {"a.pdf": File(0, 1)}),
]  # fmt: skip


@pytest.mark.parametrize(("lines", "known"), [c[1:] for c in KNOWN], ids=[c[0] for c in KNOWN])
def test_what_the_manifest_knows_of_a_file(lines: list[Line], known: dict[str, File]) -> None:
    assert known_files(lines, Knobs(), Selection(), of_now) == known


def test_the_previews_pages_are_not_done_for_a_vm() -> None:
    lines = [line("a.png", model="dots-ocr-cpu-preview")]
    assert known_files(lines, Knobs(), Selection(), of_now) == {"a.png": File(1, 0)}
    assert known_files(lines, LOCAL, Selection(), of_now) == {"a.png": File(1, 1)}


def test_doubtful_pages_are_left_where_they_are_to_be_read_again() -> None:
    by_ink = dataclasses.replace(line("a.png"), status="doubtful")
    by_reader = dataclasses.replace(by_ink, read_as="ok", reader_lines=[{"text": "a"}])
    for doubtful, done in ((False, 1), (True, 0)):
        knobs = Knobs(doubtful=doubtful)
        for doubted in (by_ink, by_reader):
            assert known_files([doubted], knobs, Selection(), of_now) == {"a.png": File(1, done)}


@pytest.mark.parametrize(
    ("known", "wanted", "pages", "done"),
    [
        ({}, "", 10, 0),
        ({"a.png": File(1, 1), "p.pdf": File(7, 7)}, "", 2, 8),
        ({"p.pdf": File(0, 3)}, "", 7, 3),
        ({"p.pdf": File(7, 3)}, "2-4", 0, 3),
    ],
)
def test_the_pages_of_all_files(
    known: Mapping[str, File], wanted: str, pages: int, done: int
) -> None:
    """Two pictures, a PDF of seven pages, and one that cannot be counted: it counts as one."""
    inputs = Inputs(Path("/in"), ("a.png", "b.JPG", "p.pdf", "torn.pdf"))

    def count(paths: Sequence[Path]) -> dict[Path, int]:
        return {path: 7 for path in paths if path.name == "p.pdf"}

    found = left_of.left(inputs, known, selection_from(wanted), count)
    assert found == Left(pages, done, uncounted=1)


def test_a_file_that_is_older_than_its_results_is_not_read(tmp_path: Path) -> None:
    """Its content is read where it may have changed since."""
    page = tmp_path / "a.png"
    page.write_bytes(b"new")
    lines = [line("a.png", sha256="told")]
    for finished_at, sha256 in ((1e12, "told"), (1.0, "11507a0e2f5e69d5dfa40a62a1bd7b6e")):
        found = content_of(page, [dataclasses.replace(lines[0], finished_at=finished_at)])
        assert (found or "").startswith(sha256)
    page.unlink()
    assert content_of(page, lines) is None


# ---- runs ----


def run_with(**more: Any) -> Run:
    """A run of 500 pages on an L4, through a bucket."""
    reading_s = more.get("reading_s", L4.seconds(500))
    values: dict[str, Any] = {
        "target": "gcp",
        "place": "g2-standard-8",
        "bucket": True,
        "machines": 1,
        "model": "dots",
        "settings": RECIPE,
        "pages": 500,
        "tokens": TOKENS,
        "size_bytes": 150_000_000,
        "reading_s": reading_s,
        "ended_at": 1e9,
        "steps_s": {"upload": 90.0, "start": 50.0, "process": reading_s + 140, "stop": 20.0},
    }
    return Run(**{**values, **more})


KINDS: list[tuple[dict[str, Any], Knobs, bool]] = [
    ({}, Knobs(), True),
    ({}, Knobs(model="dots", bucket="gs://b", workers=7), True),
    ({}, Knobs(model="other"), False),
    ({}, Knobs(max_pixels=1_000_000), False),
    ({}, Knobs(machine_type="a3-ultragpu-8g"), False),
    ({}, Knobs(target="ssh", ssh_host="g2-standard-8"), False),
    ({}, LOCAL, False),
    ({"target": "local", "place": "http://127.0.0.1:8000"}, LOCAL, True),
    ({"target": "local", "place": "http://127.0.0.1:8000"}, Knobs(), False),
    ({"target": "local", "place": "http://127.0.0.1:8001"}, LOCAL, False),
]


@pytest.mark.parametrize(("more", "knobs", "counts"), KINDS)
def test_only_a_run_of_this_kind_counts(
    tmp_path: Path, more: dict[str, Any], knobs: Knobs, counts: bool
) -> None:
    run_with(**more).write(tmp_path)
    assert (last_of_kind(tmp_path, knobs) is not None) is counts


def test_the_last_one_counts_and_what_is_no_run_does_not(tmp_path: Path) -> None:
    for pages in (500, 600):
        run_with(pages=pages).write(tmp_path)
    good = (tmp_path / RUNS).read_text()
    bad = ['{"target"', "[]", "{}", "7", good.split("\n")[0].replace("500", "-500")]
    bad += [good.split("\n")[0].replace('"pages": 500', '"pages": "many"')]
    bad += [good.split("\n")[0].replace('"ended_at": 1000000000.0', '"ended_at": NaN')]
    hostile: list[dict[str, Any]] = [
        {"pages": 10**400},
        {"pages": 1e300},
        {"pages": 1e-320},
        {"machines": 0},
        {"size_bytes": 10**400},
        {"ended_at": 1e300},
        {"reading_s": 1e308},
        {"settings": None},
        {"settings": 7},
    ]
    bad += [json.dumps({**dataclasses.asdict(run_with()), **change}) for change in hostile]
    (tmp_path / RUNS).write_text(good + "\n".join(bad))
    found = last_of_kind(tmp_path, Knobs())
    assert found is not None and found.pages == 600
    assert len(runs_in(bad)) == 0


SUMMARY = {"model": "dots", "settings": RECIPE}
SUMMARY |= {"run": {"pages": 4, "seconds": 8.0, "tokens_out": 4_000}}


@pytest.mark.parametrize(
    ("summary", "tokens"),
    [
        (SUMMARY, 1_000.0),
        ({}, None),
        (SUMMARY | {"run": {"pages": 0, "seconds": 8.0, "tokens_out": 0}}, None),
        (SUMMARY | {"run": {"pages": 4, "seconds": 0, "tokens_out": 4}}, None),
        (SUMMARY | {"run": ["pages"]}, None),
        (SUMMARY | {"settings": 7}, None),
        (SUMMARY | {"settings": {"rotate": [[]]}}, None),
        (SUMMARY | {"run": {"pages": 1e300, "seconds": 8.0, "tokens_out": 4}}, None),
        (SUMMARY | {"run": {"pages": 4, "seconds": math.inf, "tokens_out": 4}}, None),
    ],
)
def test_what_is_remembered_of_a_run(summary: dict[str, Any], tokens: float | None) -> None:
    plan = Plan(Left(4, size_bytes=9), basis_of(None, GCP), None, [], GCP)
    run = run_of(plan, summary, {"start": 3.14159}, now=7.0)
    assert (run and run.tokens) == tokens
    assert run is None or (run.place, run.bucket, run.steps_s) == (
        "g2-standard-8",
        True,
        {"start": 3.1},
    )


def test_what_cannot_be_kept_is_said_and_changes_nothing(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    knobs = dataclasses.replace(GCP, output=str(tmp_path / "none"))
    remember(Plan(Left(4), basis_of(None, knobs), None, [], knobs), SUMMARY, {})
    assert "is not kept for make plan: No such file or directory" in capfd.readouterr().err


# ---- hours and money ----


def seconds(basis: Basis, pages: int, knobs: Knobs, machines: int = 1, **left: int) -> float:
    """Of a forecast."""
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
    """docs/speed.md, "What does the VM bill?": make all on the tests' cloud (bench/bill.py)."""
    assert seconds(basis_of(None, GCP), pages, GCP) == pytest.approx(billed_s, rel=0.03)


FULL: dict[str, Any] = {"bucket": "gs://b", "processes": 512}


def test_several_cards_read_as_one_each() -> None:
    """A card's batch is no fuller than PROCESSES lets it become."""
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
    """Also of few pages, of which each takes longer, since the card's batch was not full."""
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
    """200 GB of disk are 26 USD a month; three results and a page are written, all are read."""
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


FOUR_OF_ONE = "PRICE_PER_HOUR: a g2-standard-8's, and this is a g2-standard-48, with its 4 GPUs"
BEWARE: list[tuple[Knobs, Callable[[str], bool]]] = [
    (GCP, lambda text: not text),
    (Knobs(), lambda text: text.startswith("without BUCKET the VM waits while 300.0 MB")),
    (Knobs(bucket="gs://b", max_hours=0.1), lambda text: text.startswith("MAX_HOURS=0.1 ends it")),
    (Knobs(bucket="gs://b", zone="us-central1-a"), lambda text: "0.854 and 0.341" in text),
    (Knobs(bucket="gs://b", zone="europe-west4-a"), lambda text: "other prices" in text),
    (Knobs(bucket="gs://b", zone="europe-west4-a", price_per_hour=1), lambda text: not text),
    (Knobs(bucket="gs://b", machine_type="g2-standard-48"), lambda text: text == FOUR_OF_ONE),
    (Knobs(bucket="gs://b", machine_type="g2-standard-48", price_per_hour=4),
     lambda text: not text),
    (Knobs(bucket="gs://b", processes=64, machine_type="g2-standard-24", price_per_hour=2),
     lambda text: text == "PROCESSES=64: 128 pages would fill the batches of its cards"),
    (Knobs(target="ssh"), lambda text: not text),
]  # fmt: skip


@pytest.mark.parametrize(("knobs", "fits"), BEWARE)
def test_what_the_numbers_do_not_say_is_told(knobs: Knobs, fits: Callable[[str], bool]) -> None:
    basis, left = basis_of(None, knobs), Left(1_000, size_bytes=300_000_000)
    own = forecast(basis, left, knobs, own_way(knobs))
    assert fits("; ".join(warnings(Plan(left, basis, own, [], knobs))))


def test_what_it_took_stands_beside_what_was_planned() -> None:
    left = Left(500, size_bytes=1)
    own = forecast(basis_of(None, GCP), left, GCP, own_way(GCP))
    plan = Plan(left, basis_of(None, GCP), own, [], GCP)
    said = "the VM was on for 30 min: 0.55 USD, and the disk; planned: 19 min, 0.35 USD"
    assert took(plan, 1_800.0) == said
    crew = dataclasses.replace(GCP, workers=4, price_per_worker_hour=0.25)
    said = took(Plan(left, basis_of(None, crew), None, [], crew), 1_800.0)
    assert said == "the VM and its 4 workers were on for 30 min: at most 1.05 USD, and the disk"
