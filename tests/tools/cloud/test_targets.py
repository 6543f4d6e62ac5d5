"""Each target by itself, in the order of the manual, and each target twice."""

import json
import re
import signal
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from machine.loading import PARTS
from rig import pages
from rig.cloud.cloud import Cloud
from rig.cloud.docker_image import NAME, install_image
from rig.cloud.gce import GceServer
from rig.cloud.toolkit import VM, CloudToolkit, GceToolkit
from rig.cloud.vm import Vm
from rig.command import wait_until
from rig.toolkit import files_below, statuses_in

CONTAINER = "docker inspect --format '{{.Id}} {{.State.StartedAt}}' dots-ocr-model"
SCOPE = "https://www.googleapis.com/auth/devstorage.read_write"


# ---- create and delete, which need no machine ----


def created(gce: GceServer) -> dict[str, Any]:
    """The body of the only insert."""
    bodies = [call.body for call in gce.calls if call.method == "POST" and "name" in call.body]
    assert len(bodies) == 1
    return bodies[0]


def test_create_asks_for_the_vm_of_the_manual(gce: GceServer, tmp_path: Path) -> None:
    kit = GceToolkit(gce, tmp_path)
    end = kit.run_here("create", DRY_RUN="1")
    assert (end.code, end.err, kit.calls) == (0, "", [])
    for text in ("g2-standard-8", "200 GB pd-balanced", "after 12 h", "1.096 USD", "DRY_RUN"):
        assert text in end.out
    end = kit.run_here("create")
    assert (end.code, end.err) == (0, "")
    assert end.out.splitlines()[-1].split(maxsplit=1) == [
        "state",
        "created, and off: make start turns it on",
    ]
    body = created(gce)
    disk = body["disks"][0]["initializeParams"]
    assert body["machineType"] == "zones/asia-northeast3-a/machineTypes/g2-standard-8"
    assert disk["sourceImage"].endswith("/family/common-cu129-ubuntu-2404-nvidia-580")
    assert (disk["diskSizeGb"], disk["diskType"].rpartition("/")[2]) == ("200", "pd-balanced")
    assert body["serviceAccounts"] == [{"email": "default", "scopes": [SCOPE]}]
    assert body["networkInterfaces"][0]["accessConfigs"][0]["type"] == "ONE_TO_ONE_NAT"
    assert body["scheduling"] == {
        "provisioningModel": "STANDARD",
        "onHostMaintenance": "TERMINATE",
        "automaticRestart": False,
        "instanceTerminationAction": "STOP",
        "maxRunDuration": {"seconds": "43200"},
    }
    end = kit.run_here("create")
    assert (end.code, kit.calls) == (0, ["instances", "stop"])
    assert "is there already, TERMINATED" in end.out

    assert kit.run_here("delete").code == 1  # nobody answers the question that it asks
    assert gce.status(VM) == "TERMINATED"
    assert kit.run_here("delete", YES="1").code == 0
    end = kit.run_here("delete", YES="1")
    assert (end.code, kit.calls[2:]) == (0, [VM])
    assert f"there is no {VM} in asia-northeast3-a of rig-project" in end.err


def test_a_disk_that_outlives_its_vm_is_told(gce: GceServer, tmp_path: Path) -> None:
    """For example, a disk that was made separately: Google keeps it, and it bills."""
    gce.add_instance(VM)
    own = {"source": "https://host/compute/v1/projects/p/zones/z/disks/pages", "autoDelete": False}
    scratch = {"type": "SCRATCH"}  # it is inside the machine, and goes with it
    gce.instance(VM)["disks"] += [own, scratch]
    kit = GceToolkit(gce, tmp_path)
    end = kit.run_here("delete")
    assert (end.code, ", but not the disk pages? " in end.err) == (1, True), end.err
    end = kit.run_here("delete", YES="1")
    assert end.code == 0
    assert end.err == (
        "delete: the disk pages stays, and bills: gcloud compute disks delete pages"
        " --zone asia-northeast3-a --project rig-project\n"
    )


def test_create_tells_the_cards_and_whose_the_price_is(gce: GceServer, tmp_path: Path) -> None:
    end = GceToolkit(gce, tmp_path, MACHINE_TYPE="g2-standard-48").run_here("create", DRY_RUN="1")
    assert "g2-standard-48, with its 4 GPUs" in end.out
    assert "PRICE_PER_HOUR: priced for a g2-standard-8, and this is" in end.out


def test_create_of_a_spot_vm_without_an_address(gce: GceServer, tmp_path: Path) -> None:
    kit = GceToolkit(gce, tmp_path, SPOT="1", IAP="1", MAX_HOURS="0", DISK_GB="300")
    told = kit.run_here("create").out
    assert "never" in told and "and this is a spot VM" in told
    body = created(gce)
    assert body["scheduling"]["provisioningModel"] == "SPOT"
    assert body["scheduling"]["instanceTerminationAction"] == "STOP"
    assert "maxRunDuration" not in body["scheduling"]
    assert body["disks"][0]["initializeParams"]["diskSizeGb"] == "300"
    assert not body["networkInterfaces"][0].get("accessConfigs")


# ---- the rest ----


def test_the_manual_in_its_order_and_twice(cloud: Cloud, image_tar: Path, tmp_path: Path) -> None:
    def prepare(vm: Vm) -> None:
        vm.wait_for_boot()
        install_image(vm, image_tar)

    cloud.on_new_vm = prepare
    kit = CloudToolkit(cloud, tmp_path)
    names = kit.write_pages(3)
    pages.text_as_png(kit.input)
    run(kit, "create")
    containers = set()
    for _ in range(2):
        run(kit, "start")
        containers.add(kit.on_vm(CONTAINER))
    assert len(containers) == 1  # the running model is left alone
    assert "setScheduling" not in kit.calls  # create has set it already

    for _ in range(2):
        run(kit, "upload")
        assert files_below(kit.home("input")) == sorted([*names, "text.png"])
    for _ in range(2):
        run(kit, "process", 3)  # exit code of the job: a page failed
    assert kit.asked() == 3
    check_status(kit)
    check_owners(kit)
    check_logs(kit)

    for _ in range(2):
        run(kit, "download")
    assert statuses_in(kit.output) == {**dict.fromkeys(names, "ok"), "text.png": "failed"}
    assert (kit.output / "100dpi/page1/page1.md").read_text()

    check_clean(kit)
    check_new_container_arguments(kit)
    for _ in range(2):
        run(kit, "stop")
    assert (cloud.gce.status(VM), cloud.vms[VM].is_on) == ("TERMINATED", False)
    assert kit.calls.count("stop") == 2  # once after create, once now
    status = json.loads(kit.run_here("status", "--json").out)
    assert status == {"VM": f"{VM} in asia-northeast3-a", "state": "TERMINATED"}
    verbs = ("upload", "process", "logs")
    with ThreadPoolExecutor() as pool:
        ends = list(pool.map(kit.run, verbs))
    for verb, end in zip(verbs, ends, strict=True):
        assert (end.code, f"{VM} is TERMINATED\n  → make start" in end.err) == (1, True), verb

    run(kit, "delete", YES="1")
    assert not cloud.vms[VM].is_on


def run(kit: CloudToolkit, verb: str, code: int = 0, **environment: str) -> None:
    """Run a verb and check its exit code.

    A verb that makes a VM's disk runs in a process of its own: the disk must not get the verb's
    umask.
    """
    end = (kit.run if verb == "create" else kit.run_here)(verb, **environment)
    assert end.code == code, f"{verb}: {end.err}"


def check_status(kit: CloudToolkit) -> None:
    """Check all rows, for people and for scripts."""
    end = kit.run_here("status", "--json")
    status = json.loads(end.out)
    assert (end.code, end.err, status["state"]) == (0, "", "RUNNING")
    assert re.fullmatch(r"[0-9.]+ USD", status["money so far"])
    assert (status["container"], status["model"]) == ("running", "model")
    assert (status["type"], status["GPU memory"]) == (
        "g2-standard-8, with its GPU",
        "19876 MiB, 23034 MiB",
    )
    parts = ", ".join(rf"{part} \d+ s" for part in PARTS)
    assert re.fullmatch(rf"\d+ s: {parts}", status["model started in"])
    assert status["job"] == "ended with 3"
    assert [status[f"pages {what}"] for what in ("done", "failed", "left")] == [3, 1, 0]
    lines = dict(line.split(maxsplit=1) for line in kit.run_here("status").out.splitlines())
    assert lines["state"] == "RUNNING"
    assert "last" not in lines  # no log line is shown, because the model is ready


def check_owners(kit: CloudToolkit) -> None:
    """The job's files belong to the user, so that nobody ever needs sudo."""
    assert kit.on_vm("find result -type f | wc -l") != "0\n"
    assert kit.on_vm("find input result ! -user rig") == ""


def check_logs(kit: CloudToolkit) -> None:
    """Follow the model's log until a line appears, then interrupt."""
    with kit.verb("logs") as logs:
        out = logs.process.stdout
        assert out is not None
        too_long = threading.Timer(60, logs.process.kill)
        too_long.start()
        assert any("Application startup complete" in line for line in iter(out.readline, ""))
        too_long.cancel()
        logs.signal_group(signal.SIGINT)
        assert logs.finish().code == 130


def check_clean(kit: CloudToolkit) -> None:
    """Root's files go too. The folders stay, and so do the files at home."""
    vm = kit.cloud.vms[VM]
    vm.run("cd /home/rig/result && mkdir -p roots/own && touch roots/own/page.json .hidden")
    before = kit.on_vm("stat -c %i input result")
    for _ in range(2):
        run(kit, "clean")
        assert kit.on_vm("find input result -mindepth 1") == ""
    assert kit.on_vm("stat -c %i input result") == before
    assert statuses_in(kit.output)
    assert files_below(kit.input)


def check_new_container_arguments(kit: CloudToolkit) -> None:
    """Use the new arguments. Another container of the image, made by hand, is left alone."""
    kit.cloud.vms[VM].run(f"docker rm -f dots-ocr-model; docker run -d --name mine {NAME}")
    kit.knobs["CONTAINER_ARGS"] = "-p 127.0.0.1:8000:8000 -v cache:/root/.cache/vllm --env A=b"
    run(kit, "start")
    form = "{{json .HostConfig.PortBindings}}|{{json .Mounts}}|{{json .Config.Env}}"
    shown = kit.on_vm(f"docker inspect --format '{form}' dots-ocr-model")
    ports, mounts, env = shown.split("|")
    assert json.loads(ports) == {"8000/tcp": [{"HostIp": "127.0.0.1", "HostPort": "8000"}]}
    assert [mount["Name"] for mount in json.loads(mounts)] == ["cache"]
    assert "A=b" in json.loads(env)
    assert kit.on_vm("docker ps --format '{{.Names}}' | sort") == "dots-ocr-model\nmine\n"
    kit.on_vm("docker rm -f dots-ocr-model mine; docker run -d --name their -p 8000:8000 " + NAME)
    wait_until(lambda: kit.on_vm("curl -s 127.0.0.1:8000/health && echo up || :"))
    end = kit.run_here("start")
    assert (end.code, "is taken by the container their (" in end.err) == (1, True), end.err
    assert "docker stop their there" in end.err
    assert kit.on_vm("docker ps --format '{{.Names}}'") == "their\n"
    kit.on_vm("docker rm -f their")
