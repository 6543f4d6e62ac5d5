"""TARGET=gcp: a VM of Google Compute Engine with a GPU, and a bucket if one is named."""

import shlex
import time
from collections.abc import Iterable
from datetime import datetime
from functools import cached_property, partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from google.cloud import compute_v1

from lib.console import Failure, note, say
from lib.files import Put
from lib.inputs import Inputs
from lib.knobs import ROOT, Knobs
from lib.machine_types import price_warning, with_cards
from lib.machines.gcp import guard
from lib.machines.gcp.compute import Action, Instance, next_to_start, since_of
from lib.machines.gcp.faults import NoPermission, Unreachable
from lib.machines.gcp.fleet import Fleet
from lib.machines.gcp.gcloud import refuse_without_login, run_gcloud
from lib.machines.gcp.metadata import swap, value_in
from lib.machines.gcp.prefix import claim_for
from lib.machines.gcp.resources import described, new_instance, worker_template, workers_end
from lib.machines.gcp.turning_off import alarm, left_on, turn_off
from lib.machines.gcp.workers import (
    STOP_SCRIPT,
    dashboard,
    job_options,
    make_certificate,
    start_script,
    startup_script,
)
from lib.machines.left_on import told
from lib.machines.lock import refuse_if_lost
from lib.machines.machine import Moved, NoSuchMachine
from lib.machines.ssh.machine import RemoteMachine
from lib.machines.ssh.shell import Shell

if TYPE_CHECKING:
    from lib.machines.gcp.bucket import Bucket

SSH_TIMEOUT_S = 180.0  # from RUNNING until the machine lets us in
SSH_PAUSE_S = 3.0
BOUNDED = ("ConnectTimeout=10", "ServerAliveInterval=5")  # gcloud's own ssh would wait for ever
LOCK_KEY = "dots-ocr-lock"
NETWORK = ROOT / "vm_side" / "machine" / "network.sh"


class GcpMachine(RemoteMachine):
    """The VM of the knobs PROJECT, ZONE and VM."""

    def __init__(self, knobs: Knobs) -> None:
        super().__init__(knobs)
        self._since: float | None = None  # when the VM was started, if a stop that failed saw it
        self._is_off = False  # of the VM alone, whatever its workers do

    @cached_property
    def store(self) -> "Bucket | None":
        """The bucket, if one is named. A command that needs none must not fail because of it.

        Nor must such a command load its packages, which takes a fifth of a second.
        """
        if not self.knobs.bucket:
            return None
        from lib.machines.gcp.bucket import Bucket  # noqa: PLC0415 - see above

        return Bucket(self.knobs.bucket)

    @cached_property
    def instance(self) -> Instance:
        """The VM in the API."""
        return Instance(self.knobs.project, self.knobs.zone, self.knobs.vm)

    @cached_property
    def shell(self) -> Shell:
        """A shell by way of gcloud, which manages keys, host keys and tunnels."""
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
        """Return the shell that gcloud would open: ssh itself answers a hundred times as fast."""
        done = run_gcloud([*command, "--dry-run"])
        lines = done.stdout.strip().splitlines()
        if done.returncode or not lines:
            raise Failure(f"gcloud compute ssh: {done.stderr.strip()}", "gcloud auth login")
        words = shlex.split(lines[-1])  # the first time, ssh-keygen's picture comes before it
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

    @cached_property
    def fleet(self) -> Fleet:
        """The VM's workers in the API."""
        return Fleet(self.knobs)

    def start(self) -> None:
        """Start it as any machine, then wait for the workers, which come up while code travels."""
        began = time.monotonic()
        super().start()
        if self.knobs.workers:
            self.fleet.wait_until_running(began)

    def _turn_on(self) -> None:
        """Turn the VM on, with its guard, from any state; not if another VM has the bucket."""
        refuse_without_login()  # first: a VM that is on and out of our reach bills for nothing
        guard.refuse_unpriced(self.instance, self.knobs)
        if self.store:
            claim_for(self.knobs, self.store)
        before = guard.place(self.instance, guard.script(self.knobs))
        self.instance.start(self.knobs.start_timeout, partial(self._before_start, before))
        note(f"{self.knobs.vm} is RUNNING")

    def _call_workers(self) -> None:
        if self.knobs.workers:
            started = since_of(self.instance.get())
            until = workers_end(started, self.knobs.max_hours, time.time())
            script = startup_script(self.knobs, make_certificate(self.shell))
            self.fleet.start(worker_template(self.knobs, script, until))
            return
        try:
            if self.fleet.ask_to_end():
                say(f"start: WORKERS is 0: the workers of {self.fleet.name} are deleted")
        except NoPermission as error:  # perhaps there are none: the VM must not wait for that
            say(f"start: {error.message}")

    def _prepare(self, shell: Shell) -> None:
        """Prepare it as any machine; with workers, it also runs their scheduler and reads along."""
        with_workers = start_script(self.knobs, self._address()) if self.knobs.workers else ""
        shell.run(with_workers or STOP_SCRIPT)
        super()._prepare(shell)

    def _address(self) -> str:
        """Return the VM's own address in the private network."""
        return str(self.instance.get().network_interfaces[0].network_i_p)

    def _before_start(self, guard_before: str, instance: Any) -> None:
        """Check our lock, and tell Google MAX_HOURS if the VM is off, not asleep.

        While a VM is asleep or on, its guard alone keeps MAX_HOURS.
        """
        refuse_if_lost(value_in(instance.metadata, LOCK_KEY))
        if next_to_start(instance.status) is Action.START:
            guard.limit(self.instance, instance, self.knobs, guard_before)

    def _guard(self, shell: Shell) -> None:
        """Install the guard, also if the VM was on before us or its startup script is not ours."""
        shell.run(guard.BY_STDIN, guard.script(self.knobs).encode())

    def _start_model(self, shell: Shell) -> None:
        """Start the model as on any machine, but first keep it from using the VM's account."""
        shell.run("sudo -n sh -s", NETWORK.read_bytes())
        super()._start_model(shell)

    def _install(self, shell: Shell) -> None:
        shell.run("sudo -n sh vm_side/machine/install.sh")

    def _refuse_if_off(self) -> None:
        try:
            status = self.instance.status()
        except Unreachable:
            return  # then our own network is down
        if status != "RUNNING":
            raise Failure(
                f"{self.knobs.vm} is {status}: preempted, idle, or stopped by someone",
                "make all goes on where it ended",
            )

    def stop(self) -> None:
        """Turn the VM off and let the workers go; return when nothing bills any more."""
        if "shell" in self.__dict__:
            self.shell.close()
        try:
            turn_off(lambda: self.instance, lambda: self.fleet)
        except Failure:
            if "instance" in self.__dict__:
                self._since = self.instance.on_since or self._since
                self._is_off = self.instance.is_off
            for client in ("instance", "fleet"):  # make them again: somebody may log in meanwhile
                self.__dict__.pop(client, None)
            raise

    def alarm(self, since: float | None = None) -> str:
        """Return what may still bill, since when, at what price, and how to end it by hand."""
        return "" if self._is_off else alarm(self.knobs, self._since or since)

    def on_since(self) -> float | None:
        """Return what the API said, if we have asked it."""
        return self.instance.on_since if "instance" in self.__dict__ else None

    def left_on(self) -> str:
        """Look once; this look may fail for the same reason as the command before it."""
        try:
            is_on = self.instance.is_on()
        except Failure:
            is_on = None
        return left_on(self.knobs, is_on)

    def status(self) -> dict[str, Any]:
        """The VM's state and bill, its workers, and what runs on it."""
        vm = self.instance.get()
        table: dict[str, Any] = {"VM": f"{vm.name} in {self.knobs.zone}", "state": vm.status}
        workers = self._workers_status()
        if vm.status != "RUNNING":
            return table | workers
        machine_type = vm.machine_type.rpartition("/")[2]
        table["type"] = with_cards(machine_type)
        if vm.last_start_timestamp:
            since = datetime.fromisoformat(vm.last_start_timestamp)
            hours = (datetime.now(since.tzinfo) - since).total_seconds() / 3600
            table["since"] = f"{since:%Y-%m-%d %H:%M:%S %Z}, {hours:.2f} h"
            money = f"{hours * self.knobs.price_per_hour:.2f} USD"
            money += ", without its workers" if "workers cost" in workers else ""
            is_spot = vm.scheduling.provisioning_model == "SPOT"
            why = price_warning(self.knobs, machine_type, is_spot)
            table["money so far"] = f"{money}; {why}" if why else money
        table |= {**workers, **super().status()}
        return table | ({"dashboard": dashboard(self.knobs)} if "Dask" in table else {})

    def _workers_status(self) -> dict[str, Any]:
        """The workers, what they cost, and why some are missing."""
        try:
            look = self.fleet.look()
        except NoPermission as error:
            return {"workers": f"cannot be seen: {error.message.splitlines()[0]}"}
        if not look.wanted and not look.members:
            return {"workers": "none; make start starts them"} if self.knobs.workers else {}
        price = look.running * self.knobs.price_per_worker_hour
        missing = {"workers missing": look.hindrance} if look.hindrance else {}
        return {"workers": str(look), **missing, "workers cost": f"{price:.2f} USD an hour"}

    @property
    def bucket(self) -> str:
        """As gs://…; empty: over ssh."""
        return self.knobs.bucket.rstrip("/")

    @property
    def input_bucket(self) -> str:
        """Empty if there are workers: they read the bucket's pages themselves."""
        return "" if self.knobs.workers else self.bucket

    def _places(self) -> list[str]:
        return job_options(self.knobs, self._address()) if self.knobs.workers else []

    def push(self, inputs: Inputs) -> Moved:
        """Mirror the files into the bucket, which needs no VM, or over ssh."""
        if self.store:
            claim_for(self.knobs, self.store, self.folders.input)
            return self.store.mirror_up(inputs.root, inputs.files, self.folders.input)
        return super().push(inputs)

    def read_result(self, name: str) -> str:
        """From the bucket, which needs no VM, or over ssh."""
        if self.store:
            return self.store.read_text(f"{self.folders.result}/{name}")
        return super().read_result(name)

    def pull(self, names: Iterable[str], folder: Path, put: Put) -> Moved:
        """From the bucket, which needs no VM, or over ssh."""
        if self.store:
            return self.store.fetch(self.folders.result, list(names), folder, put)
        return super().pull(names, folder, put)

    def clean(self) -> None:
        """Empty the folders on the VM and in the bucket, which bills also without a VM."""
        if self.store:
            claim_for(self.knobs, self.store, *self.folders)
            for folder in self.folders:
                self.store.empty(folder)
            try:
                status = self.instance.status()
            except NoSuchMachine:
                return
            if status != "RUNNING":
                raise Failure(
                    f"{self.bucket} is clean; the disk of {self.knobs.vm} is not: it is {status}",
                    "make start, then make clean",
                )
        super().clean()

    def read_lock(self) -> str:
        """The lock is in the VM's metadata, which can be read while the VM is off."""
        return value_in(self.instance.get().metadata, LOCK_KEY)

    def swap_lock(self, old: str, new: str) -> bool:
        """Change the metadata."""
        return swap(self.instance, LOCK_KEY, old, new)

    def create(self, dry_run: bool) -> dict[str, Any]:
        """Create the VM and turn it off, unless it exists; return what it is like, by name."""
        plan = described(self.knobs)
        if self.instance.exists():
            plan["state"] = f"is there already, {self.instance.status()}"
        elif dry_run:
            plan["state"] = "not created: DRY_RUN"
        else:
            has_room = guard.has_room(self.instance, compute_v1.Metadata())
            script = guard.script(self.knobs) if has_room else ""
            with told(self):
                self.instance.insert(new_instance(self.knobs, script))
                self.instance.stop()
            plan["state"] = "created, and off: make start turns it on"
        return plan

    def delete(self) -> None:
        """Delete the VM and its disk, and all that is there of its workers."""
        self.fleet.delete()
        if self.instance.exists():
            self.instance.delete()
