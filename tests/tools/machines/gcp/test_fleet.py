"""What a look at the workers means, and what is requested for them: only decisions."""

import json
from datetime import datetime
from typing import Any

import click
import pytest
from google.cloud import compute_v1

from lib.knobs import Knobs, check_workers, zones_of
from lib.machines.gcp import fleet
from lib.machines.gcp.fleet import Look, Member, hindrances_of, is_over, member_of
from lib.machines.gcp.resources import (
    group_name,
    image_link,
    worker_group,
    worker_template,
    workers_end,
)
from lib.machines.gcp.workers import dashboard, job_options, start_script, startup_script

A, B = "asia-northeast3-a", "asia-northeast3-b"
UNTIL = "2026-01-01T12:00:00+00:00"
CREW = Knobs(workers=4, bucket="gs://pages/", worker_image="crew-1", vm="dots")


def in_zone(zone: str) -> Member:
    """A worker that runs."""
    return Member(zone, runs=True, goes=False)


WAITS, GOES = Member(A, False, False, "no stock"), Member(B, False, True)


# ---- looks ----


@pytest.mark.parametrize(
    ("look", "words"),
    [
        (Look(0), "0 of 0 running"),
        (Look(2, [WAITS, WAITS]), "0 of 2 running"),
        (Look(4, [in_zone(B), in_zone(A), in_zone(A), WAITS]), f"3 of 4 running (2 in {A}, 1 in "),
        (Look(0, [GOES, GOES]), "0 of 0 running, 2 being deleted"),
    ],
)
def test_the_workers_in_a_few_words(look: Look, words: str) -> None:
    assert str(look).startswith(words)


@pytest.mark.parametrize(
    ("status", "action", "runs", "goes"),
    [
        ("RUNNING", "NONE", True, False),
        ("RUNNING", "DELETING", False, True),
        ("RUNNING", "RECREATING", False, False),
        ("STAGING", "CREATING", False, False),
        ("", "CREATING", False, False),
        ("STOPPING", "DELETING", False, True),
    ],
)
def test_an_instance_of_the_group(status: str, action: str, runs: bool, goes: bool) -> None:
    errors = {"errors": {"errors": [{"code": "X", "message": "old"}, {"message": "no stock"}]}}
    link = f"https://x/compute/v1/projects/p/zones/{B}/instances/crew-x"
    shown = {"instance": link, "instanceStatus": status, "currentAction": action}
    one = compute_v1.ManagedInstance.from_json(json.dumps({**shown, "lastAttempt": errors}))
    assert member_of(one) == Member(B, runs, goes, "no stock")


def test_the_latest_hindrance_of_each_zone() -> None:
    assert hindrances_of([WAITS], []) == {A: "no stock"}
    errors = [(A, "newest"), (B, "no more"), (A, "old")]
    assert hindrances_of([WAITS], errors) == {A: "newest", B: "no more"}
    assert Look(2, [in_zone(A)], {B: "no more", A: "x"}).hindrance == f"{A}: x; {B}: no more"
    assert not Look(1, [in_zone(A)], {B: "no more"}).hindrance  # nobody is missing


@pytest.mark.parametrize(
    ("running", "now", "progress_at", "over"),
    [
        (2, 0, 0, True),
        (3, 0, 0, True),  # the group was made smaller
        (1, 299, 0, False),
        (1, 301, 0, True),
        (1, 301, 200, False),
        (0, 301, 0, True),
        (1, 999, 990, False),
        (1, 1001, 990, True),  # START_TIMEOUT
    ],
)
def test_how_long_a_start_waits(running: int, now: float, progress_at: float, over: bool) -> None:
    assert fleet.PATIENCE_S == 300
    look = Look(2, [in_zone(A)] * running)
    assert is_over(look, now, progress_at, deadline=1000) is over


# ---- what is asked for ----


def properties(knobs: Knobs, script: str = "#!/bin/sh\n") -> dict[str, Any]:
    """The template's content, as it is sent."""
    template = worker_template(knobs, script, UNTIL if knobs.max_hours else "")
    sent: dict[str, Any] = json.loads(
        compute_v1.InstanceProperties.to_json(
            template.properties,
            always_print_fields_with_no_presence=False,
            use_integers_for_enums=False,
        )
    )
    return sent


def test_the_template() -> None:
    sent = properties(CREW)
    assert sent["machineType"] == "g2-standard-8"  # a name without a zone: a template has no zone
    assert sent["scheduling"] == {
        "provisioningModel": "SPOT",
        "onHostMaintenance": "TERMINATE",
        "automaticRestart": False,
        "instanceTerminationAction": "DELETE",
        "terminationTime": UNTIL,  # one time for all: a worker that is made again gets no new time
    }
    disk = sent["disks"][0]
    assert disk["initializeParams"] == {
        "sourceImage": "projects/dev-giyoung/global/images/crew-1",
        "diskType": "pd-balanced",
    }
    assert disk["boot"] and disk["autoDelete"]
    assert sent["networkInterfaces"][0]["accessConfigs"]
    (account,) = sent["serviceAccounts"]
    scopes = [scope.rpartition("/")[2] for scope in account["scopes"]]
    assert (account["email"], scopes) == ("default", ["devstorage.read_write", "compute"])
    other = properties(Knobs(service_account="reader@p.iam.gserviceaccount.com"))
    assert other["serviceAccounts"][0]["email"] == "reader@p.iam.gserviceaccount.com"
    assert sent["metadata"]["items"] == [{"key": "startup-script", "value": "#!/bin/sh\n"}]
    private = properties(Knobs(iap=True, max_hours=0))
    assert not private["networkInterfaces"][0].get("accessConfigs")
    assert "terminationTime" not in private["scheduling"]
    assert private["scheduling"]["instanceTerminationAction"] == "DELETE"  # for a spot VM


@pytest.mark.parametrize(
    ("started", "hours", "end"),
    [
        (0.0, 12, 12 * 3600),  # the VM's own limit
        (None, 12, 10 * 3600 + 12 * 3600),
        (-3 * 3600.0, 12, 10 * 3600 + 12 * 3600),  # a VM that had been on for too long
        (0.0, 0.5, 10 * 3600 + 1800),
    ],
)
def test_until_when_there_are_workers(started: float | None, hours: float, end: float) -> None:
    text = workers_end(started, hours, now=10 * 3600)
    assert datetime.fromisoformat(text).timestamp() == end


def test_without_max_hours_there_is_no_end() -> None:
    assert workers_end(0.0, 0, 1.0) == ""


def test_a_template_is_named_after_its_content() -> None:
    names = {worker_template(CREW, text, UNTIL).name for text in ("a", "a", "b")}
    assert len(names) == 2
    assert all(name.startswith("dots-workers-") and len(name) == 21 for name in names)


def test_names_are_never_too_long() -> None:
    names = {group_name("v" * 62 + end) for end in "ab"}
    assert len(names) == 2
    for name in names:
        assert len(name) <= 53 and name.endswith("-workers")  # + "-" and a hash: 62
    assert group_name("v" * 45) == "v" * 45 + "-workers"


def test_the_group() -> None:
    group = worker_group(CREW, "link", [A, B])
    assert (group.name, group.base_instance_name, group.target_size) == (
        *("dots-workers",) * 2,
        4,
    )
    assert group.distribution_policy.target_shape == "ANY"
    assert group.update_policy.instance_redistribution_type == "NONE"
    zones = [one.zone for one in group.distribution_policy.zones]
    assert zones == [f"projects/dev-giyoung/zones/{zone}" for zone in (A, B)]
    assert not worker_group(CREW, "link", []).distribution_policy.zones  # any zone of the region


def test_an_image_of_another_project() -> None:
    link = "projects/other/global/images/crew-2"
    assert image_link(Knobs(worker_image=link)) == link


def test_what_is_run() -> None:
    script = startup_script(CREW, "the certificate\nand its key\n")
    lines = script.splitlines()
    assert lines[0] == "#!/usr/bin/env bash"
    for line in (
        "SCHEDULER_HOST=dots.asia-northeast3-a.c.dev-giyoung.internal",
        "GROUP=dots-workers",
        "REGION=asia-northeast3",
        "BUCKET=gs://pages",
        "THREADS=256",
        "IDLE_MINUTES=15",
        "PEM='the certificate",
        "and its key'",
    ):
        assert line in lines
    assert "docker run --detach --name dots-ocr-model" in script
    assert len(script) < 256 * 1024  # the largest value that metadata can hold
    assert start_script(CREW, "10.0.0.2").endswith(
        "fleet.sh custom-dots-ocr:unified gs://pages 10.0.0.2 256 http://127.0.0.1:8000"
    )
    assert job_options(CREW, "10.0.0.2") == [
        *("--scheduler", "tls://10.0.0.2:8786"),
        *("--input", "gs://pages/input", "--output", "gs://pages/result"),
        *("--state", "/state"),
    ]
    assert " --tunnel-through-iap -- -N -L 8787:127.0.0.1:8787" in dashboard(Knobs(iap=True))


# ---- knobs that do not go together ----


@pytest.mark.parametrize(
    ("more", "named"),
    [
        ({"target": "ssh"}, "TARGET=gcp"),
        ({"bucket": ""}, "BUCKET=gs://"),
        ({"worker_image": ""}, "gcloud compute images create NAME"),
        ({"zones": "asia-northeast3-a, us-central1-a"}, "us-central1-a is not in asia-northeast3"),
    ],
)
def test_workers_that_cannot_be(more: dict[str, Any], named: str) -> None:
    good: dict[str, Any] = {
        "workers": 4,
        "bucket": "gs://b",
        "worker_image": "i",
        "zones": f"{A}, {B},",
    }
    check_workers(Knobs(**good))
    assert zones_of(Knobs(**good)) == [A, B]
    with pytest.raises(click.UsageError, match=named):
        check_workers(Knobs(**(good | more)))
    check_workers(Knobs(**(good | more | {"workers": 0})))
