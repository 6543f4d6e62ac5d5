"""`make start`, `status` and `stop` with WORKERS, on a VM; the requests about its group."""

import json
from pathlib import Path
from typing import Any

import pytest

from rig.cloud.cloud import Cloud
from rig.cloud.gce import ZONE, GceServer
from rig.cloud.toolkit import BUCKET, VM, CloudToolkit, GceToolkit
from rig.command import Finished, wait_until
from rig.toolkit import files_below

A, B = ZONE, "asia-northeast3-b"
GROUP = f"{VM}-workers"
MAKE_S = 240.0
CONTAINERS = "docker ps --format '{{.Names}} {{.ID}}' | sort"
SCHEDULER = "docker inspect --format '{{json .Config}}|{{json .HostConfig}}' dots-ocr-scheduler"


def make(kit: GceToolkit, verb: str, *given: str) -> Finished:
    """`make VERB WORKERS=4` as people type it."""
    with kit.make("--silent", verb, *given) as job:
        return job.finish(MAKE_S)


def crew_kit(cloud: Cloud, folder: Path, **knobs: str) -> CloudToolkit:
    """A user's computer with all that workers need; only their number is not set."""
    return CloudToolkit(cloud, folder, bucket=True, WORKER_IMAGE="crew", **knobs)


def bodies(gce: GceServer, method: str, path_end: str) -> list[dict[str, Any]]:
    """The bodies of the calls of this kind."""
    return [
        call.body for call in gce.calls if call.method == method and call.path.endswith(path_end)
    ]


def containers(kit: CloudToolkit) -> dict[str, str]:
    """The containers that run on the VM: id by name."""
    return dict(line.split() for line in kit.on_vm(CONTAINERS).splitlines())


def rows(out: str) -> dict[str, str]:
    """The rows of `make status`."""
    parts = [line.split("  ", 1) for line in out.splitlines()]
    return {part[0]: part[-1].strip() for part in parts}


@pytest.mark.timeout(600)
def test_start_status_and_stop(cloud: Cloud, image_tar: Path, tmp_path: Path) -> None:
    cloud.gcs.make_bucket("unused")  # the VM is told where Cloud Storage is
    vm = cloud.add_vm(VM, image_tar=image_tar)
    kit = crew_kit(cloud, tmp_path)
    cloud.gce.groups.stock = {A: 1}
    end = make(kit, "start", "WORKERS=4")
    assert (end.code, end.out, end.err) == (0, "", ""), end.err
    target, states = cloud.gce.group(GROUP)
    assert (target, list(states.values())) == (4, ["RUNNING"] * 4)
    check_what_was_asked_for(cloud.gce)
    check_scheduler(kit)
    before = containers(kit)
    assert before.keys() == {"dots-ocr-model", "dots-ocr-scheduler", "dots-ocr-worker"}
    assert {"fleet/packages.tar", "fleet/vm_side.tar"} <= set(cloud.gcs.names(BUCKET))
    check_status(kit)

    sent = len(uploads(cloud))
    assert kit.run_here("start", WORKERS="4").code == 0
    assert containers(kit) == before  # starting twice is harmless
    assert len(uploads(cloud)) == sent
    assert not files_below(kit.home("input"))  # the workers read from the bucket themselves

    end = kit.run_here("start")  # now only the VM
    assert (end.code, end.err) == (0, f"start: WORKERS is 0: the workers of {GROUP} are deleted\n")
    assert containers(kit).keys() == {"dots-ocr-model"}
    assert cloud.gce.group(GROUP)[0] == 0

    # as if another person had set it
    cloud.gce.groups.get(next(iter(cloud.gce.groups.all())))["targetSize"] = 2
    assert len(cloud.gce.group(GROUP)[1]) == 2
    end = kit.run_here("stop")  # it ends the group, with any WORKERS
    assert (end.code, end.err) == (0, "")
    assert cloud.gce.group(GROUP) == (0, {})
    assert (cloud.gce.status(VM), vm.is_on) == ("TERMINATED", False)
    order = [name for name in kit.calls if name in ("resize", "stop")]
    assert order[-2:] == ["resize", "stop"]

    assert make(kit, "delete", "YES=1").code == 0
    assert not cloud.gce.groups.all() and not cloud.gce.groups.templates
    assert not vm.is_on


@pytest.mark.parametrize("verb", ["start", "process", "all"])
def test_workers_that_cannot_be_are_a_matter_of_usage(
    gce: GceServer, tmp_path: Path, verb: str
) -> None:
    kit = GceToolkit(gce, tmp_path, WORKERS="4")
    end = kit.run_here(verb)
    assert (end.code, "BUCKET=gs://name" in end.err) == (2, True), end.err
    assert not gce.calls
    kit.knobs["BUCKET"] = "gs://pages"
    end = kit.run_here(verb)
    assert (end.code, f"--source-disk={VM}" in end.err) == (2, True), end.err


def check_what_was_asked_for(gce: GceServer) -> None:
    """Check the requests for the template and the group."""
    (template,) = bodies(gce, "POST", "/instanceTemplates")
    sent = template["properties"]
    assert sent["scheduling"]["provisioningModel"] == "SPOT"
    assert sent["scheduling"]["terminationTime"]
    image = sent["disks"][0]["initializeParams"]["sourceImage"]
    assert image == "projects/rig-project/global/images/crew"
    (item,) = sent["metadata"]["items"]
    assert item["key"] == "startup-script"
    assert f"SCHEDULER_HOST={VM}.{A}.c.rig-project.internal\n" in item["value"]
    assert item["value"].count("PRIVATE KEY-----") == 2
    (group,) = bodies(gce, "POST", "/instanceGroupManagers")
    assert (group["name"], group["targetSize"]) == (GROUP, 4)
    assert group["distributionPolicy"] == {"targetShape": "ANY"}
    assert group["updatePolicy"]["instanceRedistributionType"] == "NONE"


def check_scheduler(kit: CloudToolkit) -> None:
    """It listens in the private network, its dashboard only on the VM, and docker restarts it."""
    config, host = map(json.loads, kit.on_vm(SCHEDULER).split("|"))
    address = kit.cloud.vms[VM].address
    rule = "-A DOCKER-USER -d 169.254.169.254/32 -p tcp -m tcp ! --dport 53 -j REJECT"
    assert kit.on_vm("sudo -n iptables -S DOCKER-USER").count(rule) == 1
    assert "DASK_CONFIG=/vm_side/machine/dask.yaml" in config["Env"]
    assert config["Cmd"][2:] == [
        *("--protocol", "tls"),
        *("--host", address, "--port", "8786"),
        *("--dashboard-address", "127.0.0.1:8787"),
    ]
    assert host["RestartPolicy"]["Name"] == "unless-stopped"
    wait_until(lambda: f"{address}:8786" in kit.on_vm("ss -ltnH"))
    wait_until(lambda: "127.0.0.1:8787" in kit.on_vm("ss -ltnH"))
    listens = kit.on_vm("ss -ltnH | awk '{print $4}'").split()
    assert [place for place in listens if place.endswith(":8787")] == ["127.0.0.1:8787"]


def check_status(kit: CloudToolkit) -> None:
    """The group's workers are only records; Dask knows only the VM's own worker."""
    counts = "curl -s http://127.0.0.1:8787/json/counts.json || :"
    wait_until(lambda: '"workers": 1' in kit.on_vm(counts))
    shown = rows(make(kit, "status", "WORKERS=4").out)
    assert shown["workers"] == f"4 of 4 running (1 in {A}, 3 in {B})"
    assert shown["workers cost"] == "0.92 USD an hour"
    assert shown["money so far"].endswith(" USD, without its workers")
    assert shown["Dask"] == "1 workers connected, 0 pages given to them"
    assert shown["dashboard"] == (
        f"gcloud compute ssh {VM} --zone {A} --project rig-project"
        " -- -N -L 8787:127.0.0.1:8787, then http://127.0.0.1:8787/status"
    )
    page = kit.on_vm("curl -sL -o /dev/null -w '%{http_code}' http://127.0.0.1:8787/status")
    assert page == "200"


def uploads(cloud: Cloud) -> list[str]:
    """The paths of what was sent to Cloud Storage so far."""
    return [one.path for one in cloud.gcs.requests if one.path.startswith("/upload/")]
