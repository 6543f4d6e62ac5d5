"""Turn a VM on for a few minutes, to see what no question to Google's API can tell.

It is the VM of the knobs if that is off, or, if there is none, a new VM that is deleted again.
"""

from __future__ import annotations

import dataclasses
import secrets
import shlex
import time
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial

from lib.console import Failure
from lib.knobs import Knobs
from lib.machines.gcp import guard
from lib.machines.gcp.account import Finding, Untold, examined
from lib.machines.gcp.compute import Action, next_to_stop
from lib.machines.gcp.machine import GcpMachine
from lib.machines.gcp.resources import new_instance
from lib.machines.ssh.model import DOCKER_IS_UP
from lib.machines.ssh.shell import Shell

START_MINUTES, CREATE_MINUTES = 4, 12
LONGEST_HOURS = 1.0  # for a VM that we made: then Google deletes it, whatever became of us
DRIVER_TIMEOUT_S, GUARD_TIMEOUT_S, POLL_S = 900.0, 120.0, 2.0
LONGEST_NAME = 63
GPU = "nvidia-smi --query-gpu=name,driver_version --format=csv,noheader"
DOCKER = f"{DOCKER_IS_UP} docker version --format '{{{{.Server.Version}}}}'"
GUARD = "systemctl is-active dots-ocr-idle.timer"


@dataclass(frozen=True)
class Trial:
    """The VM to turn on, and for how many minutes it will probably bill."""

    knobs: Knobs
    is_new: bool
    minutes: int

    def __str__(self) -> str:
        first, last = ("create", "delete") if self.is_new else ("start", "stop")
        usd = self.minutes / 60 * self.knobs.price_per_hour
        price = f"{usd:.2f} USD ({self.knobs.price_per_hour:g} an hour)"
        return f"{first} {self.knobs.vm}, look, {last} it: about {self.minutes} minutes, {price}"


def trial_of(knobs: Knobs, status: str | None) -> Trial:
    """Return what to do with a VM in this state; None if there is none. Raises Failure if on."""
    if status is None:
        own = f"-check-{secrets.token_hex(4)}"  # nobody else's name: it is deleted in the end
        name = f"{knobs.vm[: LONGEST_NAME - len(own)]}{own}"
        return Trial(dataclasses.replace(knobs, vm=name), True, CREATE_MINUTES)
    if next_to_stop(status) is Action.NOTHING:
        return Trial(knobs, False, START_MINUTES)
    raise Failure(f"{knobs.vm} is {status}: only one that is off is turned on", "make stop")


def turn_on(machine: GcpMachine, trial: Trial) -> None:
    """Create or start the VM, with its guard. Raises Failure."""
    instance, knobs = machine.instance, trial.knobs
    if not trial.is_new:
        before = guard.place(instance, guard.script(knobs))
        limit = partial(guard.limit, instance, knobs=knobs, before=before)
        instance.start(knobs.start_timeout, limit)
        return
    wish = new_instance(dataclasses.replace(knobs, max_hours=LONGEST_HOURS), guard.script(knobs))
    wish.scheduling.instance_termination_action = "DELETE"
    instance.insert(wish)


def look_inside(machine: GcpMachine, trial: Trial) -> Iterator[Finding]:
    """Check all that a start would need of a VM that is on."""
    login = examined("ssh", lambda: f"{machine.shell.name} lets us in")
    yield login
    if "shell" not in machine.__dict__:
        return  # without ssh nothing else can be checked
    shell, knobs = machine.shell, trial.knobs
    yield examined("guard", lambda: guarded(shell))
    yield examined("GPU", lambda: in_time(shell, GPU, DRIVER_TIMEOUT_S))
    yield examined("docker", lambda: asked(shell, DOCKER, "its user must be in the group docker"))
    yield examined("image", lambda: has_image(shell, knobs, trial.is_new))
    if knobs.bucket:
        yield examined("bucket there", lambda: reaches(shell, knobs.bucket))


def asked(shell: Shell, script: str, next_step: str = "") -> str:
    """Return the first line that a script prints. Raises Failure, with the first of its errors."""
    done = shell.ask(script)
    text = (done.stderr if done.returncode else done.stdout).decode("utf-8", "replace").strip()
    line = text.partition("\n")[0]
    if done.returncode:
        raise Failure(line or f"it ended with {done.returncode}", next_step)
    return line


def in_time(shell: Shell, script: str, timeout_s: float) -> str:
    """Do the same for what comes up after the boot, and wait: a first boot installs the driver."""
    deadline = time.monotonic() + timeout_s
    while True:
        try:
            return asked(shell, script)
        except Failure:
            if time.monotonic() > deadline:
                raise
            time.sleep(POLL_S)


def guarded(shell: Shell) -> str:
    """Check that the guard came with the boot, as the startup script."""
    try:
        in_time(shell, GUARD, GUARD_TIMEOUT_S)
    except Failure as error:
        raise Failure(
            f"the guard was not set at boot ({error.message})",
            "if the VM has a startup script of yours, make start sets it",
        ) from error
    return "it would turn itself off if we were gone"


def has_image(shell: Shell, knobs: Knobs, is_new: bool) -> str:
    """Check that the model server's image is there."""
    if is_new:
        raise Untold("a new VM has none: make image builds it")
    image = knobs.container_image
    inspect = f"docker image inspect --format {{{{.Id}}}} {shlex.quote(image)}"
    asked(shell, inspect, "make image builds it; or correct CONTAINER_IMAGE")
    return f"{image} is there"


def reaches(shell: Shell, bucket: str) -> str:
    """Check that the VM reaches the bucket, as its service account."""
    asked(
        shell,
        f"gcloud storage ls {shlex.quote(bucket)}/ >/dev/null",
        "roles/storage.objectAdmin on the bucket for the VM's service account",
    )
    return f"the VM's account reads {bucket}"
