"""The workers' group against the API server alone: the right calls, stock-outs, refusals.

In this process, with short pauses. test_fleet.py has `make start WORKERS=4`.
"""

import time
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from lib.console import Failure
from lib.knobs import Knobs
from lib.machines.gcp import api, fleet
from lib.machines.gcp.faults import NoPermission
from lib.machines.gcp.fleet import Fleet
from lib.machines.gcp.machine import GcpMachine
from lib.machines.gcp.resources import worker_template
from rig.cloud.gce import PROJECT, ZONE, GceServer
from rig.cloud.gce_errors import Refusal, permission_denied
from rig.command import wait_until

A, B = ZONE, "asia-northeast3-b"
GROUP = "dots-workers"
UNTIL = "2099-01-01T00:00:00+00:00"
BUSY = Refusal(503, "backendError", "The service is busy.")
KNOBS = Knobs(
    project=PROJECT,
    zone=ZONE,
    vm="dots",
    worker_image="crew",
    workers=4,
    start_timeout=20.0,
)


@pytest.fixture
def quick(gce: GceServer, monkeypatch: pytest.MonkeyPatch) -> Iterator[GceServer]:
    """The server; our own code asks it often and gives up soon."""
    monkeypatch.setenv("CLOUDSDK_API_ENDPOINT_OVERRIDES_COMPUTE", f"{gce.url}/compute/v1/")
    monkeypatch.setenv("CLOUDSDK_AUTH_DISABLE_CREDENTIALS", "true")
    monkeypatch.setattr(fleet, "POLL_S", 0.01)
    monkeypatch.setattr(fleet, "PATIENCE_S", 1.0)
    monkeypatch.setattr(api, "LOST_ANSWER_PAUSES_S", (0.01, 0.02))
    monkeypatch.setattr("lib.console.is_watched", lambda: True)
    gce.groups.retry_s = 0.02
    yield gce


def start(knobs: Knobs = KNOBS, script: str = "#!/bin/sh\n") -> Fleet:
    """Make workers and wait for them."""
    one = Fleet(knobs)
    one.start(worker_template(knobs, script, UNTIL))
    one.wait_until_running(began=time.monotonic())
    return one


def calls(gce: GceServer) -> list[str]:
    """The calls that changed something, oldest first."""
    changes = [call for call in gce.calls if call.method != "GET"]
    ends = [f"{call.method} {call.path.rpartition('/')[2]}" for call in changes]
    return [end for end in ends if end not in ("POST wait", "POST listManagedInstances")]


def sizes(gce: GceServer) -> tuple[int, int]:
    """The group's target size and its present size."""
    target, states = gce.group(GROUP)
    return target, len(states)


# ---- start ----


def test_a_start_and_another_one(quick: GceServer) -> None:
    one = start()
    assert calls(quick) == ["POST instanceTemplates", "POST instanceGroupManagers"]
    assert str(one.look()) == f"4 of 4 running (4 in {A})"
    start()
    assert len(calls(quick)) == 2  # starting twice is harmless
    start(replace(KNOBS, workers=2))
    assert calls(quick)[2:] == ["POST resize"]
    wait_until(lambda: sizes(quick) == (2, 2))


def test_another_template_takes_the_place_of_the_old(quick: GceServer) -> None:
    start()
    old = list(quick.groups.templates)
    start(script="#!/bin/bash\n")
    made = [path for path in quick.groups.templates if path not in old]
    assert len(quick.groups.templates) == len(made) == 1
    (group,) = quick.groups.all().values()
    assert group["instanceTemplate"].endswith(made[0])
    assert calls(quick)[2:4] == ["POST instanceTemplates", "POST setInstanceTemplate"]
    assert calls(quick)[4].startswith("DELETE dots-workers-")


def test_templates_of_others_stay(quick: GceServer) -> None:
    start()
    path, template = next(iter(quick.groups.templates.items()))
    name = "dots-workers-workers-0123abcd"  # it belongs to a VM called dots-workers
    other = f"{path.rpartition('/')[0]}/{name}"
    quick.groups.templates[other] = {**template, "name": name}
    start(script="#!/bin/bash\n")
    assert other in quick.groups.templates and path not in quick.groups.templates


def test_other_zones_ask_for_another_group(quick: GceServer) -> None:
    start()
    start(replace(KNOBS, zones=B))
    assert calls(quick)[2:] == [f"DELETE {GROUP}", "POST instanceGroupManagers"]
    assert str(Fleet(KNOBS).look()) == f"4 of 4 running (4 in {B})"
    start()
    assert str(Fleet(KNOBS).look()) == f"4 of 4 running (4 in {A})"


# ---- stock-outs ----


def test_what_one_zone_has_not_comes_from_another(quick: GceServer) -> None:
    quick.groups.stock = {A: 1}
    assert str(start().look()) == f"4 of 4 running (1 in {A}, 3 in {B})"


def test_fewer_than_asked_for_is_a_warning(
    quick: GceServer, capsys: pytest.CaptureFixture[str]
) -> None:
    quick.groups.stock = {A: 2, B: 1}
    one = start()
    said = capsys.readouterr().err
    assert f"start: only 3 of 4 workers run ({A}: A g2-standard-8 VM instance" in said
    assert f"{GROUP} goes on trying, and each worker that it gets bills" in said
    assert f"currently unavailable in the {B} zone" in one.look().hindrance
    quick.groups.stock[B] = 9
    wait_until(lambda: one.look().running == 4)
    assert not one.look().hindrance


def test_none_is_a_failure(quick: GceServer) -> None:
    quick.groups.stock = {A: 0, B: 0}
    with pytest.raises(Failure, match=r"(?s)none of 4 workers runs \(asia.*→ make stop ends both"):
        start()
    assert sizes(quick) == (4, 4)  # the group continues to try


def test_workers_that_left_at_once_are_no_success(quick: GceServer) -> None:
    """For example, their model does not start: then they shrink the group, down to nothing."""
    one = start()
    one.resize(0)
    one.wait_until_empty()
    with pytest.raises(Failure, match="none of 4 workers runs;"):
        one.wait_until_running(began=time.monotonic())


def test_a_preempted_one_is_seen_to_be_missing(quick: GceServer) -> None:
    one = start()
    quick.groups.stock = {A: 3, B: 0}
    quick.preempt(next(iter(quick.group(GROUP)[1])))
    wait_until(lambda: one.look().running == 3)
    assert "3 of 4" in str(one.look())


def test_what_turns_itself_off_is_not_made_anew_for_ever(quick: GceServer) -> None:
    """For example, a worker may not delete itself: then it comes back until MAX_HOURS is over."""
    one = start()
    quick.set_status(next(iter(quick.group(GROUP)[1])), "TERMINATED")
    wait_until(lambda: one.look().running == 4)
    (template,) = quick.groups.templates.values()
    assert template["properties"]["scheduling"].pop("terminationTime") == UNTIL
    template["properties"]["scheduling"]["terminationTime"] = "2020-01-01T00:00:00+00:00"
    for name in quick.group(GROUP)[1]:
        quick.set_status(name, "TERMINATED")
    for _ in range(3):
        time.sleep(quick.groups.retry_s)
        assert one.look().running == 0
    assert list(quick.group(GROUP)[1].values()) == [""] * 4  # none exists, so none bills


# ---- the end ----


def test_an_end_is_when_all_are_gone(quick: GceServer) -> None:
    one = start()
    quick.delays.stopping_s = 0.3
    assert one.ask_to_end()
    assert sizes(quick) == (0, 4)
    assert str(one.look()) == "0 of 0 running, 4 being deleted"
    assert one.ask_to_end()  # they have not gone yet
    one.wait_until_empty()
    assert sizes(quick) == (0, 0)
    assert not one.ask_to_end()
    assert calls(quick).count("POST resize") == 1


@pytest.mark.parametrize("workers", [0, 4])
def test_no_group_is_no_trouble(quick: GceServer, workers: int) -> None:
    one = Fleet(replace(KNOBS, workers=workers))
    assert not one.ask_to_end()
    one.wait_until_empty()
    one.delete()
    assert not calls(quick)


@pytest.mark.parametrize("workers", [0, 4])
def test_workers_that_may_not_be_looked_at_are_not_none(quick: GceServer, workers: int) -> None:
    denied = permission_denied("compute.instanceGroupManagers.get", GROUP)
    quick.refuse(denied, "GET", GROUP)
    with pytest.raises(NoPermission, match=r"MAY STILL RUN(.|\n)*instanceGroupManagers\.get"):
        Fleet(replace(KNOBS, workers=workers)).ask_to_end()


def test_all_of_it_is_deleted(quick: GceServer) -> None:
    one = start()
    one.delete()
    assert not quick.groups.all() and not quick.groups.templates
    one.delete()


# ---- a stop that fails is loud, and stops the rest all the same ----


@pytest.mark.parametrize(
    "fault",
    [
        lambda gce: gce.refuse(permission_denied("…update", GROUP), "POST", "/resize"),
        lambda gce: gce.refuse(BUSY, "POST", "/resize"),
        lambda gce: gce.lose_answer("GET", GROUP, times=None),
    ],
    ids=["no permission", "busy", "away"],
)
def test_a_group_that_cannot_be_emptied(quick: GceServer, fault: Any) -> None:
    start()
    quick.add_instance("dots", status="RUNNING")
    fault(quick)
    with pytest.raises(Failure) as failed:
        GcpMachine(replace(KNOBS, workers=0)).stop()  # with any WORKERS
    said = failed.value.message
    assert f"the workers {GROUP} MAY STILL RUN, AND BILL" in said
    assert f"→ gcloud compute instance-groups managed resize {GROUP} --size=0 --region" in said
    assert quick.status("dots") == "TERMINATED"


def test_a_group_that_does_not_become_empty(
    quick: GceServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fleet, "EMPTY_TIMEOUT_S", 0.2)
    start()
    quick.add_instance("dots")
    quick.delays.stopping_s = 2
    with pytest.raises(Failure, match=r"MAY STILL RUN, AND BILL: 4 of them are left"):
        (machine := GcpMachine(KNOBS)).stop()
    assert machine.alarm() == ""  # the VM's alarm: the VM is off


def test_a_vm_that_cannot_be_stopped_does_not_keep_the_workers(quick: GceServer) -> None:
    start()
    quick.add_instance("dots", status="RUNNING")
    quick.refuse(permission_denied("compute.instances.stop", "dots"), "POST", "/stop")
    machine = GcpMachine(KNOBS)
    with pytest.raises(Failure, match=r"no permission: Required 'compute.instances.stop'"):
        machine.stop()
    assert "dots MAY STILL RUN, AND BILL" in machine.alarm()
    assert sizes(quick) == (0, 0)


def test_the_group_is_asked_first_and_waited_for_last(quick: GceServer) -> None:
    """What bills most ends first, and all requests are sent before the first wait."""
    start()
    quick.add_instance("dots", status="RUNNING")
    quick.delays.stopping_s = 0.1
    quick.calls.clear()
    GcpMachine(KNOBS).stop()
    assert calls(quick) == ["POST resize", "POST stop"]
    assert sizes(quick) == (0, 0)
    assert quick.status("dots") == "TERMINATED"
