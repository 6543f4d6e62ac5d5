"""The calls about everything but instances: operations, project, zones, images, disks."""

from __future__ import annotations

from rig.cloud import gce_documents as documents
from rig.cloud.gce_documents import Document, last_part
from rig.cloud.gce_errors import already_exists, not_found
from rig.cloud.gce_http import Request
from rig.cloud.gce_routes import (
    INSTANCE,
    PROJECT,
    SCOPE,
    ZONE,
    Routes,
    find_image,
    listing,
    replace_metadata,
    route,
)


@route("GET", rf"{SCOPE}/operations/(?P<name>[^/]+)")
def get_operation(it: Routes, request: Request, at: dict[str, str]) -> Document:
    return it.operations.get(at["name"])


@route("POST", rf"{SCOPE}/operations/(?P<name>[^/]+)/wait")
def wait_operation(it: Routes, request: Request, at: dict[str, str]) -> Document:
    return it.operations.wait(at["name"])


@route("GET", rf"{SCOPE}/operations")
def list_operations(it: Routes, request: Request, at: dict[str, str]) -> Document:
    return listing(request, "operation", it.operations.list(at["scope"]))


@route("GET", PROJECT)
def get_project(it: Routes, request: Request, at: dict[str, str]) -> Document:
    return it.instances.project(last_part(at["project"]))


@route("POST", rf"{PROJECT}/setCommonInstanceMetadata")
def set_common_metadata(it: Routes, request: Request, at: dict[str, str]) -> Document:
    project = it.instances.project(last_part(at["project"]))
    replace_metadata(project, "commonInstanceMetadata", request)
    kind = "compute.projects.setCommonInstanceMetadata"
    scope = f"{at['project']}/global"
    return it.submit(request, scope, kind, at["project"], it.instances.apply_keys)


@route("POST", rf"{INSTANCE}/testIamPermissions")
def granted(it: Routes, request: Request, at: dict[str, str]) -> Document:
    it.instances.get(at["path"])
    asked, permitted = request.call.body.get("permissions", []), it.instances.permitted
    return {"permissions": [one for one in asked if permitted is None or one in permitted]}


@route("GET", ZONE)
def get_zone(it: Routes, request: Request, at: dict[str, str]) -> Document:
    _, project, _, zone = at["zone"].split("/")
    return documents.zone(it.base, project, zone)


@route("GET", rf"{ZONE}/machineTypes/(?P<name>[^/]+)")
def get_machine_type(it: Routes, request: Request, at: dict[str, str]) -> Document:
    _, project, _, zone = at["zone"].split("/")
    if found := documents.machine_type(it.base, project, zone, at["name"]):
        return found
    raise not_found(f"{at['zone']}/machineTypes/{at['name']}")


@route("GET", rf"(?P<link>{PROJECT}/global/images/(?:family/)?[^/]+)")
def get_image(it: Routes, request: Request, at: dict[str, str]) -> Document:
    return find_image(it, at["link"])


@route("GET", rf"(?P<path>{ZONE}/disks/[^/]+)")
def get_disk(it: Routes, request: Request, at: dict[str, str]) -> Document:
    if at["path"] not in it.instances.disks:
        raise not_found(at["path"])
    return it.instances.disks[at["path"]]


@route("GET", rf"{ZONE}/disks")
def list_disks(it: Routes, request: Request, at: dict[str, str]) -> Document:
    home = f"{at['zone']}/disks/"
    mine = [disk for path, disk in it.instances.disks.items() if path.startswith(home)]
    return listing(request, "disk", mine)


@route("POST", rf"{ZONE}/disks")
def insert_disk(it: Routes, request: Request, at: dict[str, str]) -> Document:
    body = request.call.body
    path = f"{at['zone']}/disks/{body['name']}"
    if path in it.instances.disks:
        raise already_exists(path)
    kind, size_gb = last_part(body.get("type", "pd-standard")), int(body.get("sizeGb", 10))
    it.instances.disks[path] = documents.disk(it.base, at["zone"], body["name"], size_gb, kind)
    return it.submit(request, at["zone"], "insert", path, lambda: None)


@route("DELETE", rf"(?P<path>{ZONE}/disks/[^/]+)")
def delete_disk(it: Routes, request: Request, at: dict[str, str]) -> Document:
    if it.instances.disks.pop(at["path"], None) is None:
        raise not_found(at["path"])
    return it.submit(request, at["zone"], "delete", at["path"], lambda: None)
