"""The calls about instance templates and managed instance groups of a region."""

from __future__ import annotations

import re

from rig.cloud import gce_documents as documents
from rig.cloud.gce_documents import Document, fingerprint, last_part, new_id, now
from rig.cloud.gce_errors import Refusal, already_exists, not_found
from rig.cloud.gce_http import Request
from rig.cloud.gce_operations import Work
from rig.cloud.gce_routes import PROJECT, Routes, check_run_duration, invalid, listing, route

REGION = rf"(?P<region>{PROJECT}/regions/[^/]+)"
TEMPLATES, GROUPS = f"{REGION}/instanceTemplates", f"{REGION}/instanceGroupManagers"
TEMPLATE = rf"(?P<path>{TEMPLATES}/(?P<name>[^/]+))"
GROUP = rf"(?P<path>{GROUPS}/(?P<name>[^/]+))"
NAME = re.compile(r"[a-z]([-a-z0-9]{0,61}[a-z0-9])?")
LONGEST_BASE = 58
ZONES = ("a", "b", "c")


def in_use(what: str, user: str) -> Refusal:
    text = f"The instance_template resource '{what}' is already being used by '{user}'"
    return Refusal(400, "resourceInUseByAnotherResource", text)


def submit(it: Routes, request: Request, at: dict[str, str], kind: str, work: Work) -> Document:
    path = at.get("path") or f"{at['region']}/{request.call.body['name']}"
    return it.submit(request, at["region"], kind, path, work)


def nothing() -> None:
    """Nothing is left to do: the work was done when the call was answered."""


@route("GET", REGION)
def get_region(it: Routes, request: Request, at: dict[str, str]) -> Document:
    name, base = last_part(at["region"]), f"{it.base}/{at['project']}"
    zones = [f"{base}/zones/{name}-{letter}" for letter in ZONES]
    shown = {"kind": "compute#region", "id": "1", "name": name, "status": "UP", "zones": zones}
    quotas = documents.quotas_of(it.instances.quotas)
    return {**shown, "quotas": quotas, "selfLink": f"{it.base}/{at['region']}"}


# --- templates ------------------------------------------------------------------------------


@route("GET", TEMPLATE)
def get_template(it: Routes, request: Request, at: dict[str, str]) -> Document:
    if at["path"] not in it.groups.templates:
        raise not_found(at["path"])
    return it.groups.templates[at["path"]]


@route("GET", TEMPLATES)
def list_templates(it: Routes, request: Request, at: dict[str, str]) -> Document:
    home = f"{at['region']}/instanceTemplates/"
    mine = [one for path, one in it.groups.templates.items() if path.startswith(home)]
    return listing(request, "instanceTemplate", mine)


@route("POST", TEMPLATES)
def insert_template(it: Routes, request: Request, at: dict[str, str]) -> Document:
    body = request.call.body
    path = f"{at['region']}/instanceTemplates/{body.get('name')}"
    check_name("resource.name", body.get("name"))
    if path in it.groups.templates:
        raise already_exists(path)
    properties = body["properties"]
    kind = str(properties.get("machineType", ""))
    if kind not in documents.MACHINE_TYPES:  # a name without a zone, since a template has no zone
        raise invalid("resource.properties.machineType", kind, "Must be a machine type's name.")
    scheduling = properties.get("scheduling", {})
    if kind.startswith("g2-") and scheduling.get("onHostMaintenance") != "TERMINATE":
        why = "Instances with guest accelerators do not support live migration."
        raise Refusal(400, "badRequest", why)
    if scheduling.get("provisioningModel") == "SPOT" and scheduling.get("automaticRestart"):
        why = "Scheduling.automaticRestart must be false for Spot VMs."
        raise Refusal(400, "invalid", why)
    check_run_duration(scheduling)
    it.groups.templates[path] = {
        "kind": "compute#instanceTemplate",
        "id": new_id(),
        "name": body["name"],
        "description": body.get("description", ""),
        "creationTimestamp": now(),
        "properties": properties,
        "region": f"{it.base}/{at['region']}",
        "selfLink": f"{it.base}/{path}",
    }
    return it.submit(request, at["region"], "insert", path, nothing)


@route("DELETE", TEMPLATE)
def delete_template(it: Routes, request: Request, at: dict[str, str]) -> Document:
    get_template(it, request, at)
    if users := it.groups.users_of(at["path"]):
        raise in_use(at["path"], users[0])
    del it.groups.templates[at["path"]]
    return submit(it, request, at, "delete", nothing)


def check_name(field: str, name: object, longest: int = 63) -> None:
    if not NAME.fullmatch(str(name)) or len(str(name)) > longest:
        raise invalid(field, name, "Must be a match of regex '[a-z]([-a-z0-9]{0,61}[a-z0-9])?'")


# --- groups ---------------------------------------------------------------------------------


@route("GET", GROUP)
def get_group(it: Routes, request: Request, at: dict[str, str]) -> Document:
    group = it.groups.get(at["path"])
    actions = [member.action for member in it.groups.members(at["path"])]
    counts = {
        name.lower(): actions.count(name) for name in ("NONE", "CREATING", "DELETING", "RECREATING")
    }
    stable = not counts["creating"] and not counts["deleting"]
    return {**group, "currentActions": counts, "status": {"isStable": stable}}


@route("GET", GROUPS)
def list_groups(it: Routes, request: Request, at: dict[str, str]) -> Document:
    home = f"{at['region']}/instanceGroupManagers/"
    mine = [one for path, one in it.groups.all().items() if path.startswith(home)]
    return listing(request, "regionInstanceGroupManager", mine)


@route("POST", GROUPS)
def insert_group(it: Routes, request: Request, at: dict[str, str]) -> Document:
    body = request.call.body
    path = f"{at['region']}/instanceGroupManagers/{body.get('name')}"
    check_name("resource.name", body.get("name"))
    base_name = body.get("baseInstanceName", body["name"])
    check_name("resource.baseInstanceName", base_name, LONGEST_BASE)
    if path in it.groups.all():
        raise already_exists(path)
    policy, update = body.get("distributionPolicy", {}), body.get("updatePolicy", {})
    shape = policy.get("targetShape", "EVEN")
    if shape != "EVEN" and update.get("instanceRedistributionType") != "NONE":
        why = "Instance redistribution must be NONE for this target shape."
        raise invalid("resource.distributionPolicy.targetShape", shape, why)
    region = last_part(at["region"])
    known = [f"{it.base}/{at['project']}/zones/{region}-{letter}" for letter in ZONES]
    zones = [documents.absolute(it.base, "", one["zone"]) for one in policy.get("zones", [])]
    if odd := [zone for zone in zones if zone not in known]:
        raise invalid("resource.distributionPolicy.zones", odd[0], f"It is not in {region}.")
    group: Document = {
        "kind": "compute#instanceGroupManager",
        "id": new_id(),
        "name": body["name"],
        "creationTimestamp": now(),
        "description": body.get("description", ""),
        "baseInstanceName": base_name,
        "region": f"{it.base}/{at['region']}",
        "instanceGroup": f"{it.base}/{at['region']}/instanceGroups/{body['name']}",
        "distributionPolicy": {
            "targetShape": shape,
            "zones": [{"zone": zone} for zone in zones or known],
        },
        "updatePolicy": {"type": "OPPORTUNISTIC", **update},
        "targetSize": int(body.get("targetSize", 0)),
        "selfLink": f"{it.base}/{path}",
        "fingerprint": fingerprint(body),
    }
    set_template(it, group, body["instanceTemplate"])
    it.groups.add(path, group)
    return it.submit(request, at["region"], "insert", path, it.groups.advance)


def set_template(it: Routes, group: Document, link: str) -> None:
    whole = documents.absolute(it.base, "", link)
    path = whole.split("/compute/v1/")[-1]
    if path not in it.groups.templates:
        raise not_found(path)
    group["instanceTemplate"] = whole
    group["versions"] = [{"instanceTemplate": whole, "targetSize": {}}]


@route("PATCH", GROUP)
def patch_group(it: Routes, request: Request, at: dict[str, str]) -> Document:
    group, body = it.groups.get(at["path"]), request.call.body
    if "zones" in body.get("distributionPolicy", {}):
        why = "Zones of a group cannot be changed."
        raise invalid("resource.distributionPolicy.zones", "", why)
    if link := body.get("instanceTemplate"):
        set_template(it, group, link)
    if "targetSize" in body:
        group["targetSize"] = int(body["targetSize"])
    return submit(it, request, at, "patch", it.groups.advance)


@route("POST", rf"{GROUP}/setInstanceTemplate")
def set_instance_template(it: Routes, request: Request, at: dict[str, str]) -> Document:
    set_template(it, it.groups.get(at["path"]), request.call.body["instanceTemplate"])
    kind = "compute.instanceGroupManagers.setInstanceTemplate"
    return submit(it, request, at, kind, nothing)


@route("POST", rf"{GROUP}/resize")
def resize(it: Routes, request: Request, at: dict[str, str]) -> Document:
    size = int(request.query["size"])
    if size < 0:
        raise invalid("size", size, "Must be greater than or equal to 0")
    it.groups.get(at["path"])["targetSize"] = size
    kind = "compute.instanceGroupManagers.resize"
    return submit(it, request, at, kind, it.groups.advance)


@route("DELETE", GROUP)
def delete_group(it: Routes, request: Request, at: dict[str, str]) -> Document:
    path = at["path"]
    it.groups.get(path)
    return submit(it, request, at, "delete", lambda: it.groups.delete_work(path))


@route("POST", rf"{GROUP}/listManagedInstances")
def list_managed_instances(it: Routes, request: Request, at: dict[str, str]) -> Document:
    it.groups.get(at["path"])
    return {"managedInstances": it.groups.shown(at["path"])}


@route("GET", rf"{GROUP}/listErrors")
def list_errors(it: Routes, request: Request, at: dict[str, str]) -> Document:
    return {"items": it.groups.errors(at["path"])}


@route("POST", rf"{GROUP}/deleteInstances")
def delete_instances(it: Routes, request: Request, at: dict[str, str]) -> Document:
    path, links = at["path"], request.call.body["instances"]
    names = [member.name for member in it.groups.members(path)]
    if odd := [link for link in links if last_part(link) not in names]:
        why = f"Instance is not a member of '{path}'."
        raise invalid("instances", last_part(odd[0]), why)
    kind = "compute.instanceGroupManagers.deleteInstances"
    return submit(it, request, at, kind, lambda: it.groups.leave(path, links))
