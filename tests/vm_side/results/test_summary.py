"""The totals of a batch add up."""

from __future__ import annotations

from contract import STATUSES
from results.manifest import summary
from rig.records import DOUBT, record


def test_the_summary_adds_up() -> None:
    records = [
        record("a", tokens_in=100, tokens_out=10, attempts=1),
        record("b", "repaired", tokens_in=200, tokens_out=20, attempts=2, seconds=3600.0),
        record("c", "partial", tokens_in=300, tokens_out=30, attempts=3, doubts=[DOUBT]),
        record("d", "blank"),
        record("i", "doubtful", doubts=[{**DOUBT, "kind": "empty"}, DOUBT], doubt_tokens=50),
        record("j", "corrected", trust=1.0),
        record("e", "failed", reason="why"),
        record("f", "failed", reason="because"),
        record("g", "failed", reason="why"),
        record("h", "left", reason="not reached: run again"),
    ]
    totals = summary(
        records, records[1:5] + records[6:8] + records[9:], 7200.0, price_per_hour=0.7, gpus=1
    )
    assert totals == {
        "pages": 10,
        "ok": 1,
        "repaired": 1,
        "partial": 1,
        "blank": 1,
        "doubtful": 1,
        "corrected": 1,
        "failed": 3,
        "left": 1,
        "tokens_in": 600,
        "tokens_out": 60,
        "doubt_tokens": 50,
        "doubts": {"missed": 2, "empty": 1},
        "failures": {"why": 2, "because": 1},
        "run": {
            "pages": 6,
            "failed": 2,
            "attempts": 5,
            "tokens_out": 50,
            "doubt_tokens": 50,
            "seconds": 7200.0,
            "pages_per_second": 0.001,
            "pages_in_flight": 0.5,
            "gpu_hours": 2.0,
            "cost_usd": 1.4,
        },
    }
    assert list(totals["failures"]) == ["why", "because"]


def test_the_other_machines_of_a_fleet_have_their_price() -> None:
    run = summary([], [], 3600.0, 1.0, 1, worker_hours=7.0, price_per_worker_hour=0.25)["run"]
    assert (run["gpu_hours"], run["cost_usd"]) == (8.0, 2.75)


def test_the_summary_of_nothing_divides_by_nothing() -> None:
    totals = summary([], [], 0.0, price_per_hour=0.7, gpus=0)
    assert totals["run"]["pages_per_second"] == 0.0
    assert totals["run"]["gpu_hours"] == totals["run"]["cost_usd"] == 0.0
    assert sum(totals[status] for status in STATUSES) == totals["pages"] == 0
