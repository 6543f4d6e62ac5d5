"""Compute Engine's stand-in, used by the real google-cloud-compute."""

# mypy: disable-error-code="no-untyped-call"
# (the operations of google.api_core have no types)
from __future__ import annotations

import concurrent.futures
import uuid
from collections.abc import Callable
from typing import Any

import pytest
import requests
from google.api_core import exceptions
from google.api_core.extended_operation import ExtendedOperation
from google.auth.credentials import AnonymousCredentials
from google.auth.exceptions import InvalidOperation
from google.cloud import compute_v1

from rig.cloud import gce_errors
from rig.cloud.gce import PROJECT, ZONE, Delays, GceServer

PLACE: dict[str, Any] = {"project": PROJECT, "zone": ZONE}
DOTS: dict[str, Any] = {**PLACE, "instance": "dots"}
IMAGE = "projects/deeplearning-platform-release/global/images/family/"


def client(kind: Callable[..., Any], url: str) -> Any:
    return kind(credentials=AnonymousCredentials(), client_options={"api_endpoint": url})


def instances(gce: GceServer) -> compute_v1.InstancesClient:
    """A client that polls operations at the stand-in; by default it asks the real service."""
    made: compute_v1.InstancesClient = client(compute_v1.InstancesClient, gce.url)
    services = made.transport._extended_operations_services
    services["zone_operations"] = client(compute_v1.ZoneOperationsClient, gce.url)
    return made


def start(gce: GceServer) -> ExtendedOperation:
    return instances(gce).start(**DOTS)


def wish(name: str, **more: Any) -> compute_v1.Instance:
    """An instance as the toolkit requests it."""
    disk = compute_v1.AttachedDisk(boot=True, auto_delete=True)
    disk.initialize_params = compute_v1.AttachedDiskInitializeParams(
        source_image=IMAGE + "common-cu129-ubuntu-2404-nvidia-580", disk_size_gb=200
    )
    return compute_v1.Instance(
        name=name,
        machine_type=f"zones/{ZONE}/machineTypes/g2-standard-8",
        disks=[disk],
        network_interfaces=[compute_v1.NetworkInterface(network="global/networks/default")],
        scheduling=compute_v1.Scheduling(on_host_maintenance="TERMINATE", **more),
    )


def test_an_instance_goes_through_its_states() -> None:
    with GceServer(delays=Delays(0.15, 0.15, 0.15)) as gce:
        gce.add_instance("dots")
        made, seen = instances(gce), [gce.status("dots")]
        for verb in (made.start, made.stop):
            operation = verb(**DOTS)
            is_done = False
            while not is_done:
                is_done = operation.done()
                state = made.get(**DOTS).status
                if state != seen[-1]:
                    seen.append(state)
    up = ["PROVISIONING", "STAGING", "RUNNING"]
    assert seen == ["TERMINATED", *up, "STOPPING", "TERMINATED"]
    assert gce.count("POST", "/dots/start") == gce.count("POST", "/dots/stop") == 1


@pytest.mark.parametrize("ending", ["", "_WITH_DETAILS"])
def test_no_capacity_twice_and_then_some(gce: GceServer, ending: str) -> None:
    gce.add_instance("dots")
    code = f"ZONE_RESOURCE_POOL_EXHAUSTED{ending}"
    gce.fail_start(code, times=2, zones_available=["asia-northeast3-b"])
    for _ in range(2):
        with pytest.raises(exceptions.ServiceUnavailable) as raised:
            start(gce).result()
        assert raised.value.message == "SERVICE UNAVAILABLE"
        error = raised.value.errors[0]
        assert error.code == code
        infos = [detail.error_info.metadatas for detail in error.error_details]
        zones = [info["zonesAvailable"] for info in infos if "zonesAvailable" in info]
        assert zones == (["asia-northeast3-b"] if ending else [])
        assert gce.status("dots") == "TERMINATED"
    start(gce).result()
    assert gce.status("dots") == "RUNNING"


def test_no_capacity_for_ever_and_nothing_is_left_of_an_insert(gce: GceServer) -> None:
    gce.fail_start("ZONE_RESOURCE_POOL_EXHAUSTED")
    for _ in range(3):
        with pytest.raises(exceptions.ServiceUnavailable):
            instances(gce).insert(**PLACE, instance_resource=wish("new")).result()
    assert list(instances(gce).list(**PLACE)) == []
    assert list(client(compute_v1.DisksClient, gce.url).list(**PLACE)) == []


def test_quota_at_the_call_and_in_the_operation(gce: GceServer) -> None:
    gce.add_instance("dots")
    gce.refuse(gce_errors.quota_refusal("GPUS_ALL_REGIONS"), "POST", "/start", times=1)
    with pytest.raises(exceptions.Forbidden, match="GPUS_ALL_REGIONS") as raised:
        start(gce)
    assert raised.value.errors[0]["reason"] == "quotaExceeded"

    gce.fail_start(gce_errors.quota_error("NVIDIA_L4_GPUS"), times=1)
    with pytest.raises(exceptions.Forbidden) as raised:
        start(gce).result()
    assert raised.value.errors[0].code == "QUOTA_EXCEEDED"
    assert "NVIDIA_L4_GPUS" in raised.value.errors[0].message
    detail = raised.value.errors[0].error_details[0].quota_info
    assert (detail.limit_name, detail.limit) == ("NVIDIA_L4_GPUS-per-project-region", 0)


def test_refusals_are_those_of_google(gce: GceServer) -> None:
    raised: pytest.ExceptionInfo[Any]
    gce.add_instance("dots")
    asked = instances(gce)
    with pytest.raises(exceptions.NotFound) as raised:
        asked.get(**PLACE, instance="nobody")
    assert raised.value.errors[0]["reason"] == "notFound"
    with pytest.raises(exceptions.Conflict) as raised:
        asked.insert(**PLACE, instance_resource=wish("dots"))
    assert raised.value.errors[0]["reason"] == "alreadyExists"
    stale = compute_v1.Metadata(fingerprint="AAAAAAAAAAA=")
    with pytest.raises(exceptions.PreconditionFailed) as raised:
        asked.set_metadata(**DOTS, metadata_resource=stale)
    assert raised.value.errors[0]["reason"] == "conditionNotMet"
    for state in ("STOPPING", "SUSPENDED", "REPAIRING", "PENDING_STOP"):
        gce.set_status("dots", state)
        with pytest.raises(exceptions.BadRequest) as raised:
            asked.start(**DOTS)
        assert raised.value.errors[0]["reason"] == "resourceNotReady"
    permission = gce_errors.permission_denied("compute.instances.get", "dots")
    gce.refuse(permission, "GET", times=1)
    with pytest.raises(exceptions.Forbidden, match=r"compute\.instances\.get"):
        asked.get(**DOTS)


def test_a_token_is_asked_for(gce: GceServer) -> None:
    gce.token = "secret"
    url = f"{gce.url}/compute/v1/projects/{PROJECT}"
    for token, status in (("", 401), ("wrong", 401), ("secret", 200)):
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        assert requests.get(url, headers=headers, timeout=60).status_code == status
    # then the client tries to renew credentials that cannot be renewed
    with pytest.raises(InvalidOperation):
        client(compute_v1.ProjectsClient, gce.url).get(project=PROJECT)


def test_metadata_with_the_right_fingerprint(gce: GceServer) -> None:
    gce.add_instance("dots")
    metadata = instances(gce).get(**DOTS).metadata
    metadata.items.append(compute_v1.Items(key="held-by", value="me"))
    instances(gce).set_metadata(**DOTS, metadata_resource=metadata).result()
    assert gce.metadata("dots") == {"held-by": "me"}


def test_a_run_duration_only_while_terminated_and_then_it_ends_the_run(gce: GceServer) -> None:
    gce.add_instance("dots", status="RUNNING")
    scheduling = compute_v1.Scheduling(
        max_run_duration=compute_v1.Duration(seconds=3600), instance_termination_action="STOP"
    )
    with pytest.raises(exceptions.BadRequest, match="TERMINATED"):
        instances(gce).set_scheduling(**DOTS, scheduling_resource=scheduling)
    instances(gce).stop(**DOTS).result()
    instances(gce).set_scheduling(**DOTS, scheduling_resource=scheduling).result()
    assert instances(gce).get(**DOTS).scheduling.max_run_duration.seconds == 3600
    start(gce).result()
    gce.expire("dots")
    assert gce.status("dots") == "TERMINATED"
    short = compute_v1.Scheduling(max_run_duration=compute_v1.Duration(seconds=29))
    with pytest.raises(exceptions.BadRequest, match="maxRunDuration"):
        instances(gce).set_scheduling(**DOTS, scheduling_resource=short)


def test_a_lost_answer_and_the_same_request_again(gce: GceServer) -> None:
    gce.add_instance("dots")
    request = compute_v1.StartInstanceRequest(**DOTS, request_id=str(uuid.uuid4()))
    gce.lose_answer("POST", "/start")
    with pytest.raises(requests.exceptions.ConnectionError):
        instances(gce).start(request)
    first, second = (instances(gce).start(request) for _ in range(2))
    assert first.name == second.name
    assert [one["operationType"] for one in gce.operations()] == ["start"]
    first.result()


def test_an_operation_that_outlasts_the_wait() -> None:
    with GceServer(delays=Delays(provisioning_s=30)) as gce:
        gce.add_instance("dots")
        gce.wait_cap_s = 0.1
        operation = start(gce)
        with pytest.raises(concurrent.futures.TimeoutError):
            operation.result(timeout=0.5)
        assert gce.status("dots") == "PROVISIONING"


def test_a_preemption_is_written_down(gce: GceServer) -> None:
    gce.add_instance("dots", status="RUNNING")
    gce.preempt("dots")
    assert gce.status("dots") == "TERMINATED"
    asked = compute_v1.ListZoneOperationsRequest(
        **PLACE, filter='operationType="compute.instances.preempted"'
    )
    found = list(client(compute_v1.ZoneOperationsClient, gce.url).list(asked))
    assert [one.target_link.rsplit("/", 1)[1] for one in found] == ["dots"]


def test_states_that_pass_by_themselves(gce: GceServer) -> None:
    gce.add_instance("dots", status="RUNNING")
    made = instances(gce)
    gce.set_status("dots", "STOPPING", "TERMINATED", each_s=0.5)
    with pytest.raises(exceptions.BadRequest):
        made.start(**DOTS)
    gce.wait_for_status("dots", "TERMINATED")
    start(gce).result()


def test_suspended_wants_resume(gce: GceServer) -> None:
    gce.add_instance("dots", status="RUNNING")
    instances(gce).suspend(**DOTS).result()
    assert gce.status("dots") == "SUSPENDED"
    instances(gce).resume(**DOTS).result()
    assert gce.status("dots") == "RUNNING"


def test_a_new_instance_and_its_end(gce: GceServer) -> None:
    instances(gce).insert(**PLACE, instance_resource=wish("new")).result()
    new = instances(gce).get(**PLACE, instance="new")
    assert (new.status, new.disks[0].disk_size_gb) == ("RUNNING", 200)
    assert not new.network_interfaces[0].access_configs  # none was requested
    disks = client(compute_v1.DisksClient, gce.url)
    assert [disk.size_gb for disk in disks.list(**PLACE)] == [200]
    instances(gce).delete(**PLACE, instance="new").result()
    assert list(disks.list(**PLACE)) == []
    with pytest.raises(exceptions.NotFound):
        instances(gce).get(**PLACE, instance="new")


def test_what_an_insert_may_not_ask_for(gce: GceServer) -> None:
    migrating = wish("new")
    migrating.scheduling.on_host_maintenance = "MIGRATE"
    with pytest.raises(exceptions.BadRequest, match="live migration"):
        instances(gce).insert(**PLACE, instance_resource=migrating)
    no_gpus: dict[str, Any] = {"project": PROJECT, "zone": "asia-northeast3-c"}
    with pytest.raises(exceptions.BadRequest, match="machineType"):
        instances(gce).insert(**no_gpus, instance_resource=wish("new"))
    images = client(compute_v1.ImagesClient, gce.url)
    with pytest.raises(exceptions.NotFound):
        images.get_from_family(project="deeplearning-platform-release", family="nothing")


def test_nobody_listens() -> None:
    with GceServer() as gce:
        gce.add_instance("dots")
        asked = instances(gce)
    with pytest.raises(requests.exceptions.ConnectionError):
        asked.start(**DOTS)
