"""BUDGET, on the rig of a cloud: in every case, the VM is off before it has cost more.

A second costs a dollar here, so that a budget lasts seconds and not minutes.
"""

from __future__ import annotations

import json
import math
import signal
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import pytest

from lib.plan.runs import RUNS, runs_in
from rig.cloud.cloud import Cloud
from rig.cloud.fixtures import skipped_where_unavailable
from rig.cloud.toolkit import VM, CloudToolkit
from rig.command import wait_until
from rig.toolkit import statuses_in

PAGE_S = 1.0
FIRST, MORE = 2, 60


@pytest.fixture(scope="module")
def paid(image_tar: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[CloudToolkit]:
    """A VM with a model that takes a second a page, one at a time; a run ended within its budget.

    That run shows how long a start takes when the model's container exists already.
    """
    folder = tmp_path_factory.mktemp("paid")
    slow = f"--network host --env RIG_LATENCY_S={PAGE_S}"
    with skipped_where_unavailable(), Cloud(folder / "cloud") as cloud:
        cloud.gcs.make_bucket("unused")  # the VM is told where Cloud Storage is
        kit = CloudToolkit(cloud, folder / "desk", CONTAINER_ARGS=slow, PROCESSES="1")
        kit.knobs |= {"PRICE_PER_HOUR": "3600", "BUDGET": "900"}
        cloud.add_vm(VM, image_tar=image_tar)
        kit.write_pages(FIRST)
        for verb in ("start", "stop", "all"):
            end = kit.run_here(verb)
            assert end.code == 0, end.err
        yield kit


def billed_s(kit: CloudToolkit) -> float:
    """Seconds from the last turn-on to the last turn-off."""
    times = {"start": "insertTime", "stop": "endTime"}
    on, off = (
        max(
            datetime.fromisoformat(one[when])
            for one in kit.gce.operations()
            if one["operationType"] == kind
        )
        for kind, when in times.items()
    )
    return (off - on).total_seconds()


def job(kit: CloudToolkit) -> dict[str, int | None]:
    """The VM's record of its last job."""
    said: dict[str, int | None] = json.loads(kit.home(".dots-ocr/job.json").read_text())
    return said


def worked_s(kit: CloudToolkit) -> float:
    """Seconds from the last turn-on to the end of the job."""
    ended = job(kit)["ended"]
    assert ended is not None
    return ended - datetime.fromisoformat(kit.gce.instance(VM)["lastStartTimestamp"]).timestamp()


def longest_s(kit: CloudToolkit) -> int:
    """The seconds after which Google would turn the VM off."""
    return int(kit.gce.instance(VM)["scheduling"]["maxRunDuration"]["seconds"])


def code_of_job(kit: CloudToolkit) -> int | None:
    """The exit code of the last job on the VM; None while it runs."""
    return job(kit)["code"]


def half(kit: CloudToolkit) -> int:
    """A budget for the start and a part of the pages, computed from the last run."""
    start_s = runs_in((kit.output / RUNS).read_text().splitlines())[-1].start_s
    return math.ceil((start_s + 0.4 * MORE * PAGE_S) / 0.7)


def test_enough(paid: CloudToolkit) -> None:
    assert set(statuses_in(paid.output).values()) == {"ok"}
    assert paid.gce.status(VM) == "TERMINATED"
    assert billed_s(paid) < float(paid.knobs["BUDGET"])


def test_nothing_is_rented_for_less_than_a_start_and_a_page(paid: CloudToolkit) -> None:
    before = len(paid.calls)
    end = paid.run_here("all", "--force", "--budget", "12")
    assert (end.code, paid.calls[before:]) == (2, [])
    assert "BUDGET=12 USD pays for 0.2 minutes" in end.err and "nothing is rented" in end.err
    end = paid.run_here("all", "--force", PRICE_PER_HOUR="0")
    assert (end.code, paid.calls[before:]) == (2, [])
    assert "BUDGET limits nothing with PRICE_PER_HOUR of 0" in end.err


def test_half(paid: CloudToolkit) -> None:
    """The rest is left for the next run, which only has to be called."""
    paid.write_pages(MORE)
    budget = half(paid)
    end = paid.run_here("all", "--budget", str(budget))
    statuses = list(statuses_in(paid.output).values())
    assert end.code == 3, end.err
    assert FIRST < statuses.count("ok") < MORE
    assert statuses.count("ok") + statuses.count("left") == MORE
    assert f"BUDGET: {statuses.count('left')} pages are left, at " in end.err
    assert paid.gce.status(VM) == "TERMINATED"
    # On a busy machine results may come home slowly; Google would end it at the longest run.
    assert worked_s(paid) < longest_s(paid) < budget


def test_the_client_is_killed_in_the_middle(paid: CloudToolkit) -> None:
    """The job ends by itself. Google also knows when to turn the VM off."""
    budget = half(paid)
    with paid.verb("all", "--force", "--budget", str(budget)) as client:
        wait_until(lambda: code_of_job(paid) is None, 120)
        client.signal_group(signal.SIGKILL)
        assert client.finish().code == -signal.SIGKILL
    wait_until(lambda: code_of_job(paid) == 3, 120)
    on = datetime.fromisoformat(paid.gce.instance(VM)["lastStartTimestamp"])
    on_s = (datetime.now(on.tzinfo) - on).total_seconds()
    assert on_s < longest_s(paid) < budget, "the job has ended before Google would end it"
    assert "left" in statuses_in(paid.home("result")).values()
    paid.gce.expire(VM)
    paid.gce.wait_for_status(VM, "TERMINATED")
