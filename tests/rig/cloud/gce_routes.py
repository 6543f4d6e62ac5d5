"""Which call does what: the REST paths of Compute Engine v1 that the project and gcloud use."""

from __future__ import annotations

import re
import uuid
from collections.abc import Callable
from typing import Any

from rig.cloud import gce_documents as documents
from rig.cloud.gce_documents import Document, last_part, metadata
from rig.cloud.gce_errors import (
    Refusal,
    already_exists,
    not_found,
    not_ready,
    stale_fingerprint,
)
from rig.cloud.gce_groups import Groups
from rig.cloud.gce_http import Request
from rig.cloud.gce_instances import Instances
from rig.cloud.gce_operations import Operations, Scope, Work

Handler = Callable[["Routes", Request, dict[str, str]], Any]
_ROUTES: list[tuple[str, re.Pattern[str], Handler]] = []

PROJECT = r"(?P<project>projects/[^/]+)"
ZONE = r"(?P<zone>projects/[^/]+/zones/[^/]+)"
INSTANCE = rf"(?P<path>{ZONE}/instances/(?P<name>[^/]+))"
SCOPE = r"(?P<scope>projects/[^/]+/(?:zones/[^/]+|regions/[^/]+|global))"
RUN_DURATION_S = (30, 120 * 24 * 3600)  # Google's bounds for maxRunDuration


def route(method: str, pattern: str) -> Callable[[Handler], Handler]:
    def add(handler: Handler) -> Handler:
        _ROUTES.append((method, re.compile(f"/compute/v1/{pattern}"), handler))
        return handler

    return add


class Routes:
    """Finds the handler of a request, and gives it the state that it needs."""

    def __init__(self, instances: Instances, groups: Groups, operations: Operations) -> None:
        self.instances, self.groups, self.operations = instances, groups, operations

    @property
    def base(self) -> str:
        return self.instances.base

    def answer(self, request: Request) -> Any:
        for method, pattern, handler in _ROUTES:
            found = pattern.fullmatch(request.call.path)
            if method == request.call.method and found:
                return handler(self, request, found.groupdict())
        raise Refusal(404, "notFound", f"the rig has no {request.call.method} {request.call.path}")

    def submit(self, request: Request, scope: str, kind: str, path: str, work: Work) -> Document:
        """Submit an operation, only once per request id."""
        request_id = request.query.get("requestId")
        if request_id is not None:
            check_request_id(request_id)
        target = f"{self.base}/{path}"
        return self.operations.submit(Scope(self.base, scope), kind, target, work, request_id)


def check_request_id(text: str) -> None:
    try:
        is_good = uuid.UUID(text).int != 0
    except ValueError:
        is_good = False
    if not is_good:
        raise invalid("requestId", text, "must be a valid UUID and not zero")


def invalid(field: str, value: object, why: str) -> Refusal:
    return Refusal(400, "invalid", f"Invalid value for field '{field}': '{value}'. {why}")


def listing(request: Request, kind: str, items: list[Document]) -> Document:
    if expression := request.query.get("filter"):
        items = [item for item in items if documents.matches(item, expression)]
    return {"kind": f"compute#{kind}List", "id": request.call.path, "items": items}


# --- instances -----------------------------------------------------------------------------


@route("GET", INSTANCE)
def get_instance(it: Routes, request: Request, at: dict[str, str]) -> Document:
    return it.instances.get(at["path"])


@route("GET", rf"{ZONE}/instances")
def list_instances(it: Routes, request: Request, at: dict[str, str]) -> Document:
    home = f"/{at['zone']}/instances/"
    mine = [one for one in it.instances.all() if home in one["selfLink"]]
    return listing(request, "instance", mine)


@route("GET", rf"{PROJECT}/aggregated/instances")
def aggregated_instances(it: Routes, request: Request, at: dict[str, str]) -> Document:
    mine = [one for one in it.instances.all() if f"/{at['project']}/zones/" in one["selfLink"]]
    zones: dict[str, Document] = {}
    for one in listing(request, "instance", mine)["items"]:
        key = f"zones/{last_part(one['zone'])}"
        zones.setdefault(key, {"instances": []})["instances"].append(one)
    return {"kind": "compute#instanceAggregatedList", "id": request.call.path, "items": zones}


@route("POST", rf"{ZONE}/instances")
def insert(it: Routes, request: Request, at: dict[str, str]) -> Document:
    zone, body = at["zone"], request.call.body
    request_id = request.query.get("requestId")
    path = f"{zone}/instances/{body.get('name')}"
    check_instance(it, zone, body)
    if path in {one["selfLink"].split("/compute/v1/")[1] for one in it.instances.all()}:
        target = f"{it.base}/{path}"
        if request_id and (earlier := it.operations.earlier(request_id, "insert", target)):
            return earlier
        raise already_exists(path)
    instance = documents.instance(it.base, zone, body)
    instance["disks"] = [attach_disk(it, zone, body, wanted) for wanted in body["disks"]]
    it.instances.add(path, instance)
    return it.submit(request, zone, "insert", path, lambda: it.instances.insert_work(path))


def check_instance(it: Routes, zone: str, body: Document) -> None:
    """Refuse what Compute Engine refuses before it makes an operation."""
    project, zone_name = zone.split("/")[1], last_part(zone)
    if not re.fullmatch(r"[a-z]([-a-z0-9]{0,61}[a-z0-9])?", str(body.get("name", ""))):
        raise invalid("resource.name", body.get("name"), "Must be a match of regex")
    kind = last_part(str(body.get("machineType", "")))
    if documents.machine_type(it.base, project, zone_name, kind) is None:
        why = "The referenced resource does not exist."
        raise invalid("resource.machineType", body.get("machineType"), why)
    scheduling = body.get("scheduling", {})
    has_gpu = kind.startswith("g2-") or bool(body.get("guestAccelerators"))
    if has_gpu and scheduling.get("onHostMaintenance") != "TERMINATE":
        why = "Instances with guest accelerators do not support live migration."
        raise invalid("resource.scheduling.onHostMaintenance", "MIGRATE", why)
    check_run_duration(scheduling)
    if not body.get("disks") or not body.get("networkInterfaces"):
        raise invalid("resource.disks", "", "A boot disk and a network interface are needed.")


def check_run_duration(scheduling: Document) -> None:
    duration = scheduling.get("maxRunDuration")
    if duration is None:
        return
    seconds, (least, most) = int(duration.get("seconds", 0)), RUN_DURATION_S
    if not least <= seconds <= most:
        raise invalid("scheduling.maxRunDuration", seconds, f"Must be in [{least}, {most}].")


def attach_disk(it: Routes, zone: str, body: Document, wanted: Document) -> Document:
    """The disk as the instance shows it; with `initializeParams`, a new disk from an image."""
    wish = wanted.get("initializeParams")
    if wish is None:
        path = documents.absolute(it.base, zone, wanted["source"]).split("/compute/v1/")[1]
        if path not in it.instances.disks:
            raise not_found(path)
    else:
        size_gb = int(wish.get("diskSizeGb") or find_image(it, wish["sourceImage"])["diskSizeGb"])
        name = wish.get("diskName") or body["name"]
        path = f"{zone}/disks/{name}"
        kind = last_part(wish.get("diskType", "pd-standard"))
        it.instances.disks[path] = documents.disk(it.base, zone, name, size_gb, kind)
        it.instances.disks[path]["sourceImage"] = find_image(it, wish["sourceImage"])["selfLink"]
    shown: Document = {"kind": "compute#attachedDisk", "type": "PERSISTENT", "mode": "READ_WRITE"}
    kept: Document = {
        key: wanted[key] for key in ("boot", "autoDelete", "deviceName") if key in wanted
    }
    size = it.instances.disks[path]["sizeGb"]
    return {**shown, **kept, "source": f"{it.base}/{path}", "diskSizeGb": size, "index": 0}


def find_image(it: Routes, link: str) -> Document:
    found = re.search(r"projects/([^/]+)/global/images/(family/)?([^/]+)$", link)
    if found:
        project, is_family, name = found.groups()
        key = {"family": name} if is_family else {"name": name}
        if image := documents.image(it.base, project, **key):
            return image
    raise not_found(link)


@route("POST", rf"{INSTANCE}/start")
def start(it: Routes, request: Request, at: dict[str, str]) -> Document:
    path = at["path"]
    if it.instances.get(path)["status"] not in ("TERMINATED", "STOPPED", *UP):
        raise not_ready(path)
    return it.submit(request, at["zone"], "start", path, lambda: it.instances.start_work(path))


UP = ("PROVISIONING", "STAGING", "RUNNING")


@route("POST", rf"{INSTANCE}/resume")
def resume(it: Routes, request: Request, at: dict[str, str]) -> Document:
    path = at["path"]
    if it.instances.get(path)["status"] not in ("SUSPENDED", *UP):
        raise not_ready(path)
    return it.submit(request, at["zone"], "resume", path, lambda: it.instances.start_work(path))


@route("POST", rf"{INSTANCE}/(?P<verb>stop|suspend|reset)")
def change_power(it: Routes, request: Request, at: dict[str, str]) -> Document:
    path, verb = at["path"], at["verb"]
    status = it.instances.get(path)["status"]
    if verb != "stop" and status != "RUNNING":
        raise not_ready(path)
    work = getattr(it.instances, f"{verb}_work")
    return it.submit(request, at["zone"], verb, path, lambda: work(path))


@route("DELETE", INSTANCE)
def delete(it: Routes, request: Request, at: dict[str, str]) -> Document:
    path = at["path"]
    if it.instances.get(path)["deletionProtection"]:
        why = f"Invalid resource usage: 'Resource cannot be deleted if it's protected: {path}'."
        raise Refusal(412, "conditionNotMet", why)
    return it.submit(request, at["zone"], "delete", path, lambda: it.instances.delete_work(path))


@route("POST", rf"{INSTANCE}/setMetadata")
def set_metadata(it: Routes, request: Request, at: dict[str, str]) -> Document:
    instance = it.instances.get(at["path"])
    replace_metadata(instance, "metadata", request)
    return it.submit(request, at["zone"], "setMetadata", at["path"], it.instances.apply_keys)


def replace_metadata(owner: Document, key: str, request: Request) -> None:
    if request.call.body.get("fingerprint") != owner[key]["fingerprint"]:
        raise stale_fingerprint()
    owner[key] = metadata(request.call.body.get("items", []))


@route("POST", rf"{INSTANCE}/setScheduling")
def set_scheduling(it: Routes, request: Request, at: dict[str, str]) -> Document:
    instance, wanted = it.instances.get(at["path"]), request.call.body
    frozen = ("maxRunDuration", "instanceTerminationAction", "provisioningModel")
    current = instance["scheduling"]
    is_frozen = any(key in wanted and wanted[key] != current.get(key) for key in frozen)
    if is_frozen and instance["status"] != "TERMINATED":
        why = f"Instance '{at['name']}' must be in TERMINATED state to change {', '.join(frozen)}."
        raise Refusal(400, "invalidUsage", why)
    check_run_duration(wanted)
    current.update(wanted)
    return it.submit(request, at["zone"], "setScheduling", at["path"], lambda: None)


@route("GET", rf"{INSTANCE}/getGuestAttributes")
def guest_attributes(it: Routes, request: Request, at: dict[str, str]) -> Document:
    raise not_found(f"{at['path']}/guestAttributes")


@route("GET", rf"{INSTANCE}/serialPort")
def serial_port(it: Routes, request: Request, at: dict[str, str]) -> Document:
    it.instances.get(at["path"])
    machine = it.instances.machine(at["path"])
    text = machine.console() if machine else ""
    begin = int(request.query.get("start", 0))
    return {
        "kind": "compute#serialPortOutput",
        "contents": text[begin:],
        "start": str(begin),
        "next": str(len(text)),
    }
