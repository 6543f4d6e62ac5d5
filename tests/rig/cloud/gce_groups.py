"""Managed instance groups of a region, with their templates: what they do by themselves.

A group acts each time a call reaches the server. It makes missing instances, in zones that have
some (target shape ANY), and removes surplus instances. It makes an instance again that was
preempted or turned itself off, unless its template's time is over. Its instances are records
without a machine below them.
"""

from __future__ import annotations

import time
import uuid
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from rig.cloud import gce_documents as documents
from rig.cloud.gce_documents import Document, last_part, now
from rig.cloud.gce_errors import OperationError, not_found, stockout
from rig.cloud.gce_instances import Instances
from rig.cloud.gce_operations import Operations

STOCK_OUT = "ZONE_RESOURCE_POOL_EXHAUSTED_WITH_DETAILS"
KEPT_ERRORS = 100


def is_over(properties: Document) -> str:
    """The time at which a template's time ended; empty if it has not ended."""
    end = str(properties.get("scheduling", {}).get("terminationTime", ""))
    return end if end and datetime.fromisoformat(end) < datetime.now(UTC) else ""


@dataclass
class Member:
    """One instance of a group, in its manager's view."""

    name: str
    zone: str = ""  # none yet: no zone had room
    action: str = "CREATING"
    since: float = field(default_factory=time.monotonic)
    error: OperationError | None = None


class Groups:
    """All groups and templates, by `projects/p/regions/r/instanceGroupManagers/n`.

    stock   instances that a zone, by name, has for groups; other zones have any number
    retry_s pause of a group between two tries to find room
    """

    def __init__(self, instances: Instances, operations: Operations) -> None:
        self.stock: dict[str, int] = {}
        self.code = STOCK_OUT
        self.retry_s = 0.2
        self.templates: dict[str, Document] = {}
        self._instances, self._operations = instances, operations
        self._all: dict[str, Document] = {}
        self._members: dict[str, list[Member]] = {}
        self._errors: dict[str, list[Document]] = {}
        self._tried: dict[str, float] = {}
        self._numbers = 1

    @property
    def base(self) -> str:
        return self._instances.base

    def all(self) -> dict[str, Document]:
        return self._all

    def get(self, path: str) -> Document:
        if path not in self._all:
            raise not_found(path)
        return self._all[path]

    def members(self, path: str) -> list[Member]:
        self.get(path)
        return self._members[path]

    def errors(self, path: str) -> list[Document]:
        """The errors of a group, newest first."""
        self.get(path)
        return self._errors[path][::-1]

    def add(self, path: str, group: Document) -> None:
        self._all[path], self._members[path], self._errors[path] = group, [], []

    def users_of(self, template: str) -> list[str]:
        """The groups that make their instances from a template."""
        return [
            path
            for path, group in self._all.items()
            if group["instanceTemplate"].endswith(f"/{template}")
        ]

    # --- work, inside operations ------------------------------------------------------------

    def delete_work(self, path: str) -> None:
        """Delete the instances, then the group."""
        with self._operations.changed:
            self.get(path)["targetSize"] = 0
        while self._of(path):
            self.advance()
            self._operations.sleep(0.02)
        with self._operations.changed:
            for each in (self._all, self._members, self._errors):
                each.pop(path, None)

    def leave(self, path: str, links: list[str]) -> None:
        """Delete these instances for good: the group's target size shrinks too."""
        names = {last_part(link) for link in links}
        with self._operations.changed:
            for member in self._of(path):
                if member.name in names and member.action != "DELETING":
                    self._delete(path, member)
                    self.get(path)["targetSize"] -= 1

    # --- what a group does by itself --------------------------------------------------------

    def advance(self) -> None:
        """Let every group do what is due."""
        with self._operations.changed:
            for path in list(self._all):
                for member in list(self._of(path)):
                    self._step(path, member)
                self._fit(path)
                self._operations.changed.notify_all()

    def _of(self, path: str) -> list[Member]:
        return self._members.get(path, [])

    def _fit(self, path: str) -> None:
        """Make or delete members until their number is right; members not yet running go first."""
        group = self.get(path)
        living = [member for member in self._of(path) if member.action != "DELETING"]
        for _ in range(group["targetSize"] - len(living)):
            name = f"{group['baseInstanceName']}-{uuid.uuid4().hex[:4]}"
            self._members[path].append(Member(name))
        living.sort(key=lambda member: member.action == "NONE")
        for member in living[: max(0, len(living) - group["targetSize"])]:
            self._delete(path, member)
        is_time = time.monotonic() - self._tried.get(path, 0.0) >= self.retry_s
        homeless = [one for one in self._of(path) if one.action == "CREATING" and not one.zone]
        if homeless and is_time:
            self._tried[path] = time.monotonic()
            for member in homeless:
                self._place(path, member)

    def _step(self, path: str, member: Member) -> None:
        delays, age_s = self._instances.delays, time.monotonic() - member.since
        if member.action == "DELETING":
            if age_s >= delays.stopping_s:
                self._remove(path, member)
        elif member.action == "CREATING" and member.zone:
            staged = age_s >= delays.provisioning_s
            runs = age_s >= delays.provisioning_s + delays.staging_s
            status = "RUNNING" if runs else "STAGING" if staged else "PROVISIONING"
            self._instances.set_status(self._instance(path, member), status)
            if runs:
                member.action, member.error = "NONE", None
        elif member.action == "NONE" and self.status(path, member) == "TERMINATED":
            self._forget(path, member)  # it is made again in any zone with room
            member.action, member.zone, member.since = "CREATING", "", time.monotonic()

    def _place(self, path: str, member: Member) -> None:
        """Find a zone for a member; note the zones that had none."""
        group = self.get(path)
        project = path.split("/")[1]
        properties = self.templates[self._template(path)]["properties"]
        kind = properties["machineType"]
        if end := is_over(properties):
            member.error = OperationError("INVALID_USAGE", f"terminationTime {end} is in the past")
            return
        for link in [one["zone"] for one in group["distributionPolicy"]["zones"]]:
            zone = last_part(link)
            if documents.machine_type(self.base, project, zone, kind) is None:
                continue
            if self.stock.get(zone, 1) <= self._used(zone):
                member.error = stockout(self.code, f"projects/{project}/zones/{zone}", kind)
                self._note(path, member, zone, member.error)
                continue
            member.zone, member.since = zone, time.monotonic()
            self._create(path, member, properties)
            return

    def _used(self, zone: str) -> int:
        """How much of a zone's stock is in use; 0 if it has no limit."""
        if zone not in self.stock:
            return 0
        return sum(member.zone == zone for some in self._members.values() for member in some)

    def _create(self, path: str, member: Member, properties: Document) -> None:
        zone_path = f"projects/{path.split('/')[1]}/zones/{member.zone}"
        kind = f"{zone_path}/machineTypes/{properties['machineType']}"
        body = {**properties, "name": member.name, "machineType": kind}
        instance = documents.instance(self.base, zone_path, body)
        self._numbers += 1
        instance["networkInterfaces"][0]["networkIP"] = f"10.178.0.{self._numbers}"
        instance["disks"] = []
        self._instances.add(self._instance(path, member), instance)

    def _delete(self, path: str, member: Member) -> None:
        if not member.zone:
            self._members[path].remove(member)
            return
        member.action, member.since = "DELETING", time.monotonic()
        if self.status(path, member):
            self._instances.set_status(self._instance(path, member), "STOPPING")

    def _remove(self, path: str, member: Member) -> None:
        self._forget(path, member)
        self._members[path].remove(member)

    def _forget(self, path: str, member: Member) -> None:
        self._instances.remove(self._instance(path, member))

    def _note(self, path: str, member: Member, zone: str, error: OperationError) -> None:
        instance = f"{self.base}/projects/{path.split('/')[1]}/zones/{zone}/instances/{member.name}"
        self._errors[path].append(
            {
                "error": {"code": error.code, "message": error.message},
                "instanceActionDetails": {
                    "instance": instance,
                    "action": "CREATING",
                    "version": {"instanceTemplate": self.get(path)["instanceTemplate"]},
                },
                "timestamp": now(),
            }
        )
        del self._errors[path][:-KEPT_ERRORS]

    # --- how it looks -----------------------------------------------------------------------

    def status(self, path: str, member: Member) -> str:
        """The state of a member's instance; empty if it does not exist."""
        instance = self._instances.find_path(self._instance(path, member))
        return str(instance["status"]) if instance else ""

    def shown(self, path: str) -> list[Document]:
        """The members, in the form of listManagedInstances."""
        return [self._shown(path, member) for member in self._of(path)]

    def _shown(self, path: str, member: Member) -> Document:
        zone = member.zone or last_part(
            self.get(path)["distributionPolicy"]["zones"][0]["zone"]
        )  # the zone that was asked first
        link = f"{self.base}/projects/{path.split('/')[1]}/zones/{zone}/instances/{member.name}"
        shown: dict[str, Any] = {
            "instance": link,
            "name": member.name,
            "currentAction": member.action,
            "version": {"instanceTemplate": self.get(path)["instanceTemplate"]},
            "lastAttempt": {},
        }
        if status := self.status(path, member):
            shown |= {"instanceStatus": status, "id": "1"}
        if member.error and member.action != "NONE":
            shown["lastAttempt"] = {"errors": member.error.fields()["error"]}
        return shown

    def _instance(self, path: str, member: Member) -> str:
        return f"projects/{path.split('/')[1]}/zones/{member.zone}/instances/{member.name}"

    def _template(self, path: str) -> str:
        return str(self.get(path)["instanceTemplate"].split("/compute/v1/")[-1])
