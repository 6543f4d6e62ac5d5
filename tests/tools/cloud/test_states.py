"""Every state and every error of Compute Engine: the right end, in time, and what to do.

In this process, against the API server alone, with short pauses.
"""

import re
from collections.abc import Callable
from typing import Any

import pytest

from lib.console import Away, Failure, NoLogin
from lib.knobs import Knobs
from lib.machines.gcp import api, compute
from lib.machines.gcp.compute import Instance
from lib.machines.gcp.faults import NoPermission
from lib.machines.gcp.machine import GcpMachine
from lib.machines.gcp.resources import new_instance
from rig.cloud.gce import PROJECT, ZONE, GceServer
from rig.cloud.gce_errors import (
    OfAnother,
    Refusal,
    permission_denied,
    quota_error,
    quota_refusal,
)

NAME = "dots"
STOCK_OUT = "ZONE_RESOURCE_POOL_EXHAUSTED"
TOO_OFTEN = Refusal(403, "rateLimitExceeded", "Quota exceeded for queries per minute.")
BUSY = Refusal(503, "backendError", "The service is busy.")


@pytest.fixture
def instance(gce: GceServer, monkeypatch: pytest.MonkeyPatch) -> Instance:
    """Our object for an instance that is TERMINATED."""
    gce.add_instance(NAME)
    monkeypatch.setenv("CLOUDSDK_API_ENDPOINT_OVERRIDES_COMPUTE", f"{gce.url}/compute/v1/")
    monkeypatch.setenv("CLOUDSDK_AUTH_DISABLE_CREDENTIALS", "true")
    monkeypatch.setattr(compute, "POLL_S", 0.01)
    monkeypatch.setattr(compute, "FIRST_PAUSE_S", 0.1)
    monkeypatch.setattr(api, "LOST_ANSWER_PAUSES_S", (0.01, 0.02))
    return Instance(PROJECT, ZONE, NAME)


def nothing(instance: Any) -> None:
    """Do nothing before a start."""


def start(instance: Instance, timeout_s: float = 10.0) -> None:
    instance.start(timeout_s, nothing)


def calls(gce: GceServer) -> list[str]:
    """The calls that changed something."""
    names = [call.path.rpartition("/")[2] for call in gce.calls if call.method != "GET"]
    return [name for name in names if name != "wait"]


# ---- states ----

TO_START = {
    "RUNNING": [],
    "TERMINATED": ["start"],
    "SUSPENDED": ["resume"],
    "STOPPING TERMINATED": ["start"],
    "PENDING_STOP STOPPING TERMINATED": ["start"],
    "SUSPENDING SUSPENDED": ["resume"],
    "PROVISIONING STAGING RUNNING": [],
    "REPAIRING RUNNING": [],
}
TO_STOP = {
    "TERMINATED": [],
    "RUNNING": ["stop"],
    "SUSPENDED": ["stop"],
    "PROVISIONING": ["stop"],
    "STAGING": ["stop"],
    "REPAIRING": ["stop"],
    "STOPPING TERMINATED": [],
    "PENDING_STOP STOPPING TERMINATED": [],
    "SUSPENDING SUSPENDED": ["stop"],
}


@pytest.mark.parametrize(("states", "wanted"), TO_START.items(), ids=list(TO_START))
def test_a_start_from_every_state(
    gce: GceServer, instance: Instance, states: str, wanted: list[str]
) -> None:
    gce.set_status(NAME, *states.split(), each_s=0.2)
    start(instance)
    assert (gce.status(NAME), calls(gce)) == ("RUNNING", wanted)
    start(instance)
    assert calls(gce) == wanted  # starting twice is harmless


@pytest.mark.parametrize(("states", "wanted"), TO_STOP.items(), ids=list(TO_STOP))
def test_a_stop_from_every_state(
    gce: GceServer, instance: Instance, states: str, wanted: list[str]
) -> None:
    gce.set_status(NAME, *states.split(), each_s=0.2)
    instance.stop()
    assert (gce.status(NAME), calls(gce)) == ("TERMINATED", wanted)
    instance.stop()
    assert calls(gce) == wanted


def test_a_state_that_does_not_end(gce: GceServer, instance: Instance) -> None:
    gce.set_status(NAME, "STOPPING")
    with pytest.raises(Failure, match=r"dots is still STOPPING after 0 s\n  → make status"):
        start(instance, 0.2)


# ---- stock-out and quota ----


class Clock:
    """A clock that moves only while somebody waits."""

    def __init__(self) -> None:
        self.now, self.pauses = 0.0, list[float]()

    def monotonic(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.pauses.append(seconds)
        self.now += seconds


@pytest.fixture
def clock(instance: Instance, monkeypatch: pytest.MonkeyPatch) -> Clock:
    """The clock for all that is done with the instance."""
    own = Clock()
    monkeypatch.setattr(compute, "time", own)
    return own


def test_a_stock_out_is_tried_again_with_growing_pauses(
    gce: GceServer, instance: Instance, clock: Clock
) -> None:
    gce.fail_start(STOCK_OUT, times=2)
    start(instance)
    assert (gce.status(NAME), calls(gce)) == ("RUNNING", ["start"] * 3)
    assert clock.pauses == [0.1, 0.2]


def test_a_stock_out_for_ever_ends_in_time(
    gce: GceServer, instance: Instance, clock: Clock
) -> None:
    gce.fail_start(f"{STOCK_OUT}_WITH_DETAILS", zones_available=["asia-northeast3-b"])
    with pytest.raises(Failure) as failed:
        start(instance, 1.0)
    assert clock.now < 1 and clock.pauses == pytest.approx([0.1, 0.2, 0.4])
    said = failed.value.message
    assert "asia-northeast3-a has had no such machine to give for 1 s" in said
    assert "longer START_TIMEOUT, or move the disk to asia-northeast3-b" in said


def test_a_new_vm_for_which_there_is_no_room(gce: GceServer, instance: Instance) -> None:
    gce.fail_start(f"{STOCK_OUT}_WITH_DETAILS", zones_available=["asia-northeast3-b"])
    wish = new_instance(Knobs(project=PROJECT, zone=ZONE, vm="new"), "")
    with pytest.raises(Failure, match=r"no such machine(.|\n)*ZONE=asia-northeast3-b"):
        instance.insert(wish)


@pytest.mark.parametrize("comes", ["in the operation", "at the call"])
def test_a_quota_fails_at_once(gce: GceServer, instance: Instance, comes: str) -> None:
    if comes == "at the call":
        gce.refuse(quota_refusal(), "POST", "/start")
    else:
        gce.fail_start(quota_error())
    with pytest.raises(Failure, match=r"quota: Quota '\w+' exceeded(.|\n)*→ ask for more"):
        start(instance)
    assert calls(gce) == ["start"]


# ---- other refusals ----


@pytest.mark.parametrize("act", [start, Instance.stop, Instance.delete])
def test_a_missing_vm(gce: GceServer, instance: Instance, act: Callable[[Instance], None]) -> None:
    other = Instance(PROJECT, ZONE, "nobody")
    assert not other.exists()
    with pytest.raises(Failure) as failed:
        act(other)
    assert failed.value.message == (
        f"there is no VM nobody in {ZONE} of project {PROJECT}\n"
        "  → make create, or correct VM, ZONE or PROJECT in config.env\n"
        "  see docs/troubleshooting.md#there-is-no-vm"
    )


def test_a_missing_permission(gce: GceServer, instance: Instance) -> None:
    gce.refuse(permission_denied("compute.instances.start", NAME), "POST", "/start")
    with pytest.raises(Failure, match=r"(?s)no permission: .*\.start.*→ ask for the role"):
        start(instance)
    assert calls(gce) == ["start"]


def test_a_protected_vm_is_not_deleted(gce: GceServer, instance: Instance) -> None:
    gce.instance(NAME)["deletionProtection"] = True
    with pytest.raises(Failure, match=r"protected(.|\n)*→ gcloud .* --no-deletion-protection"):
        instance.delete()


def test_a_lost_answer_is_asked_for_again(gce: GceServer, instance: Instance) -> None:
    """The request id is the same, so the work is not done twice."""
    gce.lose_answer("POST", "/start")
    start(instance)
    assert (calls(gce), len(gce.operations())) == (["start"] * 2, 1)
    gce.lose_answer("POST", "/wait")
    gce.lose_answer("GET", NAME)
    gce.refuse(BUSY, "POST", "/stop", times=2)
    instance.stop()
    assert (gce.status(NAME), len(gce.operations())) == ("TERMINATED", 2)


def test_a_server_that_is_away(gce: GceServer, instance: Instance) -> None:
    gce.lose_answer("GET", NAME, times=None)
    with pytest.raises(Failure, match=r"Google Compute Engine cannot be reached(.|\n)*→ try again"):
        start(instance)


# ---- a stop that fails is loud ----


def test_a_stop_that_does_not_end_is_loud(
    gce: GceServer, instance: Instance, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(compute, "STOP_TIMEOUT_S", 0.5)
    gce.set_status(NAME, "RUNNING")
    gce.delays.stopping_s, gce.wait_cap_s = 60, 0.1
    with pytest.raises(Failure) as failed:
        instance.stop()
    what = "dots IS STILL STOPPING, AND BILLS, after 0 s\n  → make status\n"
    assert failed.value.message == f"{what}  see docs/troubleshooting.md#is-still--and-bills"
    assert calls(gce) == ["stop"]


def not_known(gce: GceServer) -> None:
    gce.token = "another"  # as if the login had expired


@pytest.mark.parametrize(
    ("fault", "kind"),
    [
        (
            lambda gce: gce.refuse(permission_denied("instances.stop", NAME), "POST", "/stop"),
            NoPermission,
        ),
        (lambda gce: gce.refuse(BUSY, "POST", "/stop"), Away),
        (lambda gce: gce.refuse(TOO_OFTEN, "GET", NAME), Away),
        (lambda gce: gce.lose_answer("GET", NAME, times=None), Away),
        (not_known, NoLogin),
    ],
    ids=["no permission", "busy", "too often", "away", "login"],
)
def test_a_stop_that_cannot_be_asked_for_is_loud(
    gce: GceServer, instance: Instance, fault: Callable[[GceServer], None], kind: type[Failure]
) -> None:
    gce.set_status(NAME, "RUNNING")
    fault(gce)
    machine = GcpMachine(Knobs(project=PROJECT, zone=ZONE, vm=NAME, price_per_hour=1.5))
    with pytest.raises(kind):
        machine.stop()
    loud = r"dots MAY STILL RUN, AND BILL(, since \d.*)?, 1.5 USD an hour: gcloud compute instances"
    assert re.fullmatch(f"{loud} stop dots --zone {ZONE} --project {PROJECT}", machine.alarm())


OTHERS = (
    (404, "<html>Not Found</html>"),
    (404, '{"error": {"message": "no route", "code": 404}}'),
    (404, '{"error": null}'),
    (404, '{"error": {"code": 404, "message": "no route", "errors": null, "details": null}}'),
    (404, "[" * 100_000),
    (403, "<html>Blocked by your company</html>"),
    (403, '{"error": "blocked"}'),
    (407, ""),
    (404, '{"error": {"code": 404, "message": "", "errors": ["x"], "details": ["y"]}}'),
    (200, '{"status": "ok", "message": "log in"}'),
    (200, "[]"),
)


@pytest.mark.parametrize(("status", "text"), OTHERS)
def test_what_is_not_google_says_nothing_about_the_vm(
    gce: GceServer, instance: Instance, status: int, text: str
) -> None:
    """It must not mean that there is no VM: a stop tries again, and in the end it is loud."""
    gce.set_status(NAME, "RUNNING")
    gce.refuse(OfAnother(status, text))
    machine = GcpMachine(Knobs(project=PROJECT, zone=ZONE, vm=NAME))
    with pytest.raises(Away, match=r"what answers is not Google(.|\n)*→ log in to your network"):
        machine.stop()
    assert "dots MAY STILL RUN, AND BILL" in machine.alarm()
    assert "dots MAY STILL RUN, AND BILL" in machine.left_on()
    gce.heal()
    machine.stop()
    assert gce.status(NAME) == "TERMINATED"


def test_an_outage_of_google_asks_for_no_login(gce: GceServer, instance: Instance) -> None:
    """Google's own front end reports an outage in HTML."""
    gce.refuse(OfAnother(502, "<html>Error 502 (Server Error)!!1"))
    with pytest.raises(Away, match=r"HTTP 502(.|\n)*→ try again"):
        instance.status()


@pytest.mark.parametrize("call", ["/stop", "/wait"])
def test_a_change_that_a_portal_answers(gce: GceServer, instance: Instance, call: str) -> None:
    gce.set_status(NAME, "RUNNING")
    gce.refuse(OfAnother(200, "{}"), "POST", call)
    with pytest.raises(Away, match="what answers is not Google"):
        instance.stop()


def test_what_the_system_refuses_is_no_answer(
    gce: GceServer, instance: Instance, monkeypatch: pytest.MonkeyPatch
) -> None:
    """For example, the certificates are missing."""
    machine = GcpMachine(Knobs(project=PROJECT, zone=ZONE, vm=NAME))
    assert machine.left_on() == ""
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", "/nowhere/ca.pem")
    monkeypatch.setenv(
        "CLOUDSDK_API_ENDPOINT_OVERRIDES_COMPUTE", gce.url.replace("http:", "https:")
    )
    other = GcpMachine(Knobs(project=PROJECT, zone=ZONE, vm=NAME))
    with pytest.raises(Away, match="/nowhere/ca"):
        other.stop()
    assert "dots MAY STILL RUN, AND BILL" in other.left_on()


def test_who_may_stop_it_and_not_look_at_it_can_stop_it(gce: GceServer, instance: Instance) -> None:
    gce.set_status(NAME, "RUNNING")
    gce.refuse(permission_denied("compute.instances.get", NAME), "GET", f"/{NAME}")
    instance.stop()
    assert (gce.status(NAME), instance.is_off) == ("TERMINATED", True)


# ---- the longest run ----


def test_the_longest_run_is_set_while_it_is_off(gce: GceServer, instance: Instance) -> None:
    seen: list[str] = []

    def limit(vm: Any) -> None:
        seen.append(vm.status)
        if vm.status == "TERMINATED":
            instance.set_max_run(vm, 6)

    gce.fail_start(STOCK_OUT, times=1)
    instance.start(10, limit)
    assert calls(gce) == ["setScheduling", "start", "start"]
    scheduling = gce.instance(NAME)["scheduling"]
    assert int(scheduling["maxRunDuration"]["seconds"]) == 6 * 3600
    assert scheduling["instanceTerminationAction"] == "STOP"
    assert scheduling["onHostMaintenance"] == "TERMINATE"  # other settings stay
    instance.start(10, limit)  # it runs, so nothing can be set
    gce.set_status(NAME, "SUSPENDED")
    instance.start(10, limit)
    gce.set_status(NAME, "TERMINATED")
    instance.start(10, limit)  # the limit is set already
    assert calls(gce) == ["setScheduling", "start", "start", "resume", "start"]
    # its status before each of these starts
    assert seen == ["TERMINATED", "TERMINATED", "SUSPENDED", "TERMINATED"]


def test_a_limit_that_would_delete_the_vm_becomes_a_stop(
    gce: GceServer, instance: Instance
) -> None:
    scheduling = gce.instance(NAME)["scheduling"]
    scheduling.update(maxRunDuration={"seconds": "3600"}, instanceTerminationAction="DELETE")
    instance.set_max_run(instance.get(), 1)
    assert scheduling["instanceTerminationAction"] == "STOP"
