"""Check step by step what an account must have before a VM is rented. It costs nothing.

A step returns what it found, or raises Failure for what is wrong, with the next thing to do.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import Enum
from functools import cached_property
from typing import Any

from google.api_core import exceptions
from google.cloud import compute_v1

from lib.console import Failure, NoLogin
from lib.knobs import Knobs
from lib.machines.gcp.api import asked_again, make_client, refuse_nameless, translated
from lib.machines.gcp.faults import QUOTA_PAGE, NoPermission, Unreachable
from lib.machines.gcp.gcloud import refuse_without_login
from lib.machines.gcp.resources import IMAGE_PROJECT, STORAGE, region_of

FULL_SCOPE = "https://www.googleapis.com/auth/cloud-platform"
ENOUGH = {STORAGE, FULL_SCOPE, "https://www.googleapis.com/auth/devstorage.full_control"}
PERMISSIONS = tuple(
    f"compute.instances.{name}"
    for name in ("get", "start", "stop", "resume", "setScheduling", "setMetadata")
)
PROBE = "make check-account was here"


class State(Enum):
    """How a step has ended."""

    RIGHT = "right"
    WRONG = "wrong"
    UNTOLD = "unknown"


class Untold(Exception):
    """A step cannot find out; the message says why."""


@dataclass(frozen=True)
class Finding:
    """What one step has found, for people."""

    step: str
    state: State
    text: str

    def __str__(self) -> str:
        first, *more = self.text.splitlines()
        head = f"{self.state.value:<8} {self.step:<12} {first}"
        return "\n".join([head, *(f"{'':<22}{line.strip()}" for line in more)])


def examined(step: str, look: Callable[[], str], is_own_right: bool = False) -> Finding:
    """Take one step. is_own_right: looking needs a right that no other command needs."""
    try:
        return Finding(step, State.RIGHT, look())
    except Untold as why:
        return Finding(step, State.UNTOLD, str(why))
    except NoPermission as error:
        state = State.UNTOLD if is_own_right else State.WRONG
        return Finding(step, state, error.message)
    except (NoLogin, Unreachable):
        raise
    except Failure as error:
        return Finding(step, State.WRONG, error.message)


class Account:
    """Who we are to Google, and what the project of these knobs lets us do."""

    def __init__(self, knobs: Knobs) -> None:
        self._knobs = knobs
        self._zone = {"project": knobs.project, "zone": knobs.zone}
        self._region = region_of(knobs.zone)

    def look(self) -> Iterator[Finding]:
        """Take all steps. Raises NoLogin and Unreachable: then nothing more can be found out."""
        yield examined("gcloud", self._gcloud)
        yield examined("project", self._project_answers)
        yield examined("zone", self._type_is_there, is_own_right=True)
        yield examined("quota", self._quotas_suffice, is_own_right=True)
        yield examined("VM", self._vm_suits)
        yield examined("permissions", self._may)
        if self._knobs.bucket:
            yield examined("bucket", self._bucket_works)

    @cached_property
    def vm(self) -> Any:
        """The VM as the API describes it; None if there is none."""
        instances = make_client(compute_v1.InstancesClient)
        return found(instances.get, **self._zone, instance=self._knobs.vm)

    def _gcloud(self) -> str:
        refuse_without_login()
        return "it is here, and logged in"

    @cached_property
    def _project(self) -> Any:
        project = found(make_client(compute_v1.ProjectsClient).get, project=self._knobs.project)
        if project is None:
            what = f"there is no project {self._knobs.project}"
            raise Failure(what, "gcloud projects list; then PROJECT in config.env")
        return project

    def _project_answers(self) -> str:
        return f"{self._project.name} answers us, and its Compute Engine API is on"

    @cached_property
    def _type(self) -> Any:
        types = make_client(compute_v1.MachineTypesClient)
        return found(types.get, **self._zone, machine_type=self._knobs.machine_type)

    def _type_is_there(self) -> str:
        if self._type is None:
            raise Failure(
                f"{self._knobs.zone} has no {self._knobs.machine_type}",
                "another ZONE or MACHINE_TYPE; in Seoul zones a and b have L4",
            )
        return f"{self._knobs.zone} has {self._knobs.machine_type}"

    def _quotas_suffice(self) -> str:
        if self._type is None:
            raise Untold("it depends on the machine type, which the zone does not have")
        if self.vm is not None and self.vm.status == "RUNNING":
            return "the VM is on: it has its GPU"
        regions = make_client(compute_v1.RegionsClient)
        region = found(regions.get, project=self._knobs.project, region=self._region)
        quotas = [*region.quotas, *self._project.quotas]
        known = {one.metric: (one.limit, one.usage) for one in quotas}
        return enough(known, needed(self._knobs, self._type.accelerators), self._region)

    def _vm_suits(self) -> str:
        if self.vm is not None:
            if self._knobs.bucket:
                reaches_storage(self._knobs, self.vm.service_accounts)
            return f"{self._knobs.vm} is {self.vm.status}"
        images = make_client(compute_v1.ImagesClient)
        family = self._knobs.image_family
        if found(images.get_from_family, project=IMAGE_PROJECT, family=family) is None:
            raise Failure(f"there is no image family {family}", "another IMAGE_FAMILY")
        return f"there is none yet; make create would make {self._knobs.vm}, of {family}"

    def _may(self) -> str:
        if self.vm is None:
            raise Untold("they are checked on the VM, and there is none yet")
        instances = make_client(compute_v1.InstancesClient)
        wish = compute_v1.TestPermissionsRequest(permissions=PERMISSIONS)
        given = found(
            instances.test_iam_permissions,
            **self._zone,
            resource=self._knobs.vm,
            test_permissions_request_resource=wish,
        )
        return allowed(given.permissions)

    def _bucket_works(self) -> str:
        from lib.machines.gcp.bucket import Bucket  # noqa: PLC0415 - its packages take their time

        bucket = Bucket(self._knobs.bucket)
        is_near(self._knobs.bucket, bucket.location(), self._region)
        name = f".dots-ocr/check-{uuid.uuid4().hex}"
        bucket.write_text(name, PROBE, is_new=True)
        try:
            read = bucket.read_text(name)
        finally:
            bucket.remove(name)
        if read != PROBE:
            raise Failure(
                f"{self._knobs.bucket} does not return what was written to it"
                f" ({len(read)} characters)"
            )
        return f"{self._knobs.bucket} is in {self._region}; we may write, read and delete in it"


def found(method: Callable[..., Any], **request: Any) -> Any:
    """Ask the API, and return its answer; None if there is no such thing."""

    def answer() -> Any:
        given = method(request=request)
        return refuse_nameless(given) if hasattr(given, "name") else given  # rights have no name

    try:
        return translated(lambda: asked_again(answer))
    except exceptions.NotFound:
        return None


def needed(knobs: Knobs, accelerators: Iterable[Any]) -> dict[str, int]:
    """The quotas that the VM and its workers take, and how much of each."""
    wanted: dict[str, int] = {}
    for one in accelerators:
        name = f"{one.guest_accelerator_type.upper().replace('-', '_')}_GPUS"
        own = f"PREEMPTIBLE_{name}" if knobs.spot else name
        for metric, machines in ((own, 1), (f"PREEMPTIBLE_{name}", knobs.workers)):
            if machines:
                count = machines * one.guest_accelerator_count
                wanted[metric] = wanted.get(metric, 0) + count
                wanted["GPUS_ALL_REGIONS"] = wanted.get("GPUS_ALL_REGIONS", 0) + count
    return wanted


def enough(known: Mapping[str, tuple[float, float]], wanted: dict[str, int], region: str) -> str:
    """Return what is free. Raises Failure if it is too little. known: (limit, usage) by quota."""
    told = []
    for name, count in wanted.items():
        if name not in known:
            continue  # Google does not count it here
        limit, usage = known[name]
        if limit - usage < count:
            raise Failure(
                f"{name}: {count} needed, {limit - usage:g} of {limit:g} free ({region})",
                f"ask for more at {QUOTA_PAGE}, or stop another VM",
            )
        told.append(f"{name}: {limit - usage:g} of {limit:g} free")
    if wanted and not told:
        raise Untold(f"{region} does not say its quota of {', '.join(wanted)}")
    return "; ".join(told) or "no GPU is asked for"


def reaches_storage(knobs: Knobs, accounts: Iterable[Any]) -> None:
    """Raise Failure if the VM could only read the bucket, whatever roles its accounts have."""
    scopes = {scope for one in accounts for scope in one.scopes}
    if not ENOUGH & scopes:
        account = next((f" --service-account={one.email}" for one in accounts), "")
        raise Failure(
            f"{knobs.vm} may not write to {knobs.bucket}: it lacks the scope devstorage.read_write",
            f"make stop; gcloud compute instances set-service-account {knobs.vm} --zone"
            f" {knobs.zone} --project {knobs.project}{account} --scopes=storage-rw",
        )


def allowed(given: Iterable[str]) -> str:
    """Raise Failure for permissions that are missing."""
    if missing := [name for name in PERMISSIONS if name not in {*given}]:
        raise Failure(
            f"missing on the VM: {', '.join(missing)}",
            "ask for the role; docs/permissions.md lists those that are needed",
        )
    return f"we may {', '.join(name.rpartition('.')[2] for name in PERMISSIONS)} it"


def is_near(url: str, location: str, region: str) -> None:
    """Raise Failure for a bucket in another place: then what travels to the VM is billed."""
    if location.lower() != region:
        raise Failure(
            f"{url} is in {location.lower()}, and the VM in {region}: traffic is billed",
            f"gcloud storage buckets create gs://NAME --location={region}; then BUCKET",
        )
