"""The guard of a VM: how we make its script, and how it reaches the VM before we do."""

import dataclasses
import math
import re
import shlex
from collections.abc import Callable
from typing import Any

from lib.console import Failure, say
from lib.kinds import Hours
from lib.knobs import ROOT, Knobs
from lib.machine_types import unpriced
from lib.machines.gcp.compute import Instance
from lib.machines.gcp.metadata import swap, value_in

SCRIPT = ROOT / "vm_side" / "machine" / "guard.sh"
KEY, URL = "startup-script", "startup-script-url"  # what GCE runs as root at each boot
MARK = "# made by dots-ocr-vm-toolkit"
BY_STDIN = (  # as a file, because it installs itself
    "guard=$(mktemp) && cat >$guard && sudo -n sh $guard >&2; code=$?; rm -f $guard; exit $code"
)


def script(knobs: Knobs) -> str:
    """The script that installs the guard: its values, and guard.sh."""
    values = {
        "IDLE": knobs.idle_minutes,
        "LONGEST": math.ceil(knobs.max_hours * 60),
        "ENDPOINT": knobs.endpoint,
    }
    lines = [f"{name}={shlex.quote(str(value))}" for name, value in values.items()]
    head = "\n".join(["#!/bin/sh", MARK, *lines])
    return f"{head}\n{SCRIPT.read_text(encoding='utf-8')}"


def is_foreign(own: Any, of_project: Callable[[], Any]) -> bool:
    """Whether our startup script would replace somebody else's, by an instance's metadata.

    A startup script of the instance itself keeps those of its project from running.
    """
    if before := value_in(own, KEY):
        return MARK not in before
    if value_in(own, URL):
        return False  # GCE runs it beside ours
    common = of_project()
    return any(value_in(common, key) for key in (KEY, URL))


def has_room(instance: Instance, own: Any) -> bool:
    """Whether the guard may be the startup script of an instance with this metadata."""
    foreign = is_foreign(own, instance.project_metadata)
    if foreign:
        say(
            f"{instance.name} has a startup script that is not ours, which stays: its guard"
            " then comes only with make start, minutes after a boot"
        )
    return not foreign


def place(instance: Instance, new: str) -> str:
    """Make this guard the startup script of an instance, unless it has a foreign one.

    Returns the script that it had before.
    """
    own = instance.get().metadata
    before = value_in(own, KEY)
    if before != new and has_room(instance, own) and not swap(instance, KEY, before, new):
        raise Failure("somebody else changed the VM's startup script just now", "try again")
    return before


def limit(instance: Instance, vm: Any, knobs: Knobs, before: str) -> None:
    """Tell Google the longest run of a VM that is off. before: the guard that it had until now."""
    seconds = vm.scheduling.max_run_duration.seconds
    if hours := hours_for(knobs.max_hours, seconds, before):
        instance.set_max_run(vm, hours)
    elif 0 < seconds < Hours.MOST * 3600:
        say(
            f"start: MAX_HOURS is 0, but Google stops {instance.name} after"
            f" {seconds / 3600:g} h: gcloud compute instances set-scheduling {instance.name}"
            f" --zone {knobs.zone} --clear-max-run-duration removes that limit"
        )


def hours_for(max_hours: float, seconds: int, before: str) -> float:
    """Return the longest run to set, in hours; 0: Google's limit, `seconds`, stays as it is.

    If MAX_HOURS is 0, a limit of ours that a BUDGET lowered must not stay after it. A limit is ours
    if the guard before had the same one, which it counts in minutes.
    """
    found = re.search(r"^LONGEST=(\d+)$", before, re.MULTILINE) if MARK in before else None
    is_ours = found is not None and seconds and 0 <= int(found[1]) * 60 - seconds <= 60
    return Hours.MOST if not max_hours and is_ours else max_hours


def refuse_unpriced(vm: Instance, knobs: Knobs) -> None:
    """Raise Failure if a BUDGET cannot be kept: our price may not be that of the VM's own type."""
    if not knobs.budget:
        return
    machine_type = vm.get().machine_type.rpartition("/")[2]
    if why := unpriced(dataclasses.replace(knobs, workers=0), machine_type):
        raise Failure(f"{vm.name}: {why}: nothing is rented", "make all PRICE_PER_HOUR=USD")
