"""`make all` with a worker; its startup script runs in a VM of its own."""

from pathlib import Path

import pytest

from rig.cloud.cloud import Cloud
from rig.cloud.docker_image import ModelContainer
from rig.cloud.toolkit import VM, CloudToolkit
from rig.cloud.worker import GROUP, boot
from rig.command import wait_until
from rig.toolkit import files_below, statuses_in

ALL_S = 600.0  # long enough for a busy machine


@pytest.mark.timeout(900)
def test_make_all_with_a_worker(cloud: Cloud, image_tar: Path, tmp_path: Path) -> None:
    """From the bucket and back: both machines read, and at the end nothing bills."""
    cloud.gcs.make_bucket("unused")
    cloud.add_vm(VM, image_tar=image_tar, container=ModelContainer(latency_s=6))
    kit = CloudToolkit(
        cloud, tmp_path, bucket=True, WORKERS="1", WORKER_IMAGE="crew", PROCESSES="2"
    )
    names = kit.write_pages(24)
    with kit.make("--silent", "all", f"INPUT={kit.input}", f"OUTPUT={kit.output}") as job:
        wait_until(lambda: cloud.gce.groups.all() and cloud.gce.group(GROUP)[1])
        worker = boot(cloud, image_tar)
        end = job.finish(ALL_S)
    assert end.code == 0, end.err
    assert statuses_in(kit.output) == dict.fromkeys(names, "ok")
    asked = "docker logs dots-ocr-model 2>&1 | grep 'POST /v1/chat' | grep -vc 28x28 || :"
    assert 0 < int(worker.run(asked).stdout) < len(names)
    assert not files_below(kit.home("input"))
    assert cloud.gce.group(GROUP) == (0, {}) and cloud.gce.status(VM) == "TERMINATED"
