"""TARGET=gcp: a VM of Google Compute Engine with a GPU, and a bucket if one is named."""

import shlex
import subprocess
import time
from collections.abc import Iterable
from datetime import datetime
from functools import cached_property
from pathlib import Path
from typing import Any

from google.cloud import compute_v1

from lib.bucket import Bucket
from lib.console import Failure, note, say
from lib.inputs import Inputs
from lib.knobs import Knobs
from lib.machines import Moved
from lib.machines.compute import Instance
from lib.machines.faults import Unreachable
from lib.machines.lock import refuse_if_lost
from lib.machines.remote import RemoteMachine
from lib.machines.shell import Shell

SSH_TIMEOUT_S = 180.0  # from RUNNING until the machine lets us in
SSH_PAUSE_S = 3.0
BOUNDED = ("ConnectTimeout=10", "ServerAliveInterval=5")  # gcloud's own ssh would wait for ever
LOCK_KEY = "dots-ocr-lock"
SWAP_TRIES = 5
IMAGE_PROJECT = "deeplearning-platform-release"
SCOPE = "https://www.googleapis.com/auth/cloud-platform"  # the default ones only read buckets


class GcpMachine(RemoteMachine):
    """The VM of the knobs PROJECT, ZONE and VM."""

    def __init__(self, knobs: Knobs) -> None:
        super().__init__(knobs)
        self.store = Bucket(knobs.bucket) if knobs.bucket else None

    @cached_property
    def instance(self) -> Instance:
        """The VM in the API."""
        return Instance(self.knobs.project, self.knobs.zone, self.knobs.vm)

    @cached_property
    def shell(self) -> Shell:
        """A shell by way of gcloud, which looks after keys, host keys and tunnels."""
        status = self.instance.status()
        if status != "RUNNING":
            raise Failure(f"{self.knobs.vm} is {status}", "make start")
        command = ["gcloud", "compute", "ssh", self.knobs.vm, "--quiet"]
        command += [f"--project={self.knobs.project}", f"--zone={self.knobs.zone}"]
        command += ["--tunnel-through-iap"] if self.knobs.iap else []
        command += [f"--ssh-flag=-o{option}" for option in BOUNDED]
        shell = self._shell_of(command)
        if not shell.is_open():  # a new VM, or our first time
            self._log_in_once(command)
            shell = self._shell_of(command)
        return shell

    def _shell_of(self, command: list[str]) -> Shell:
        """The shell that gcloud would open: ssh itself answers a hundred times as fast."""
        done = run_gcloud([*command, "--dry-run"])
        lines = done.stdout.strip().splitlines()
        if done.returncode or not lines:
            raise Failure(f"gcloud compute ssh: {done.stderr.strip()}", "gcloud auth login")
        words = shlex.split(lines[-1])  # before it, the first time, stands ssh-keygen's picture
        return Shell([word for word in words if word not in ("-t", "--")], self.knobs.vm)

    def _log_in_once(self, command: list[str]) -> None:
        """Let gcloud log in, which brings our key to a new VM; sshd may not be up yet."""
        deadline = time.monotonic() + SSH_TIMEOUT_S
        while (done := run_gcloud([*command, "--command=true"])).returncode:
            if time.monotonic() > deadline:
                said = done.stderr.strip().splitlines()
                raise Failure(
                    f"{self.knobs.vm} does not let us in by ssh: {said[-1] if said else '?'}",
                    "check the firewall (tcp:22), or set IAP=1",
                )
            time.sleep(SSH_PAUSE_S)

    def _turn_on(self) -> None:
        """Turn the VM on, whatever state it is in."""
        self.instance.start(self.knobs.start_timeout, self._before_start)
        note(f"{self.knobs.vm} is RUNNING")

    def _before_start(self, instance: Any) -> None:
        refuse_if_lost(lock_in(instance))
        if self.knobs.max_hours:
            self.instance.set_max_run(instance, self.knobs.max_hours)
        elif seconds := instance.scheduling.max_run_duration.seconds:
            say(
                f"start: MAX_HOURS is 0, but Google stops {instance.name} after"
                f" {seconds / 3600:g} h: gcloud compute instances set-scheduling {instance.name}"
                f" --zone {self.knobs.zone} --clear-max-run-duration takes that away"
            )

    def _install(self, shell: Shell) -> None:
        words = ("vm_side/machine/install.sh", self.knobs.idle_minutes, self.knobs.endpoint)
        script, minutes, endpoint = map(shlex.quote, map(str, words))
        shell.run(f"sudo -n sh {script} $HOME {minutes} {endpoint}")

    def _refuse_if_off(self) -> None:
        try:
            status = self.instance.status()
        except Unreachable:
            return  # our own network is down, then
        if status != "RUNNING":
            raise Failure(
                f"{self.knobs.vm} is {status}: preempted, idle, or stopped by someone",
                "make all goes on where it ended",
            )

    def stop(self) -> None:
        """Turn the VM off, and return when it is TERMINATED."""
        if "shell" in self.__dict__:
            self.shell.close()
        self.instance.stop()

    def status(self) -> dict[str, Any]:
        """The VM's state and bill, and what runs on it."""
        vm = self.instance.get()
        table: dict[str, Any] = {"VM": f"{vm.name} in {self.knobs.zone}", "state": vm.status}
        if vm.status != "RUNNING":
            return table
        if vm.last_start_timestamp:
            since = datetime.fromisoformat(vm.last_start_timestamp)
            hours = (datetime.now(since.tzinfo) - since).total_seconds() / 3600
            table["since"] = f"{since:%Y-%m-%d %H:%M:%S %Z}, {hours:.2f} h"
            table["money so far"] = f"{hours * self.knobs.price_per_hour:.2f} USD"
        return table | super().status()

    @property
    def bucket(self) -> str:
        """As gs://…; empty: over ssh."""
        return self.knobs.bucket.rstrip("/")

    def push(self, inputs: Inputs) -> Moved:
        """Mirror the files into the bucket, which needs no VM, or over ssh."""
        if self.store:
            return self.store.mirror_up(inputs.root, inputs.files, "input")
        return super().push(inputs)

    def read_result(self, name: str) -> str:
        """From the bucket, which needs no VM, or over ssh."""
        return self.store.read_text(f"result/{name}") if self.store else super().read_result(name)

    def pull(self, names: Iterable[str], folder: Path) -> Moved:
        """From the bucket, which needs no VM, or over ssh."""
        if self.store:
            return self.store.fetch("result", list(names), folder)
        return super().pull(names, folder)

    def clean(self) -> None:
        """Empty the folders on the VM and in the bucket."""
        super().clean()
        if self.store:
            self.store.empty("input")
            self.store.empty("result")

    def read_lock(self) -> str:
        """The lock stands in the VM's metadata, which can be read while it is off."""
        return lock_in(self.instance.get())

    def swap_lock(self, old: str, new: str) -> bool:
        """Change the metadata; again if somebody changed something else in them meanwhile."""
        for _ in range(SWAP_TRIES):
            if lock_in(vm := self.instance.get()) != old:
                break
            items = [item for item in vm.metadata.items if item.key != LOCK_KEY]
            items += [compute_v1.Items(key=LOCK_KEY, value=new)] if new else []
            metadata = compute_v1.Metadata(fingerprint=vm.metadata.fingerprint, items=items)
            if self.instance.set_metadata(metadata):
                return True
        return False

    def create(self, dry_run: bool) -> dict[str, Any]:
        """Create the VM unless it is there; what it is like, by name."""
        knobs = self.knobs
        plan = {
            "VM": f"{knobs.vm} in {knobs.zone} of project {knobs.project}",
            "type": f"{knobs.machine_type}, with its GPU" + (", spot" if knobs.spot else ""),
            "disk": f"{knobs.disk_gb} GB pd-balanced, from {IMAGE_PROJECT}/{knobs.image_family}",
            "address": "none; ssh through IAP" if knobs.iap else "external",
            "stops by itself": f"after {knobs.max_hours:g} h" if knobs.max_hours else "never",
            "price": f"{knobs.price_per_hour:.3f} USD an hour while it runs, and its disk always",
        }
        if self.instance.exists():
            plan["state"] = f"is there already, {self.instance.status()}"
        elif dry_run:
            plan["state"] = "not created: DRY_RUN"
        else:
            self.instance.insert(new_instance(knobs))
            plan["state"] = "created"
        return plan

    def delete(self) -> None:
        """Delete the VM and its disk."""
        self.instance.delete()


def lock_in(vm: Any) -> str:
    """The lock in a VM's metadata; nothing if there is none."""
    return next((str(item.value) for item in vm.metadata.items if item.key == LOCK_KEY), "")


def new_instance(knobs: Knobs) -> compute_v1.Instance:
    """The VM that `create` asks for."""
    family = f"projects/{IMAGE_PROJECT}/global/images/family/{knobs.image_family}"
    zone = f"projects/{knobs.project}/zones/{knobs.zone}"
    scheduling = compute_v1.Scheduling(
        provisioning_model="SPOT" if knobs.spot else "STANDARD",
        on_host_maintenance="TERMINATE",  # a VM with a GPU cannot move
        automatic_restart=False,
    )
    if knobs.max_hours or knobs.spot:
        scheduling.instance_termination_action = "STOP"
    if knobs.max_hours:
        scheduling.max_run_duration = compute_v1.Duration(seconds=int(knobs.max_hours * 3600))
    access = (
        [] if knobs.iap else [compute_v1.AccessConfig(type_="ONE_TO_ONE_NAT", name="External NAT")]
    )
    return compute_v1.Instance(
        name=knobs.vm,
        machine_type=f"zones/{knobs.zone}/machineTypes/{knobs.machine_type}",
        scheduling=scheduling,
        disks=[
            compute_v1.AttachedDisk(
                boot=True,
                auto_delete=True,
                initialize_params=compute_v1.AttachedDiskInitializeParams(
                    source_image=family,
                    disk_size_gb=knobs.disk_gb,
                    disk_type=f"{zone}/diskTypes/pd-balanced",
                ),
            )
        ],
        network_interfaces=[
            compute_v1.NetworkInterface(network="global/networks/default", access_configs=access)
        ],
        service_accounts=[compute_v1.ServiceAccount(email="default", scopes=[SCOPE])],
        labels={"made-by": "dots-ocr-vm-toolkit"},
        metadata=compute_v1.Metadata(
            items=[compute_v1.Items(key="install-nvidia-driver", value="True")]
        ),
    )


def run_gcloud(command: list[str]) -> "subprocess.CompletedProcess[str]":
    """Run gcloud, quietly."""
    try:
        return subprocess.run(
            command, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False
        )
    except FileNotFoundError as error:
        raise Failure(
            "gcloud is not installed", "https://cloud.google.com/sdk/docs/install"
        ) from error
