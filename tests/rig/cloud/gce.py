"""Compute Engine v1 on a local port, for the real google-cloud-compute and the real gcloud.

with GceServer() as gce:
    gce.add_instance("dots", project="p", zone="asia-northeast3-a")
    gce.fail_start("ZONE_RESOURCE_POOL_EXHAUSTED", times=2)
    ...                                   # a client talks to gce.url
    assert gce.count("POST", "/start") == 3
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from threading import Timer
from types import TracebackType
from typing import Any, Generic, TypeVar

from rig.cloud import gce_documents as documents
from rig.cloud import gce_group_routes, gce_more_routes  # noqa: F401  they add their routes
from rig.cloud.gce_documents import Document, last_part
from rig.cloud.gce_errors import OperationError, Refusal, not_found, stockout, unauthenticated
from rig.cloud.gce_groups import Groups
from rig.cloud.gce_http import Call, JsonServer, Request
from rig.cloud.gce_instances import Delays, Instances, Machine
from rig.cloud.gce_operations import Operations
from rig.cloud.gce_routes import Routes

__all__ = ["Call", "Delays", "GceServer", "Machine"]

PROJECT = "rig-project"
ZONE = "asia-northeast3-a"
STORAGE_SCOPE = "https://www.googleapis.com/auth/devstorage.read_write"
What = TypeVar("What")


class GceServer:
    """The server, used as a context manager. What tests set:

    token        the access token that every call must bring, else 401; None: no check
    delays       how long instances stay in each state
    machine_for  gives the machine below an instance when it first starts; None: there is none
    quotas       the region's, by their names
    groups       the managed instance groups; `groups.stock` is what a zone has for them
    wait_cap_s   `wait` of an operation answers after this, done or not (Google: 120)
    """

    def __init__(
        self,
        bind: str = "127.0.0.1",
        *,
        token: str | None = None,
        delays: Delays | None = None,
        machine_for: Callable[[Document], Machine | None] | None = None,
    ) -> None:
        self.token = token
        self.calls: list[Call] = []
        self._timers: list[Timer] = []
        self._operations = Operations()
        self._instances = Instances(self._operations)
        self._instances.delays = delays or Delays()
        self._instances.start_error = self._next_start_error
        if machine_for is not None:
            self._instances.machine_for = machine_for
        self.groups = Groups(self._instances, self._operations)
        self._routes = Routes(self._instances, self.groups, self._operations)
        self._start_errors: list[_Planned[Callable[[Document], OperationError]]] = []
        self._refusals: list[_Planned[Refusal | None]] = []
        self._http = JsonServer(self._answer, bind)
        self.url = self._http.url
        self._instances.base = f"{self.url}/compute/v1"

    def __enter__(self) -> GceServer:
        self._http.open()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for timer in self._timers:
            timer.cancel()
        self._http.close()
        self._operations.close()
        for instance in self._instances.all():
            if machine := self.machine(instance["name"]):
                machine.kill()

    # --- the state -------------------------------------------------------------------------

    @property
    def delays(self) -> Delays:
        return self._instances.delays

    @property
    def quotas(self) -> dict[str, float]:
        return self._instances.quotas

    def permit(self, *permissions: str) -> None:
        """Grant only these permissions to who asks about an instance."""
        self._instances.permitted = {*permissions}

    @property
    def wait_cap_s(self) -> float:
        return self._operations.wait_cap_s

    @wait_cap_s.setter
    def wait_cap_s(self, seconds: float) -> None:
        self._operations.wait_cap_s = seconds

    def add_instance(
        self,
        name: str,
        *,
        project: str = PROJECT,
        zone: str = ZONE,
        machine_type: str = "g2-standard-8",
        status: str = "TERMINATED",
        machine: Machine | None = None,
        has_external_ip: bool = True,
    ) -> None:
        """Add an instance that existed before, with the machine below it."""
        zone_path = f"projects/{project}/zones/{zone}"
        access = [{"name": "External NAT"}] if has_external_ip else []
        body: Document = {
            "name": name,
            "machineType": f"{zone_path}/machineTypes/{machine_type}",
            "networkInterfaces": [{"accessConfigs": access}],
            "scheduling": {"onHostMaintenance": "TERMINATE"},
            "serviceAccounts": [{"email": "default", "scopes": [STORAGE_SCOPE]}],
        }
        instance = documents.instance(self._instances.base, zone_path, body)
        disk = documents.disk(self._instances.base, zone_path, name, 200, "pd-balanced")
        self._instances.disks[f"{zone_path}/disks/{name}"] = disk
        shown = {"boot": True, "autoDelete": True, "type": "PERSISTENT", "diskSizeGb": "200"}
        instance.update(disks=[{**shown, "source": disk["selfLink"]}], status=status)
        path = f"{zone_path}/instances/{name}"
        self._instances.add(path, instance)
        if machine is not None:
            self._instances.attach(path, machine)

    def instance(self, name: str) -> Document:
        return self._instances.get(self._instances.find(name))

    def instances(self) -> list[Document]:
        """All instances of all projects."""
        return self._instances.all()

    def status(self, name: str) -> str:
        return str(self.instance(name)["status"])

    def set_status(self, name: str, *statuses: str, each_s: float = 1.0) -> None:
        """Put an instance into SUSPENDED, REPAIRING …; the machine below stays as it is.

        Of several states (`"STOPPING", "TERMINATED"`), the first comes now. Each other one comes
        `each_s` seconds after the one before.
        """
        path = self._instances.find(name)
        self._instances.set_status(path, statuses[0])
        for number, status in enumerate(statuses[1:], start=1):
            timer = Timer(number * each_s, self._instances.set_status, (path, status))
            timer.daemon = True
            timer.start()
            self._timers.append(timer)

    def wait_for_status(self, name: str, status: str, timeout_s: float = 120.0) -> None:
        deadline_s = time.monotonic() + timeout_s
        with self._operations.changed:
            while self.status(name) != status:
                if (left_s := deadline_s - time.monotonic()) <= 0:
                    raise TimeoutError(f"{name} is {self.status(name)}, not {status}")
                self._operations.changed.wait(left_s)

    def machine(self, name: str) -> Machine | None:
        return self._instances.machine(self._instances.find(name))

    def operations(self, *, project: str = PROJECT, zone: str = ZONE) -> list[Document]:
        """The zone's operations, newest first."""
        return self._operations.list(f"projects/{project}/zones/{zone}")

    def group(self, name: str) -> tuple[int, dict[str, str]]:
        """A group's target size, and the states of its instances by name."""
        self.groups.advance()
        for path, group in self.groups.all().items():
            if last_part(path) == name:
                shown = self.groups.shown(path)
                states = {one["name"]: one.get("instanceStatus", "") for one in shown}
                return group["targetSize"], states
        raise not_found(f"instanceGroupManagers/{name}")

    def metadata(self, name: str) -> dict[str, str]:
        return documents.metadata_values(self.instance(name)["metadata"])

    def set_project_metadata(self, key: str, value: str, *, project: str = PROJECT) -> None:
        common = documents.metadata([{"key": key, "value": value}])
        self._instances.project(project)["commonInstanceMetadata"] = common

    # --- the calls so far ------------------------------------------------------------------

    def count(self, method: str, path_end: str) -> int:
        """The number of calls of this method with a path that ends so."""
        return sum(one.method == method and one.path.endswith(path_end) for one in self.calls)

    # --- faults ----------------------------------------------------------------------------

    def fail_start(
        self,
        error: str | OperationError,
        *,
        times: int | None = None,
        zones_available: Sequence[str] = (),
    ) -> None:
        """Let starts and inserts end with this error so many times (None: for ever).

        A text is the code of a stock-out; other errors are OperationErrors (`quota_error()`).
        """

        def make(instance: Document) -> OperationError:
            if isinstance(error, OperationError):
                return error
            zone_path = instance["zone"].split("/compute/v1/")[1]
            kind = last_part(instance["machineType"])
            return stockout(error, zone_path, kind, zones_available)

        self._start_errors.append(_Planned(make, times))

    def refuse(
        self, refusal: Refusal, method: str = "", path_end: str = "", *, times: int | None = None
    ) -> None:
        """Answer calls of this method and path end with the refusal."""
        self._refusals.append(_Planned(refusal, times, method, path_end))

    def lose_answer(self, method: str, path_end: str, *, times: int | None = 1) -> None:
        """Carry these calls out, and end the connection without an answer."""
        self._refusals.append(_Planned(None, times, method, path_end))

    def heal(self) -> None:
        """Remove all planned faults."""
        self._start_errors.clear()
        self._refusals.clear()

    def start(self, name: str) -> None:
        """Start an instance as a person would; it runs when this returns."""
        self._instances.start_work(self._instances.find(name))

    def preempt(self, name: str, notice_s: float = 0.0) -> None:
        """Google takes a spot machine back: off after the notice, and TERMINATED."""
        path = self._instances.find(name)
        self._instances.end_by_google(path, "compute.instances.preempted", notice_s)

    def expire(self, name: str) -> None:
        """End the machine's maxRunDuration; AssertionError if it has none."""
        scheduling = self.instance(name)["scheduling"]
        assert scheduling.get("maxRunDuration"), f"{name} would run for ever"
        assert scheduling.get("instanceTerminationAction") == "STOP"
        path = self._instances.find(name)
        self._instances.end_by_google(path, "compute.instances.terminateOnMaxRunDuration", 30.0)

    # --- inside ----------------------------------------------------------------------------

    def _answer(self, request: Request) -> Any:
        self.calls.append(request.call)
        if self.token is not None and request.authorization != f"Bearer {self.token}":
            raise unauthenticated()
        for planned in self._refusals:
            if planned.suits(request.call) and planned.take():
                if planned.what is not None:
                    raise planned.what
                request.drop = True
        self.groups.advance()
        return self._routes.answer(request)

    def _next_start_error(self, instance: Document) -> OperationError | None:
        for planned in self._start_errors:
            if planned.take():
                return planned.what(instance)
        return None


class _Planned(Generic[What]):
    """A fault that comes so many times (None: always) for matching calls."""

    def __init__(self, what: What, times: int | None, method: str = "", path_end: str = "") -> None:
        self.what, self._left = what, times
        self._method, self._path_end = method, path_end

    def suits(self, call: Call) -> bool:
        return call.method.startswith(self._method) and call.path.endswith(self._path_end)

    def take(self) -> bool:
        if self._left is None:
            return True
        self._left -= 1
        return self._left >= 0
