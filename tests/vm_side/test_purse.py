"""BUDGET, where pages are read: when the last page is given out, and when all must end."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from contract import least_drain_s, reserve_s
from purse import Purse
from results.progress import ENOUGH, Progress
from rig.command import Batch, batch_of, records_in
from rig.model_server import ModelServer
from rig.replies import Reply

HOUR = 3_600.0


@dataclass
class Clock:
    """A clock that the test sets."""

    s: float = 1_000.0

    def __call__(self) -> float:
        return self.s


# seconds: what is paid, the smallest drain, the reserve
WHOLE: list[tuple[float, float, float]] = [
    (0, 0, 0),
    (40, 4, 8),
    (600, 60, 120),
    (HOUR, 60, 312),
    (10 * HOUR, 60, 960),
]


@pytest.mark.parametrize(("whole_s", "drain_s", "rest_s"), WHOLE)
def test_what_is_kept_at_the_end(whole_s: float, drain_s: float, rest_s: float) -> None:
    assert least_drain_s(whole_s) == pytest.approx(drain_s)
    assert reserve_s(whole_s) == pytest.approx(rest_s)


GIVES: list[tuple[float, float, float, float, float]] = [
    # USD an hour, spent, budget, slowest page: seconds in which pages are given out
    (1.0, 0.0, 1.0, 0.0, HOUR - 312 - 60),
    (1.0, 0.5, 1.0, 0.0, HOUR / 2 - 312 - 60),
    (1.0, 0.0, 1.0, 300.0, HOUR - 312 - 300),
    (10.0, 0.0, 10.0, 0.0, HOUR - 312 - 60),
    (1.0, 0.99, 1.0, 0.0, 0),
    (1.0, 7.0, 1.0, 0.0, 0),
]


@pytest.mark.parametrize(("per_hour", "spent", "budget", "slowest_s", "lasts_s"), GIVES)
def test_until_when_pages_are_given_out(
    per_hour: float, spent: float, budget: float, slowest_s: float, lasts_s: float
) -> None:
    clock = Clock()
    purse = Purse(per_hour, spent, budget, clock)
    purse.count(slowest_s)
    for after_s, gives in ((lasts_s - 1, lasts_s > 0), (lasts_s + 1, False)):
        clock.s = 1_000 + after_s
        assert purse.gives_out() is gives
    assert purse.is_shut and purse.has_run_out


@pytest.mark.parametrize(("per_hour", "budget"), [(1.0, 0.0), (0.0, 5.0), (0.0, 0.0)])
def test_without_a_limit_or_a_price_it_never_ends(per_hour: float, budget: float) -> None:
    clock = Clock()
    purse = Purse(per_hour, 3.0, budget, clock)
    clock.s = 1e9
    assert purse.gives_out() and not purse.has_run_out and purse.ends_s == math.inf


def test_what_was_spent_goes_by_the_time() -> None:
    clock = Clock()
    purse = Purse(2.0, 0.25, now_s=clock)
    clock.s += HOUR / 2
    assert purse.usd == pytest.approx(1.25)


def test_what_will_have_been_spent_at_the_end(tmp_path: Path) -> None:
    """Only new pages count: pages that were done before took no time."""
    progress = Progress(tmp_path, 100 + 4 * ENOUGH, 100, 1.0, lambda: 1.0)
    assert "usd_at_end" not in progress.content()
    progress._read["ok"] += ENOUGH
    progress._began_s -= HOUR
    assert progress.content()["usd_at_end"] == pytest.approx(1.0 + 3.0, abs=0.01)
    progress.write()
    assert json.loads((tmp_path / ".progress.json").read_text())["usd"] == 1.0
    assert "usd" not in Progress(tmp_path, 4, 0).content()


# ---- the command ----

PAGES = 40
USD_PER_S = {"PRICE_PER_HOUR": "3600"}


@pytest.fixture
def slow(tmp_path: Path) -> Iterator[tuple[Batch, ModelServer]]:
    """A batch with half a second for each page."""
    with batch_of(tmp_path, PAGES) as (batch, server):
        server.script = lambda request: Reply(delay_s=0.5)
        yield batch, server


def test_the_rest_is_left_and_the_run_is_to_be_run_again(slow: tuple[Batch, ModelServer]) -> None:
    """20 seconds are paid, and 13 of them are for pages; pages in flight are finished."""
    batch, server = slow
    server.script = lambda request: Reply(delay_s=1)
    finished = batch.run_here("--budget", "24", "--spent", "4", environment=USD_PER_S)
    statuses = list(batch.statuses().values())
    read = statuses.count("ok")
    assert finished.code == 3, finished.err
    assert 0 < read < PAGES and read + statuses.count("left") == PAGES
    assert len(server.requests) == read
    assert "BUDGET: " in finished.err and "pages are left, at " in finished.err
    assert batch.summary["run"]["seconds"] < 24 - 4 - 0.2 * 24


def test_a_page_that_does_not_end_is_left(tmp_path: Path) -> None:
    with batch_of(tmp_path, 1) as (batch, server):
        server.script = lambda request: Reply(delay_s=30)
        finished = batch.run_here("--budget", "8", environment=USD_PER_S)
        assert (finished.code, set(batch.statuses().values())) == (3, {"left"})
        assert batch.summary["run"]["seconds"] < 8


def test_what_is_paid_for_is_read(slow: tuple[Batch, ModelServer]) -> None:
    batch, _ = slow
    finished = batch.run_here("-p", "16", "--budget", "300", environment=USD_PER_S)
    assert (finished.code, finished.err) == (0, "")
    assert {record["status"] for record in records_in(batch.output)} == {"ok"}
