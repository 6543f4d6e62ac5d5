"""Instance templates and groups of the stand-in, used by the real client and the real gcloud."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from google.api_core import exceptions
from google.cloud import compute_v1

from rig.cloud.gce import PROJECT, Delays, GceServer
from rig.cloud.gcloud import Gcloud, cloud_environment
from rig.cloud.test_gce import client
from rig.command import wait_until

A, B = "asia-northeast3-a", "asia-northeast3-b"
PLACE: dict[str, Any] = {"project": PROJECT, "region": "asia-northeast3"}
GROUP: dict[str, Any] = {**PLACE, "instance_group_manager": "crew"}
LINK = "projects/rig-project/regions/asia-northeast3/instanceTemplates/crew-1"


class Api:
    """The clients, and the requests that the tests make with them."""

    def __init__(self, url: str) -> None:
        self.templates = client(compute_v1.RegionInstanceTemplatesClient, url)
        self.groups = client(compute_v1.RegionInstanceGroupManagersClient, url)
        self.operations = client(compute_v1.RegionOperationsClient, url)

    def done(self, operation: Any) -> compute_v1.Operation:
        """Wait for the end of the operation and return it."""
        ended: compute_v1.Operation = self.operations.wait(**PLACE, operation=operation.name)
        assert ended.status == compute_v1.Operation.Status.DONE
        return ended

    def insert_template(self, name: str = "crew-1", **scheduling: Any) -> None:
        wanted = {"provisioning_model": "SPOT", "on_host_maintenance": "TERMINATE"} | scheduling
        properties = compute_v1.InstanceProperties(
            machine_type="g2-standard-8",
            scheduling=compute_v1.Scheduling(**wanted),
            network_interfaces=[compute_v1.NetworkInterface(network="global/networks/default")],
        )
        template = compute_v1.InstanceTemplate(name=name, properties=properties)
        self.done(self.templates.insert(**PLACE, instance_template_resource=template))

    def insert_group(self, size: int, redistribution: str = "NONE") -> None:
        group = compute_v1.InstanceGroupManager(
            name="crew",
            base_instance_name="crew",
            instance_template=LINK,
            target_size=size,
            distribution_policy=compute_v1.DistributionPolicy(target_shape="ANY"),
            update_policy=compute_v1.InstanceGroupManagerUpdatePolicy(
                instance_redistribution_type=redistribution
            ),
        )
        self.done(self.groups.insert(**PLACE, instance_group_manager_resource=group))

    def members(self) -> list[compute_v1.ManagedInstance]:
        return list(self.groups.list_managed_instances(**GROUP))

    def running(self) -> list[str]:
        """The zones of the running instances."""
        return sorted(
            one.instance.split("/")[-3]
            for one in self.members()
            if one.instance_status == "RUNNING" and one.current_action == "NONE"
        )


@pytest.fixture
def api(gce: GceServer) -> Api:
    one = Api(gce.url)
    one.insert_template()
    return one


def test_a_group_comes_and_goes(gce: GceServer, api: Api) -> None:
    gce.delays.provisioning_s = gce.delays.stopping_s = 3600.0
    api.insert_group(2)
    assert {one.instance_status for one in api.members()} == {"PROVISIONING"}
    assert {one.current_action for one in api.members()} == {"CREATING"}
    gce.delays.provisioning_s = 0.0
    wait_until(lambda: len(api.running()) == 2)
    names = {one.name for one in api.members()}
    instances = client(compute_v1.InstancesClient, gce.url)
    listed = list(instances.list(project=PROJECT, zone=A))
    assert {one.name for one in listed} == names
    assert listed[0].scheduling.provisioning_model == "SPOT"
    api.done(api.groups.resize(**GROUP, size=0))  # it is done before the instances are gone
    assert {one.current_action for one in api.members()} == {"DELETING"}
    gce.delays.stopping_s = 0.0
    wait_until(lambda: not api.members())
    assert not list(instances.list(project=PROJECT, zone=A))
    assert api.groups.get(**GROUP).target_size == 0


@pytest.mark.parametrize("code", ["", "_WITH_DETAILS"])
def test_a_zone_without_stock_is_made_up_for(gce: GceServer, api: Api, code: str) -> None:
    gce.groups.code = f"ZONE_RESOURCE_POOL_EXHAUSTED{code}"
    gce.groups.stock = {A: 1}
    api.insert_group(3)
    wait_until(lambda: api.running() == [A, B, B])
    errors = list(api.groups.list_errors(**GROUP))
    assert {one.error.code for one in errors} == {gce.groups.code}
    assert {one.instance_action_details.instance.split("/")[-3] for one in errors} == {A}


def test_a_region_without_stock_until_there_is_some(gce: GceServer, api: Api) -> None:
    gce.groups.stock, gce.groups.retry_s = {A: 1, B: 0}, 0.02
    api.insert_group(2)
    wait_until(lambda: api.running() == [A])
    (other,) = [one for one in api.members() if one.instance_status != "RUNNING"]
    assert (other.current_action, other.instance_status) == ("CREATING", "")
    assert other.last_attempt.errors.errors[0].code == gce.groups.code
    gce.groups.stock[B] = 5
    wait_until(lambda: api.running() == [A, B])


def test_a_preempted_one_is_made_anew(gce: GceServer, api: Api) -> None:
    api.insert_group(1)
    wait_until(lambda: api.running() == [A])
    name = api.members()[0].name
    gce.groups.stock = {A: 0}
    gce.preempt(name)
    wait_until(lambda: api.running() == [B])


def test_refusals(gce: GceServer, api: Api) -> None:
    raised: pytest.ExceptionInfo[Any]
    with pytest.raises(exceptions.NotFound):
        api.groups.get(**GROUP)
    with pytest.raises(exceptions.BadRequest, match="redistribution"):
        api.insert_group(1, "PROACTIVE")
    api.insert_group(1)
    with pytest.raises(exceptions.Conflict):
        api.insert_group(1)
    with pytest.raises(exceptions.Conflict):
        api.insert_template()
    with pytest.raises(exceptions.BadRequest, match="already being used by") as raised:
        api.templates.delete(**PLACE, instance_template="crew-1")
    assert raised.value.errors[0]["reason"] == "resourceInUseByAnotherResource"
    with pytest.raises(exceptions.BadRequest, match="maxRunDuration"):
        api.insert_template("other", max_run_duration=compute_v1.Duration(seconds=1))
    with pytest.raises(exceptions.BadRequest, match="live migration"):
        api.insert_template("other", on_host_maintenance="MIGRATE")
    resource = compute_v1.RegionInstanceGroupManagersDeleteInstancesRequest(instances=["x/nobody"])
    with pytest.raises(exceptions.BadRequest, match="not a member"):
        api.groups.delete_instances(
            **GROUP, region_instance_group_managers_delete_instances_request_resource=resource
        )


def test_another_template_and_the_end(gce: GceServer, api: Api) -> None:
    api.insert_group(1)
    api.insert_template("crew-2")
    wish = compute_v1.RegionInstanceGroupManagersSetTemplateRequest(
        instance_template=LINK.replace("crew-1", "crew-2")
    )
    resource = {"region_instance_group_managers_set_template_request_resource": wish}
    api.done(api.groups.set_instance_template(**GROUP, **resource))
    api.done(api.templates.delete(**PLACE, instance_template="crew-1"))
    assert [one.name for one in api.templates.list(**PLACE)] == ["crew-2"]
    api.done(api.groups.delete(**GROUP))
    with pytest.raises(exceptions.NotFound):
        api.groups.get(**GROUP)
    assert not list(client(compute_v1.InstancesClient, gce.url).list(project=PROJECT, zone=A))


@pytest.mark.skipif(shutil.which("gcloud") is None, reason="needs gcloud")
def test_the_commands_of_gcloud(tmp_path: Path) -> None:
    """The commands that a worker calls, and those in our messages."""
    with GceServer(delays=Delays(stopping_s=0.2)) as gce:
        api = Api(gce.url)
        api.insert_template()
        api.insert_group(2)
        wait_until(lambda: len(api.running()) == 2)
        gcloud = Gcloud(cloud_environment(tmp_path, gce.url))
        managed = ("compute", "instance-groups", "managed")
        region = ("--region", "asia-northeast3")
        listed = gcloud(*managed, "list-instances", "crew", *region, "--format=json")
        shown = json.loads(listed.stdout)
        assert {(one["name"], one["instanceStatus"]) for one in shown} == {
            (one.name, "RUNNING") for one in api.members()
        }
        name = shown[0]["name"]
        left = gcloud(*managed, "delete-instances", "crew", *region, "--instances", name, "--quiet")
        assert left.returncode == 0, left.stderr
        wait_until(lambda: name not in [one.name for one in api.members()])
        assert api.groups.get(**GROUP).target_size == 1
        done = gcloud(*managed, "resize", "crew", *region, "--size=0", "--quiet")
        assert done.returncode == 0, done.stderr
        wait_until(lambda: not api.members())
