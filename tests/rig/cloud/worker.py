"""A group's worker as a separate VM, beside the VM that runs the scheduler."""

from __future__ import annotations

from pathlib import Path

from rig.cloud.cloud import Cloud
from rig.cloud.docker_image import ModelContainer
from rig.cloud.toolkit import VM
from rig.cloud.vm import Vm

GROUP = f"{VM}-workers"


def boot(cloud: Cloud, image_tar: Path) -> Vm:
    """Boot the group's only worker, and run its startup script as at a boot."""
    (name,) = cloud.gce.group(GROUP)[1]
    worker = cloud.add_guest(name, image_tar, ModelContainer(startup_s=3))
    address = cloud.vms[VM].address
    worker.run(f"echo '{address} {VM}.{cloud.zone}.c.{cloud.project}.internal' >>/etc/hosts")
    metadata = cloud.gce.metadata(name)
    worker.run("cat >/tmp/startup-script", stdin=metadata["startup-script"])
    worker.run("bash /tmp/startup-script")
    return worker
