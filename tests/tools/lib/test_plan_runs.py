"""The runs that are remembered, and which of them a plan uses."""

from __future__ import annotations

import dataclasses
import json
import math
from pathlib import Path
from typing import Any

import pytest

from lib.knobs import Knobs
from lib.plan.forecast import basis_of
from lib.plan.left import Left
from lib.plan.making import remember, run_of
from lib.plan.runs import RUNS, last_of_kind, runs_in
from lib.plan.words import Plan
from rig.plans import GCP, LOCAL, RECIPE, run_with

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
    assert "were not saved for make plan: No such file or directory" in capfd.readouterr().err
