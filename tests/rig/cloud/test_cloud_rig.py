"""The whole rig: the real gcloud CLI and ssh, docker in the VM, Cloud Storage from both sides."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest

from rig.cloud.cloud import Cloud
from rig.cloud.docker_image import NAME, ModelContainer, install_image
from rig.cloud.gce import ZONE
from rig.cloud.gcloud import put_before
from rig.command import wait_until

RUN = f"docker run -d --name model --network host --restart on-failure {NAME}"


def started(cloud: Cloud, name: str = "dots") -> None:
    done = cloud.gcloud("compute", "instances", "start", name)
    assert done.returncode == 0, done.stderr


def test_gcloud_starts_asks_and_stops(cloud: Cloud) -> None:
    vm = cloud.add_vm("dots")
    gcloud = cloud.gcloud
    started(cloud)
    assert vm.is_on
    done = gcloud.ssh("dots", "exit 3")
    assert done.returncode == 3, done.stderr
    assert gcloud.ssh("dots", "sudo -n id -un; pwd").stdout.split() == ["root", "/home/rig"]
    listed = gcloud("compute", "instances", "list", "--format=json").stdout
    assert [(one["name"], one["status"]) for one in json.loads(listed)] == [("dots", "RUNNING")]

    file = cloud.folder / "page.png"
    file.write_bytes(os.urandom(100_000))
    there, back = "dots:page.png", str(cloud.folder / "back.png")
    assert gcloud("compute", "scp", "--quiet", str(file), there).returncode == 0
    assert gcloud("compute", "scp", "--quiet", there, back).returncode == 0
    assert Path(back).read_bytes() == file.read_bytes()

    assert gcloud("compute", "instances", "stop", "dots").returncode == 0
    assert (cloud.gce.status("dots"), vm.is_on) == ("TERMINATED", False)
    assert vm.path("/home/rig/page.png").read_bytes() == file.read_bytes()
    started(cloud)
    assert gcloud.ssh("dots", "test -f page.png").returncode == 0


def test_the_quick_gcloud_says_what_gcloud_says(cloud: Cloud, tmp_path: Path) -> None:
    """Compare before the first login and after it, also at a new address; each key works."""
    cloud.add_vm("dots")
    real = cloud.environment
    quick = put_before(real, tmp_path / "bin")
    ask = [*LOGIN, "--dry-run"]
    for _ in range(2):
        cloud.gce.start("dots")
        first = said(real, *ask)  # gcloud makes the key
        assert said(quick, *ask) == first
        assert said(quick, *LOGIN, "--command=id -un") == "rig\n"
        assert said(quick, *LOGIN, "--command=id -un") == "rig\n"
        assert said(real, *LOGIN, "--command=id -un") == "rig\n"
        assert said(quick, *ask) == said(real, *ask)
        cloud.gce.preempt("dots")
    token = ("auth", "print-access-token", "--quiet")
    assert said(quick, *token) == said(real, *token)
    assert said(quick, "config", "get", "project") == said(real, "config", "get", "project")


LOGIN = (
    *("compute", "ssh", "dots", "--quiet", "--project=rig-project", f"--zone={ZONE}"),
    *("--ssh-flag=-oConnectTimeout=10", "--ssh-flag=-oServerAliveInterval=5"),
)


def said(environment: dict[str, str], *arguments: str) -> str:
    """Run a gcloud until it succeeds (sshd may not be ready); return its last line."""
    program = shutil.which("gcloud", path=environment["PATH"])
    command = [str(program), *arguments]
    ends: list[subprocess.CompletedProcess[str]] = []

    def ended_well() -> bool:
        ends.append(
            subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
        )
        return ends[-1].returncode == 0

    wait_until(ended_well)
    return ends[-1].stdout.splitlines(keepends=True)[-1]


def test_poweroff_in_the_guest_is_noticed(cloud: Cloud) -> None:
    vm = cloud.add_vm("dots")
    cloud.gce.start("dots")
    vm.wait_for_boot()
    vm.run("shutdown -h now", check=False)
    cloud.gce.wait_for_status("dots", "TERMINATED")
    assert cloud.gce.operations()[0]["operationType"] == "compute.instances.guestTerminate"
    cloud.gce.start("dots")
    assert vm.is_on


def test_a_preemption_kills(cloud: Cloud) -> None:
    vm = cloud.add_vm("dots")
    cloud.gce.start("dots")
    vm.wait_for_ssh()
    began_s = time.monotonic()
    cloud.gce.preempt("dots")
    assert time.monotonic() - began_s < 10  # a shutdown would wait for running processes
    assert (cloud.gce.status("dots"), vm.is_on) == ("TERMINATED", False)


def test_gcloud_makes_a_machine_and_tells_errors(cloud: Cloud) -> None:
    create = (
        *("compute", "instances", "create", "new", "--machine-type=g2-standard-8"),
        *("--image-project=deeplearning-platform-release", "--boot-disk-size=200GB"),
        *("--image-family=common-cu129-ubuntu-2404-nvidia-580", "--scopes=cloud-platform"),
        *("--maintenance-policy=TERMINATE", "--provisioning-model=SPOT"),
        *("--max-run-duration=8h", "--instance-termination-action=STOP"),
    )
    cloud.gce.fail_start("ZONE_RESOURCE_POOL_EXHAUSTED", times=1)
    done = cloud.gcloud(*create)
    assert done.returncode == 1
    assert "code: ZONE_RESOURCE_POOL_EXHAUSTED" in done.stderr
    assert cloud.gcloud(*create).returncode == 0
    assert cloud.vms["new"].is_on
    assert cloud.gce.instance("new")["scheduling"]["provisioningModel"] == "SPOT"
    assert cloud.gcloud("compute", "instances", "delete", "new").returncode == 0
    assert not cloud.vms["new"].is_on
    done = cloud.gcloud("compute", "instances", "start", "new")
    assert done.returncode == 1
    assert "instances/new' was not found" in done.stderr


def test_two_rigs_beside_each_other(cloud: Cloud, tmp_path: Path) -> None:
    with Cloud(tmp_path / "other") as other:
        for rig in (cloud, other):
            rig.add_vm("dots").boot()
            rig.vms["dots"].wait_for_ssh()
        assert cloud.vms["dots"].address != other.vms["dots"].address
        assert cloud.gcs.url != other.gcs.url
        cloud.vms["dots"].run(f"! timeout 1 bash -c '</dev/tcp/{other.vms['dots'].address}/22'")


def test_a_model_container_that_answers_late(cloud: Cloud, image_tar: Path) -> None:
    vm = cloud.add_vm("dots", image_tar=image_tar, container=ModelContainer(startup_s=2))
    vm.boot()
    vm.wait_for_boot()
    vm.run(RUN)
    began_s = time.monotonic()
    ask = "curl --silent --fail --max-time 2 http://127.0.0.1:8000/v1/models"
    assert vm.run(ask, check=False).returncode == 7  # connection refused: it is loading
    while (answer := vm.run(ask, check=False)).returncode:
        assert time.monotonic() - began_s < 240
        time.sleep(0.1)
    assert time.monotonic() - began_s > 1
    assert "Loading model from scratch" in vm.run("docker logs model").stdout
    assert json.loads(answer.stdout)["data"][0]["id"] == "model"
    assert (
        vm.run("nvidia-smi --query-gpu=memory.used --format=csv,noheader").stdout == "19876 MiB\n"
    )
    assert vm.run("docker exec model id -u").stdout == "0\n"
    vm.run(
        "echo hello >/tmp/note; docker cp /tmp/note model:/tmp/; docker exec model cat /tmp/note"
    )
    assert vm.run("docker run --rm --entrypoint nvidia-smi " + NAME).stdout

    vm.halt()  # the container obeys SIGTERM: no wait for docker's ten seconds
    (log,) = vm.path("/var/lib/docker/containers").glob("*/*-json.log")
    assert "Shutting down" in log.read_text()
    vm.boot()
    vm.wait_for_boot()
    states = vm.run("docker ps -a --format '{{.Names}} {{.State}}'").stdout
    assert states in ("model exited\n", "model running\n")  # its disk was kept


def test_a_model_container_that_dies_once(cloud: Cloud, image_tar: Path) -> None:
    vm = cloud.add_vm("dots")
    vm.boot()
    vm.wait_for_boot()
    install_image(vm, image_tar, ModelContainer(startup_s=0.5, dies_after_s=0.2))
    vm.run(f"docker run -d --name once --network host {NAME}; docker wait once")
    shown = vm.run("docker inspect once --format '{{.State.Status}} {{.State.ExitCode}}'").stdout
    assert shown == "exited 1\n"
    assert "CUDA out of memory" in vm.run("docker logs once").stdout
    vm.run("docker start once")  # it lives after the second start
    ask = "curl --silent --fail --retry 50 --retry-connrefused --retry-delay 1"
    vm.run(f"{ask} http://127.0.0.1:8000/health")


def test_a_published_port_and_a_restart_policy(cloud: Cloud, image_tar: Path) -> None:
    dying = ModelContainer(dies_after_s=0.5)
    vm = cloud.add_vm("dots", image_tar=image_tar, container=dying)
    vm.boot()
    vm.wait_for_boot()
    port = "--publish 127.0.0.1:9000:8000"
    vm.run(f"docker run -d --name model --restart on-failure {port} {NAME} --served-model-name m2")
    restarts = "docker inspect model --format '{{.RestartCount}}'"
    deadline_s = time.monotonic() + 240
    while vm.run(restarts).stdout != "1\n":
        assert time.monotonic() < deadline_s
        time.sleep(0.1)
    ask = "curl --silent --fail --retry 20 --retry-all-errors --retry-delay 1 --max-time 20"
    assert '"m2"' in vm.run(f"{ask} http://127.0.0.1:9000/v1/models").stdout


def test_one_bucket_from_the_host_and_from_the_guest(cloud: Cloud) -> None:
    pytest.importorskip("gcsfs")
    vm = cloud.add_vm("dots")
    vm.boot()
    cloud.gcs.make_bucket("pages")
    program = (
        "import gcsfs\n"
        "fs = gcsfs.GCSFileSystem(token='anon', use_listings_cache=False)\n"
        "fs.pipe('pages/in/a.png', b'x' * 100_000)\n"
        "assert fs.cat('pages/in/a.png') == b'x' * 100_000\n"
        "print(fs.ls('pages/in'))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program],
        env=cloud.environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert (done.returncode, done.stdout) == (0, "['pages/in/a.png']\n"), done.stderr
    # the guest has no gcsfs, so use the JSON API itself
    url = f"{cloud.gcs.url}/upload/storage/v1/b/pages/o?uploadType=media&name=out/a.json"
    vm.run(f"curl --silent --fail --request POST --data-binary '[]' '{url}'")
    get = f"curl --silent --fail '{cloud.gcs.url}/storage/v1/b/pages/o/in%2Fa.png?alt=media'"
    assert vm.run(f"{get} | wc -c").stdout == "100000\n"
    assert cloud.gcs.names("pages") == ["in/a.png", "out/a.json"]
