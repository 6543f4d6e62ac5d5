"""The life of instances: their states, what each call does to them, and the machine below."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from rig.cloud import gce_documents as documents
from rig.cloud.gce_documents import Document, last_part, now
from rig.cloud.gce_errors import OperationError, not_found
from rig.cloud.gce_operations import Operations, Scope

GRACE_S = 90.0  # how long Compute Engine waits for a guest to shut down


class Machine(Protocol):
    """The machine below an instance. Every method returns when it is done."""

    on_end: Callable[[], None] | None
    """Called when the guest has ended by itself, for example by `poweroff`."""

    def boot(self, startup_script: str) -> str:
        """Start the guest and return its address; its sshd may not be ready yet.

        The script runs as root in the background; an empty one is not run.
        """

    def halt(self, timeout_s: float) -> None:
        """Shut the guest down in order; after the time, cut its power. Harmless when off."""

    def kill(self) -> None:
        """Cut the power. Harmless when off."""

    def set_keys(self, keys: dict[str, list[str]]) -> None:
        """Make these users and accept these ssh keys. Harmless when off."""

    def console(self) -> str:
        """What the guest has printed so far."""


@dataclass
class Delays:
    """Seconds that an instance stays in each state; a stop also takes the guest's own time."""

    provisioning_s: float = 0.02
    staging_s: float = 0.02
    stopping_s: float = 0.02
    suspending_s: float = 0.02


class Instances:
    """All instances, by `projects/p/zones/z/instances/n`; `*_work` runs inside operations."""

    def __init__(self, operations: Operations) -> None:
        self.base = ""
        self.delays = Delays()
        self.machine_for: Callable[[Document], Machine | None] = lambda instance: None
        self.start_error: Callable[[Document], OperationError | None] = lambda instance: None
        self.permitted: set[str] | None = None  # what we may do with instances; None: everything
        self.quotas = {"NVIDIA_L4_GPUS": 1.0, "PREEMPTIBLE_NVIDIA_L4_GPUS": 8.0}
        self.projects: dict[str, Document] = {}
        self.disks: dict[str, Document] = {}
        self._operations = operations
        self._all: dict[str, Document] = {}
        self._machines: dict[str, Machine] = {}
        self._changed = operations.changed

    def all(self) -> list[Document]:
        with self._changed:
            return list(self._all.values())

    def get(self, path: str) -> Document:
        with self._changed:
            if path not in self._all:
                raise not_found(path)
            return self._all[path]

    def find_path(self, path: str) -> Document | None:
        """The instance with this path, or None."""
        with self._changed:
            return self._all.get(path)

    def remove(self, path: str) -> None:
        """Remove an instance, in any state."""
        with self._changed:
            self._all.pop(path, None)
            self._changed.notify_all()

    def find(self, name: str) -> str:
        """The path of the instance with this name, in any project and zone."""
        with self._changed:
            for path in self._all:
                if last_part(path) == name:
                    return path
        raise not_found(f"instances/{name}")

    def project(self, name: str) -> Document:
        with self._changed:
            return self.projects.setdefault(name, documents.project(self.base, name))

    def add(self, path: str, instance: Document) -> None:
        with self._changed:
            self._all[path] = instance

    def attach(self, path: str, machine: Machine) -> None:
        """Let this machine boot and end with the instance from now on."""
        self._machines[path] = machine
        machine.on_end = lambda: self._guest_ended(path)

    def machine(self, path: str) -> Machine | None:
        return self._machines.get(path)

    def set_status(self, path: str, status: str) -> None:
        with self._changed:
            self.get(path)["status"] = status
            self._changed.notify_all()

    # --- work ------------------------------------------------------------------------------

    def insert_work(self, path: str) -> OperationError | None:
        instance = self.get(path)
        if error := self.start_work(path):
            with self._changed:
                self._all.pop(path, None)  # a machine that never started leaves nothing
            self._remove_disks(instance)
        return error

    def start_work(self, path: str) -> OperationError | None:
        instance = self.get(path)
        if instance["status"] == "RUNNING":
            return None
        was = instance["status"]
        self.set_status(path, "PROVISIONING")
        self._operations.sleep(self.delays.provisioning_s)
        if error := self.start_error(instance):
            self.set_status(path, "TERMINATED")
            return error
        self.set_status(path, "STAGING")
        self._operations.sleep(self.delays.staging_s)
        if path not in self._machines and (machine := self.machine_for(instance)):
            self.attach(path, machine)
        self._power_on(path, is_boot=was != "SUSPENDED")
        with self._changed:
            instance["lastStartTimestamp"] = now()
        self.set_status(path, "RUNNING")
        return None

    def stop_work(self, path: str) -> None:
        if self.get(path)["status"] == "TERMINATED":
            return
        self.set_status(path, "STOPPING")
        if machine := self._machines.get(path):
            machine.halt(GRACE_S)
        self._come_to_rest(path)

    def delete_work(self, path: str) -> None:
        instance = self.get(path)
        self.stop_work(path)
        with self._changed:
            self._all.pop(path, None)
            self._machines.pop(path, None)
        self._remove_disks(instance)

    def reset_work(self, path: str) -> None:
        if machine := self._machines.get(path):
            machine.kill()
        self._power_on(path)

    def suspend_work(self, path: str) -> None:
        """The guest's memory is not kept here: it resumes with a boot, without its script."""
        self.set_status(path, "SUSPENDING")
        if machine := self._machines.get(path):
            machine.kill()
        self._operations.sleep(self.delays.suspending_s)
        with self._changed:
            self.get(path)["lastSuspendedTimestamp"] = now()
        self.set_status(path, "SUSPENDED")

    # --- what happens without a call -------------------------------------------------------

    def end_by_google(self, path: str, kind: str, notice_s: float) -> None:
        """End the machine as Google does: a preemption, or the end of its run duration."""
        instance = self.get(path)
        self.set_status(path, "STOPPING")
        if machine := self._machines.get(path):
            if notice_s:
                machine.halt(notice_s)
            else:
                machine.kill()
        self._operations.record(self._scope(path), kind, instance["selfLink"])
        self._come_to_rest(path)

    def apply_keys(self) -> None:
        """Set the keys of all machines, as the guest agent does when metadata changes."""
        for path, machine in list(self._machines.items()):
            if path in self._all:
                machine.set_keys(self._keys(path))

    def _guest_ended(self, path: str) -> None:
        if path not in self._all:
            return
        instance = self.get(path)
        kind = "compute.instances.guestTerminate"
        self._operations.record(self._scope(path), kind, instance["selfLink"])
        self.set_status(path, "STOPPING")
        self._come_to_rest(path)

    # --- steps -----------------------------------------------------------------------------

    def _power_on(self, path: str, is_boot: bool = True) -> None:
        machine = self._machines.get(path)
        script = self._startup_script(path) if is_boot else ""
        address = machine.boot(script) if machine else "127.0.0.1"
        with self._changed:
            for nic in self.get(path)["networkInterfaces"][:1]:
                nic["networkIP"] = address
                for access in nic.get("accessConfigs", []):
                    access["natIP"] = address
        if machine:
            machine.set_keys(self._keys(path))

    def _come_to_rest(self, path: str) -> None:
        self._operations.sleep(self.delays.stopping_s)
        with self._changed:
            instance = self.get(path)
            instance["lastStopTimestamp"] = now()
            for nic in instance["networkInterfaces"]:
                for access in nic.get("accessConfigs", []):
                    access.pop("natIP", None)  # an ephemeral address is given back
        self.set_status(path, "TERMINATED")

    def _remove_disks(self, instance: Document) -> None:
        for attached in instance.get("disks", []):
            if attached.get("autoDelete"):
                self.disks.pop(attached["source"].split("/compute/v1/")[-1], None)

    def _startup_script(self, path: str) -> str:
        """The instance's own script, or the project's."""
        common = self.project(path.split("/")[1])["commonInstanceMetadata"]
        for metadata in (self.get(path)["metadata"], common):
            if script := documents.metadata_values(metadata).get("startup-script"):
                return script
        return ""

    def _keys(self, path: str) -> dict[str, list[str]]:
        """Public keys by user, from the metadata of the project and of the instance."""
        own = documents.metadata_values(self.get(path)["metadata"])
        common = self.project(path.split("/")[1])["commonInstanceMetadata"]
        lines = own.get("ssh-keys", "").splitlines()
        if own.get("block-project-ssh-keys", "").lower() != "true":
            lines += documents.metadata_values(common).get("ssh-keys", "").splitlines()
        keys: dict[str, list[str]] = {}
        for line in lines:
            user, _, key = line.strip().partition(":")
            if key:
                keys.setdefault(user, []).append(key)
        return keys

    def _scope(self, path: str) -> Scope:
        return Scope(self.base, path.split("/instances/", maxsplit=1)[0])
