"""The workers of a VM: a managed instance group of spot VMs, which Google keeps at its size.

What a look at the group means is decided by pure functions; the calls are thin.
"""

import contextlib
import functools
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from google.api_core import exceptions
from google.cloud import compute_v1

from lib.console import Away, Failure, NoLogin, note, say
from lib.knobs import Knobs, zones_of
from lib.machines.gcp.api import (
    asked_again,
    carry_out,
    make_client,
    refuse_nameless,
    translated,
)
from lib.machines.gcp.faults import NoPermission
from lib.machines.gcp.resources import emptying_command, group_name, region_of, worker_group

POLL_S = 3.0
PATIENCE_S = 300.0  # our wait for one more running worker; the group goes on trying
OPERATION_TIMEOUT_S = 600.0
EMPTY_TIMEOUT_S = 600.0
SHOWN_ERRORS = 100  # the latest of a group
ERRORS_LAST = timedelta(hours=1)  # what kept a group from growing yesterday says nothing about now


@dataclass(frozen=True)
class Member:
    """One worker, as its group sees it."""

    zone: str
    runs: bool
    goes: bool  # it is being deleted
    hindrance: str = ""


@dataclass(frozen=True)
class Look:
    """The group at one moment. hindrances: why there is no worker in a zone, by the zone."""

    wanted: int
    members: list[Member] = field(default_factory=list)
    hindrances: Mapping[str, str] = field(default_factory=dict)

    @property
    def running(self) -> int:
        """How many workers run, and stay."""
        return sum(member.runs for member in self.members)

    def __str__(self) -> str:
        zones = Counter(member.zone for member in self.members if member.runs)
        places = ", ".join(f"{count} in {zone}" for zone, count in sorted(zones.items()))
        leaving = sum(member.goes for member in self.members)
        return (
            f"{self.running} of {self.wanted} running"
            + (f" ({places})" if places else "")
            + (f", {leaving} being deleted" if leaving else "")
        )

    @property
    def hindrance(self) -> str:
        """Why workers are missing, for people; nothing if none is missing."""
        if self.running >= self.wanted:
            return ""
        return "; ".join(f"{zone}: {why}" for zone, why in sorted(self.hindrances.items()))


def member_of(one: Any) -> Member:
    """A managed instance of the API -> a worker."""
    errors = [error.message for error in one.last_attempt.errors.errors]
    return Member(
        zone=zone_of(one.instance),
        runs=one.instance_status == "RUNNING" and one.current_action == "NONE",
        goes=one.current_action == "DELETING",
        hindrance=errors[-1] if errors else "",
    )


def zone_of(link: str) -> str:
    """The zone in an instance's link; nothing if there is none."""
    return link.partition("/zones/")[2].partition("/")[0]


def hindrances_of(members: Iterable[Member], errors: Iterable[tuple[str, str]]) -> dict[str, str]:
    """Return why zones give no worker, by zone. errors: (zone, message), the newest first."""
    found: dict[str, str] = {}
    for zone, message in errors:
        found.setdefault(zone, message)
    for member in members:
        if member.hindrance:
            found.setdefault(member.zone, member.hindrance)
    return found


def is_over(look: Look, now: float, progress_at: float, deadline: float) -> bool:
    """Whether a start stops waiting: all run, no new one has come for too long, or time is over."""
    return look.running >= look.wanted or now > min(deadline, progress_at + PATIENCE_S)


class Fleet:
    """The group of a VM's workers. Every method raises Failure with the next step."""

    def __init__(self, knobs: Knobs) -> None:
        self.knobs, self.name = knobs, group_name(knobs.vm)
        self.region = region_of(knobs.zone)
        self._errors_after = datetime.now(UTC) - ERRORS_LAST
        self._groups = make_client(compute_v1.RegionInstanceGroupManagersClient)
        self._templates = make_client(compute_v1.RegionInstanceTemplatesClient)
        self._operations = make_client(compute_v1.RegionOperationsClient)

    def start(self, template: compute_v1.InstanceTemplate) -> None:
        """Have the group make WORKERS workers of this template; does not wait for them."""
        link = f"projects/{self.knobs.project}/regions/{self.region}/instanceTemplates"
        mine = f"{link}/{template.name}"
        if not self._exists(self._templates, instance_template=template.name):
            resource = {"instance_template_resource": template}
            self._do(self._templates.insert, self._place, **resource)
        group, wanted = self.get(), worker_group(self.knobs, mine, zones_of(self.knobs))
        if group and group.description != wanted.description:
            note(f"start: {self.name} is made again: the zones of a group cannot be changed")
            self._do(self._groups.delete, self._group)
            group = None
        if group is None:
            self._do(self._groups.insert, self._place, instance_group_manager_resource=wanted)
        else:
            self._errors_after = max([self._errors_after, *(at for at, _, _ in self._errors())])
            if not group.instance_template.endswith(f"/{template.name}"):
                wish = compute_v1.RegionInstanceGroupManagersSetTemplateRequest(
                    instance_template=mine
                )
                key = "region_instance_group_managers_set_template_request_resource"
                self._do(self._groups.set_instance_template, self._group, **{key: wish})
            if group.target_size != self.knobs.workers:
                self.resize(self.knobs.workers)
        self._remove_templates(but=template.name)

    def wait_until_running(self, began: float) -> None:
        """Wait for the workers. Fewer than asked for is a warning, none is a failure.

        began is the monotonic time since which START_TIMEOUT counts.
        """
        deadline = began + self.knobs.start_timeout
        told: set[str] = set()
        look, progress_at = self.look(), time.monotonic()
        while not is_over(look, time.monotonic(), progress_at, deadline):
            time.sleep(POLL_S)
            before, look = look.running, self.look()
            if look.running > before:
                progress_at = time.monotonic()
            for zone, why in look.hindrances.items():
                if zone not in told:
                    told.add(zone)
                    note(f"start: no worker in {zone} now: {why}")
        asked_for = self.knobs.workers  # some may have left already, which makes the group smaller
        if look.running >= asked_for:
            note(f"start: workers: {look}")
            return
        why = f" ({look.hindrance})" if look.hindrance else ""
        goes_on = f"{self.name} goes on trying, and each worker that it gets bills"
        if not look.running:
            raise Failure(
                f"none of {asked_for} workers runs{why}; the VM is on, and {goes_on}",
                "make stop ends both; try later, other ZONES, or WORKERS=0",
            )
        say(f"start: only {look.running} of {asked_for} workers run{why}; {goes_on}")

    def get(self) -> Any:
        """Return the group as the API describes it; None if there is none."""
        ask = functools.partial(self._groups.get, request=self._group)
        try:
            return translated(lambda: asked_again(lambda: refuse_nameless(ask())))
        except exceptions.NotFound:
            return None

    def look(self) -> Look:
        """Return the group, its workers, and what keeps it from growing; empty without a group."""
        group = self.get()
        if group is None:
            return Look(0)
        members = self._members()
        errors: list[tuple[str, str]] = []
        if sum(member.runs for member in members) < group.target_size:
            errors = [(zone, why) for _, zone, why in self._errors()]
        return Look(group.target_size, members, hindrances_of(members, errors))

    def resize(self, size: int) -> None:
        """Set the group's size; the group reaches it some time later."""
        self._do(self._groups.resize, self._group, size=size)

    def ask_to_end(self) -> bool:
        """Have the group let all its workers go; return False if it has none to let go."""
        with self._loudly():
            group = self.get()
            if group is None:
                return False
            if group.target_size:
                self.resize(0)
            return bool(group.target_size or self._members())

    def wait_until_empty(self) -> None:
        """Return when no worker is left."""
        with self._loudly():
            deadline = time.monotonic() + EMPTY_TIMEOUT_S
            while left := len(self._members()):
                if time.monotonic() > deadline:
                    raise Failure(f"{left} of them are left after {EMPTY_TIMEOUT_S:.0f} s")
                time.sleep(POLL_S)

    def delete(self) -> None:
        """Delete the group, its workers and its templates, as far as they are there."""
        with self._loudly():
            if self.get() is not None:
                self._do(self._groups.delete, self._group)
            self._remove_templates()

    @property
    def _place(self) -> dict[str, str]:
        return {"project": self.knobs.project, "region": self.region}

    @property
    def _group(self) -> dict[str, str]:
        return {**self._place, "instance_group_manager": self.name}

    def _exists(self, client: Any, **name: str) -> bool:
        request = {**self._place, **name}
        try:
            translated(lambda: asked_again(lambda: client.get(request=request)))
        except exceptions.NotFound:
            return False
        return True

    def _members(self) -> list[Member]:
        """Return the workers, also those that come or go; none if there is no group."""
        list_all = self._groups.list_managed_instances
        try:
            listed = translated(lambda: asked_again(lambda: list(list_all(request=self._group))))
        except exceptions.NotFound:
            return []
        return [member_of(one) for one in listed]

    def _errors(self) -> list[tuple[datetime, str, str]]:
        """Return (time, zone, message) of what went wrong lately, the newest first."""
        request = {**self._group, "max_results": SHOWN_ERRORS}
        page = translated(
            lambda: asked_again(lambda: next(self._groups.list_errors(request=request).pages))
        )
        found = [
            (
                datetime.fromisoformat(one.timestamp),
                zone_of(one.instance_action_details.instance),
                one.error.message,
            )
            for one in page.items
        ]
        return sorted((one for one in found if one[0] > self._errors_after), reverse=True)

    def _remove_templates(self, but: str = "") -> None:
        """Delete our templates except `but`; one that cannot be deleted now stays for next time."""
        list_all = self._templates.list
        prefix = f"{self.name}-"
        for one in translated(lambda: asked_again(lambda: list(list_all(request=self._place)))):
            rest = one.name.removeprefix(prefix)
            if one.name not in (but, rest) and len(rest) == 8:
                with contextlib.suppress(Failure, exceptions.NotFound):
                    request = {**self._place, "instance_template": one.name}
                    self._do(self._templates.delete, request)

    def _do(self, method: Callable[..., Any], place: Mapping[str, str], **values: Any) -> None:
        carry_out(method, {**place, **values}, self._wait, OPERATION_TIMEOUT_S, self.name)

    def _wait(self, operation: str) -> Any:
        return self._operations.wait(**self._place, operation=operation)

    @contextlib.contextmanager
    def _loudly(self) -> Iterator[None]:
        """An error in here may leave workers that bill: say so, with the command that helps."""
        try:
            yield
        except (Failure, exceptions.GoogleAPICallError) as error:
            why = getattr(error, "message", str(error))
            kinds = (Away, NoLogin, NoPermission)
            kind = next((kind for kind in kinds if isinstance(error, kind)), Failure)
            raise kind(
                f"the workers {self.name} MAY STILL RUN, AND BILL: {why}",
                emptying_command(self.knobs),
            ) from error
