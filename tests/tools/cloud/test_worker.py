"""A worker's startup script in a VM of its own, beside the VM that has the scheduler."""

import time
from pathlib import Path

import pytest
from distributed import Client

from rig.cloud.cloud import Cloud
from rig.cloud.toolkit import VM, CloudToolkit
from rig.cloud.vm import Vm
from rig.cloud.worker import GROUP, boot
from rig.command import wait_until
from rig.fleet import Stranger

UNIT = "dots-ocr-worker.service"
COUNTS = "curl -s http://127.0.0.1:8787/json/counts.json"


def connected(kit: CloudToolkit) -> int:
    """How many workers the scheduler knows; -1 if there is none yet."""
    _, _, rest = kit.on_vm(f"{COUNTS} || :").partition('"workers": ')
    return int(rest.partition(",")[0] or -1)


@pytest.mark.timeout(600)
def test_a_workers_life(cloud: Cloud, image_tar: Path, tmp_path: Path) -> None:
    cloud.gcs.make_bucket("unused")  # the VMs are told where Cloud Storage is
    cloud.add_vm(VM, image_tar=image_tar)
    kit = CloudToolkit(
        cloud, tmp_path, bucket=True, WORKERS="1", WORKER_IMAGE="crew", PROCESSES="3"
    )
    end = kit.run_here("start")
    assert end.code == 0, end.err
    wait_until(lambda: connected(kit) == 1)  # the VM itself also reads
    worker = boot(cloud, image_tar)
    try:
        wait_until(lambda: connected(kit) == 2)
    except TimeoutError:
        raise AssertionError(worker.console()[-6000:]) from None
    assert '"cores": 6' in kit.on_vm(COUNTS)
    check_strangers(kit, worker)
    check_taken_back(kit, worker)
    check_new_code(kit, worker)
    check_leave(cloud, kit, worker)


def check_strangers(kit: CloudToolkit, worker: Vm) -> None:
    """This computer is on the network of both VMs, like any other machine of the project."""
    listening = worker.run("ss -ltnH | awk '{print $4}'").stdout.split()
    dask = [place for place in listening if place.rpartition(":")[2] not in ("22", "8000")]
    own = [place for place in dask if not place.startswith("127.")]
    assert own and all(place.startswith(f"{worker.address}:") for place in own), listening
    for place in (f"{kit.cloud.vms[VM].address}:8786", *own):
        for url in (f"tcp://{place}", f"tls://{place}"):
            with pytest.raises(OSError), Client(url, security=Stranger(), timeout=5):
                raise AssertionError(url)
    user = worker.run("docker inspect --format '{{.Config.User}}' dots-ocr-worker").stdout
    assert user.strip() not in ("", "0", "root", "0:0")


def check_taken_back(kit: CloudToolkit, worker: Vm) -> None:
    """A VM that shuts down gives its pages back within seconds; after a boot it reads again."""
    began = time.monotonic()
    worker.run(f"systemctl stop --no-block {UNIT}")  # the first step of a shutdown
    wait_until(lambda: connected(kit) == 1)
    assert time.monotonic() - began < 60  # without a message it would take Dask minutes
    wait_until(lambda: "inactive" in worker.run(f"systemctl is-active {UNIT}", check=False).stdout)
    worker.run("bash /tmp/startup-script")
    wait_until(lambda: connected(kit) == 2)


def check_new_code(kit: CloudToolkit, worker: Vm) -> None:
    """The workers get new code from the VM by themselves."""
    path = worker.path("/var/lib/dots-ocr/code/vm_side/new.txt")
    kit.on_vm("echo new >vm_side/new.txt")
    address = kit.cloud.vms[VM].address
    kit.on_vm(
        "set -a; . /etc/environment; bash vm_side/machine/fleet.sh"
        f" custom-dots-ocr:unified gs://pages {address} 3 http://127.0.0.1:8000"
    )
    wait_until(lambda: path.exists() and connected(kit) == 2)


def check_leave(cloud: Cloud, kit: CloudToolkit, worker: Vm) -> None:
    """No page is left to read: the group removes it, and makes no other one."""
    worker.run("touch /var/lib/dots-ocr/leave/now")  # as the job does
    worker.run("docker stop -t 5 dots-ocr-worker")
    wait_until(lambda: cloud.gce.group(GROUP) == (0, {}))
    assert cloud.gce.count("POST", f"/{GROUP}/deleteInstances") == 1
    assert "leaving: nothing is left to read" in worker.console()
