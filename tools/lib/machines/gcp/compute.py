"""Google Compute Engine: one instance, its states and its errors.

What each state and error asks for is decided by pure functions; the calls are thin.
"""

import contextlib
import functools
import time
from collections.abc import Callable
from datetime import datetime
from enum import Enum
from typing import Any

from google.api_core import exceptions
from google.cloud import compute_v1

from lib.console import Failure, note
from lib.machines.gcp.api import (
    asked_again,
    carry_out,
    make_client,
    refuse_nameless,
    translated,
)
from lib.machines.gcp.faults import NoPermission, StockOut, TooSlow, words_of
from lib.machines.machine import NoSuchMachine

POLL_S = 2.0
FIRST_PAUSE_S, LONGEST_PAUSE_S = 5.0, 300.0
STOP_TIMEOUT_S = 600.0


class Action(Enum):
    """What to do next with an instance."""

    NOTHING = "it is where it should be"
    WAIT = "it changes by itself: look again"
    START = "start"
    RESUME = "resume"
    STOP = "stop"


def next_to_start(status: str) -> Action:
    """Return what brings an instance in this state to RUNNING."""
    table = {
        "RUNNING": Action.NOTHING,
        "TERMINATED": Action.START,
        "STOPPED": Action.START,
        "SUSPENDED": Action.RESUME,
    }
    return table.get(status, Action.WAIT)


def next_to_stop(status: str) -> Action:
    """Return what brings an instance in this state to TERMINATED."""
    if status in ("TERMINATED", "STOPPED"):
        return Action.NOTHING
    return Action.WAIT if status in ("STOPPING", "PENDING_STOP", "SUSPENDING") else Action.STOP


def since_of(vm: Any) -> float | None:
    """Return since when the API's VM is on, as Unix time; None if it is off, or does not say."""
    if next_to_stop(vm.status) is Action.NOTHING or not vm.last_start_timestamp:
        return None
    return datetime.fromisoformat(vm.last_start_timestamp).timestamp()


class Instance:
    """One instance of a zone. Every method raises Failure with the command that helps."""

    def __init__(self, project: str, zone: str, name: str) -> None:
        self.project, self.zone, self.name = project, zone, name
        self.on_since: float | None = None  # when it was started, if the last look saw it on
        self.is_off = False  # stop() has seen it off, or that there is none
        self._instances = make_client(compute_v1.InstancesClient)
        self._operations = make_client(compute_v1.ZoneOperationsClient)

    def _get(self) -> Any:
        return refuse_nameless(self._instances.get(request=self._place))

    @property
    def _place(self) -> dict[str, str]:
        return {"project": self.project, "zone": self.zone, "instance": self.name}

    def get(self) -> Any:
        """Return the instance as the API describes it."""
        found = self.call(lambda: asked_again(self._get))
        self.on_since = since_of(found)
        return found

    def status(self) -> str:
        """Its state, such as RUNNING."""
        return str(self.get().status)

    def exists(self) -> bool:
        """Whether there is such an instance."""
        try:
            translated(self._get)
        except exceptions.NotFound:
            return False
        return True

    def is_on(self) -> bool | None:
        """Whether it bills, by one look; None if that cannot be told."""
        try:
            found = translated(self._get)
        except exceptions.NotFound:
            return False
        except Failure:
            return None
        return next_to_stop(found.status) is not Action.NOTHING

    def project_metadata(self) -> Any:
        """The metadata of all instances of its project."""
        projects = make_client(compute_v1.ProjectsClient)
        ask = functools.partial(projects.get, request={"project": self.project})
        return self.call(lambda: asked_again(ask)).common_instance_metadata

    def start(self, timeout_s: float, before_start: Callable[[Any], None]) -> None:
        """Bring it to RUNNING; after a stock-out try again, with growing pauses, until timeout_s.

        before_start is called with the instance while it is TERMINATED or SUSPENDED.
        """
        deadline = time.monotonic() + timeout_s
        pause_s = FIRST_PAUSE_S
        while (instance := self.get()) and (action := next_to_start(instance.status)) != (
            Action.NOTHING
        ):
            if action is Action.WAIT:
                if time.monotonic() > deadline:
                    raise Failure(
                        f"{self.name} is still {instance.status} after {timeout_s:.0f} s",
                        "make status",
                    )
                time.sleep(POLL_S)
                continue
            is_off = action is Action.START
            try:
                before_start(instance)
                self.do(self._instances.start if is_off else self._instances.resume, timeout_s)
            except StockOut as error:
                if time.monotonic() + pause_s > deadline:
                    where = error.zones or "another zone of the region"
                    raise Failure(
                        f"{self.zone} has had no such machine to give for {timeout_s:.0f} s"
                        f" ({error})",
                        f"try later, give a longer START_TIMEOUT, or move the disk to {where}",
                    ) from error
                note(f"{self.zone} has no such machine now; trying again in {pause_s:.0f} s")
                time.sleep(pause_s)
                pause_s = min(2 * pause_s, LONGEST_PAUSE_S)

    def stop(self) -> None:
        """Bring it to TERMINATED and wait until it is."""
        try:
            self.status()
        except NoSuchMachine:
            self.is_off = True
            raise
        except NoPermission:  # looking needs another right than stopping
            self.do(self._instances.stop, STOP_TIMEOUT_S)
            self.is_off = True
            return
        if next_to_stop(status := self._stop()) is not Action.NOTHING:
            raise Failure(
                f"{self.name} IS STILL {status}, AND BILLS, after {STOP_TIMEOUT_S:.0f} s",
                "make status",
            )
        self.is_off = True

    def _stop(self) -> str:
        """Bring it to TERMINATED; return its state then, or when the time is over."""
        deadline = time.monotonic() + STOP_TIMEOUT_S
        asked = False
        while (action := next_to_stop(status := self.status())) is not Action.NOTHING:
            if time.monotonic() > deadline:
                break
            if action is Action.STOP and not asked:
                asked = True
                with contextlib.suppress(TooSlow):
                    self.do(self._instances.stop, STOP_TIMEOUT_S)
            else:
                time.sleep(POLL_S)
        return status

    def set_max_run(self, instance: Any, hours: float) -> None:
        """Have Google stop it so many hours after each start; only while it is TERMINATED."""
        seconds = int(hours * 3600)
        scheduling = instance.scheduling
        is_set = scheduling.instance_termination_action == "STOP"
        if is_set and scheduling.max_run_duration.seconds == seconds:
            return
        scheduling.max_run_duration = compute_v1.Duration(seconds=seconds)
        scheduling.instance_termination_action = "STOP"
        scheduling.automatic_restart = False
        self.do(self._instances.set_scheduling, STOP_TIMEOUT_S, scheduling_resource=scheduling)

    def insert(self, resource: Any) -> None:
        """Create it."""
        place = {"project": self.project, "zone": self.zone}
        try:
            self.do(self._instances.insert, STOP_TIMEOUT_S, place, instance_resource=resource)
        except StockOut as error:
            raise Failure(
                f"{self.zone} has no such machine to give now ({error})",
                f"try later, or ZONE={error.zones or 'another zone of the region'}",
            ) from error

    def kept_disks(self) -> list[str]:
        """Return the disks that Google keeps when it is deleted: those without auto_delete."""
        disks = self.get().disks
        return [
            one.source.rpartition("/")[2] for one in disks if one.source and not one.auto_delete
        ]

    def delete(self) -> None:
        """Delete it, with its disk."""
        try:
            self.do(self._instances.delete, STOP_TIMEOUT_S)
        except exceptions.PreconditionFailed as error:
            raise Failure(
                words_of(error),
                f"gcloud compute instances update {self.name} --zone {self.zone}"
                " --no-deletion-protection",
            ) from error

    def set_metadata(self, metadata: Any) -> bool:
        """Replace its metadata; False if somebody else changed them since they were read."""
        try:
            self.do(self._instances.set_metadata, STOP_TIMEOUT_S, metadata_resource=metadata)
        except exceptions.PreconditionFailed:
            return False
        return True

    def do(
        self,
        method: Callable[..., Any],
        timeout_s: float,
        place: dict[str, str] | None = None,
        **values: Any,
    ) -> None:
        """Call a method that starts an operation, and wait for its end. Raises StockOut too."""
        request = {**(place or self._place), **values}
        self.call(lambda: carry_out(method, request, self._wait, timeout_s, self.name))

    def _wait(self, operation: str) -> Any:
        return self._operations.wait(project=self.project, zone=self.zone, operation=operation)

    def call(self, request: Callable[[], Any]) -> Any:
        """Make a call; NotFound becomes the Failure that tells how to create the instance."""
        try:
            return translated(request)
        except exceptions.NotFound as error:
            raise NoSuchMachine(
                f"there is no VM {self.name} in {self.zone} of project {self.project}",
                "make create, or correct VM, ZONE or PROJECT in config.env",
            ) from error
