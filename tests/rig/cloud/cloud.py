"""The whole rig: Compute Engine, its VMs, Cloud Storage, and the settings that point there.

    with Cloud(tmp_path) as cloud:
        vm = cloud.add_vm("dots")                       # TERMINATED, its disk lasts
        cloud.gcloud("compute", "instances", "start", "dots")
        assert cloud.gcloud.ssh("dots", "exit 3").returncode == 3
        subprocess.run(["make", "all", …], env=cloud.environment)
        assert cloud.gce.status("dots") == "TERMINATED"

Each rig has its own ports, addresses and names, so that rigs can run beside each other. All of it
is removed at the end, also when the tests were killed.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from functools import cached_property
from itertools import count
from pathlib import Path
from types import TracebackType

from rig.cloud import gce
from rig.cloud.clock import shorten_minutes
from rig.cloud.docker_image import ModelContainer
from rig.cloud.docker_store import lend_image
from rig.cloud.gce import GceServer
from rig.cloud.gce_documents import Document, metadata_values
from rig.cloud.gcloud import Gcloud, cloud_environment, storage_environment
from rig.cloud.gcs import GcsServer
from rig.cloud.leftovers import Leftovers
from rig.cloud.network import Network
from rig.cloud.vm import Vm


class Cloud:
    """Used as a context manager, in an empty folder. RigUnavailable says what is missing.

    on_new_vm   called with each VM that an insert made, while it runs: to give it an image
    minute_s    how long a minute lasts for the guards of VMs that are made later
    """

    def __init__(self, folder: Path, *, project: str = gce.PROJECT, zone: str = gce.ZONE) -> None:
        self.folder, self.project, self.zone = folder, project, zone
        self.on_new_vm: Callable[[Vm], None] = lambda vm: None
        self.minute_s = 60.0
        self.vms: dict[str, Vm] = {}
        self._made: list[Vm] = []
        self._numbers = count()
        self._stack = ExitStack()

    def __enter__(self) -> Cloud:
        with ExitStack() as stack:
            self._leftovers = stack.enter_context(Leftovers())
            self._leftovers.folder(self.folder / "vms")
            self.network = Network(self._leftovers)
            stack.callback(self._power_off)
            server = GceServer(self.network.gateway, machine_for=self._new_machine)
            self.gce = stack.enter_context(server)
            self._stack = stack.pop_all()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._stack.__exit__(kind, error, trace)

    def add_vm(
        self,
        name: str,
        *,
        image_tar: Path | None = None,
        container: ModelContainer | None = None,
        has_external_ip: bool = True,
    ) -> Vm:
        """Add a VM that is off, with the model's image in its docker."""
        vm = self._make_vm(name)
        if image_tar is not None:
            lend_image(vm, image_tar, container)
        self.gce.add_instance(
            name,
            project=self.project,
            zone=self.zone,
            machine=vm,
            has_external_ip=has_external_ip,
        )
        return vm

    def add_guest(self, name: str, image_tar: Path, container: ModelContainer | None = None) -> Vm:
        """Add a running VM without an instance. It stands for a group's instance, a mere record."""
        vm = self._make_vm(name)
        environment = vm.path("/etc/environment")
        text = environment.read_text() if environment.exists() else ""
        url = f"CLOUDSDK_API_ENDPOINT_OVERRIDES_COMPUTE={self.gce.url}/compute/v1/\n"
        environment.write_text(text + url)
        lend_image(vm, image_tar, container)
        vm.boot()
        vm.wait_for_boot()
        return vm

    @cached_property
    def gcs(self) -> GcsServer:
        """Cloud Storage, started at the first use; host and guests reach it at the gateway.

        `gcloud storage` in VMs that are made later finds it, too.
        """
        server = GcsServer(
            self.folder / "gcs", bind=self.network.gateway, leftovers=self._leftovers
        )
        return self._stack.enter_context(server)

    @property
    def environment(self) -> dict[str, str]:
        """All that a child process needs for gcloud, for our own tools, and for google-auth."""
        url = self.gcs.url if "gcs" in self.__dict__ else ""
        names = {"project": self.project, "zone": self.zone, "storage_url": url}
        return cloud_environment(self.folder, self.gce.url, **names)

    @property
    def gcloud(self) -> Gcloud:
        return Gcloud(self.environment)

    def _make_vm(self, name: str) -> Vm:
        # a new folder, so a new disk
        folder = self.folder / "vms" / f"{name}-{next(self._numbers)}"
        vm = self.vms[name] = Vm(self.network, self._leftovers, folder, name)
        self._made.append(vm)
        if self.minute_s != 60:
            shorten_minutes(vm, self.minute_s)
        if "gcs" in self.__dict__:
            vm.path("/etc/environment").write_text(storage_environment(self.gcs.url))
        return vm

    def _new_machine(self, instance: Document) -> Vm:
        vm = self._make_vm(instance["name"])
        vm.boot(metadata_values(instance["metadata"]).get("startup-script", ""))
        self.on_new_vm(vm)
        return vm

    def _power_off(self) -> None:
        for vm in self._made:
            vm.kill()
