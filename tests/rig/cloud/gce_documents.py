"""The resources of Compute Engine as JSON documents, and what the rig's catalogue holds."""

from __future__ import annotations

import base64
import hashlib
import json
import re
import time
import uuid
from typing import Any

Document = dict[str, Any]

MACHINE_TYPES = {  # name: virtual CPUs, memory in MiB
    "g2-standard-4": (4, 16384),
    "g2-standard-8": (8, 32768),
    "g2-standard-12": (12, 49152),
    "e2-small": (2, 2048),
    "n1-standard-4": (4, 15360),
}
ZONES_WITHOUT_L4 = ("asia-northeast3-c",)
IMAGES = {  # project, family: name
    ("deeplearning-platform-release", "common-cu129-ubuntu-2404-nvidia-580"): (
        "common-cu129-ubuntu-2404-nvidia-580-v20261101"
    ),
    ("debian-cloud", "debian-12"): "debian-12-bookworm-v20261110",
    ("ubuntu-os-cloud", "ubuntu-2404-lts-amd64"): "ubuntu-2404-noble-amd64-v20261112",
}
IMAGE_SIZE_GB = 50


def now() -> str:
    """This moment in Google's format."""
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime()) + ".000-00:00"


def new_id() -> str:
    return str(uuid.uuid4().int >> 65)  # Google's are unsigned, of 64 bits; all clients accept 63


def fingerprint(value: object) -> str:
    """A hash that changes when the value changes."""
    digest = hashlib.sha256(json.dumps(value, sort_keys=True).encode()).digest()
    return base64.b64encode(digest[:8]).decode()


def metadata(items: list[Document]) -> Document:
    return {"kind": "compute#metadata", "items": items, "fingerprint": fingerprint(items)}


def metadata_values(document: Document) -> dict[str, str]:
    """The items of a metadata document as a mapping."""
    return {item["key"]: item.get("value", "") for item in document.get("items", [])}


def last_part(link: str) -> str:
    return link.rstrip("/").rsplit("/", 1)[-1]


def project(base: str, name: str) -> Document:
    return {
        "kind": "compute#project",
        "id": new_id(),
        "name": name,
        "creationTimestamp": now(),
        "commonInstanceMetadata": metadata([]),
        "defaultServiceAccount": "123456789012-compute@developer.gserviceaccount.com",
        "defaultNetworkTier": "PREMIUM",
        "vmDnsSetting": "ZONAL_ONLY",
        "xpnProjectStatus": "UNSPECIFIED_XPN_PROJECT_STATUS",
        "quotas": quotas_of({"SNAPSHOTS": 1000, "GPUS_ALL_REGIONS": 16}),
        "selfLink": f"{base}/projects/{name}",
    }


def quotas_of(limits: dict[str, float]) -> list[Document]:
    """Quotas that are all unused."""
    return [{"metric": name, "limit": limit, "usage": 0} for name, limit in limits.items()]


def zone(base: str, project_name: str, name: str) -> Document:
    region = f"{base}/projects/{project_name}/regions/{name.rsplit('-', 1)[0]}"
    return {
        "kind": "compute#zone",
        "id": "1",
        "name": name,
        "description": name,
        "status": "UP",
        "region": region,
        "selfLink": f"{base}/projects/{project_name}/zones/{name}",
    }


def machine_type(base: str, project_name: str, zone_name: str, name: str) -> Document | None:
    """A machine type of a zone; None if the zone does not have it."""
    if name not in MACHINE_TYPES or (name.startswith("g2-") and zone_name in ZONES_WITHOUT_L4):
        return None
    cpus, memory_mib = MACHINE_TYPES[name]
    document: Document = {
        "kind": "compute#machineType",
        "id": "1",
        "name": name,
        "guestCpus": cpus,
        "memoryMb": memory_mib,
        "zone": zone_name,
        "isSharedCpu": False,
        "architecture": "X86_64",
        "selfLink": f"{base}/projects/{project_name}/zones/{zone_name}/machineTypes/{name}",
    }
    if name.startswith("g2-"):
        gpu = {"guestAcceleratorType": "nvidia-l4", "guestAcceleratorCount": 1}
        document["accelerators"] = [gpu]
    return document


def image(base: str, project_name: str, *, name: str = "", family: str = "") -> Document | None:
    """An image; None if there is no such image or family."""
    for (owner, its_family), its_name in IMAGES.items():
        if owner == project_name and (its_name == name or its_family == family):
            return {
                "kind": "compute#image",
                "id": "1",
                "name": its_name,
                "family": its_family,
                "status": "READY",
                "diskSizeGb": str(IMAGE_SIZE_GB),
                "architecture": "X86_64",
                "selfLink": f"{base}/projects/{owner}/global/images/{its_name}",
            }
    return None


def disk(base: str, zone_path: str, name: str, size_gb: int, kind: str) -> Document:
    return {
        "kind": "compute#disk",
        "id": new_id(),
        "name": name,
        "creationTimestamp": now(),
        "sizeGb": str(size_gb),
        "status": "READY",
        "type": f"{base}/{zone_path}/diskTypes/{kind}",
        "zone": f"{base}/{zone_path}",
        "selfLink": f"{base}/{zone_path}/disks/{name}",
    }


def instance(base: str, zone_path: str, body: Document) -> Document:
    """Make a new instance from the body of an insert: PROVISIONING, without addresses yet."""
    name = body["name"]
    project_path = zone_path.split("/zones/", maxsplit=1)[0]
    scheduling = {
        "onHostMaintenance": "MIGRATE",
        "automaticRestart": True,
        "preemptible": False,
        "provisioningModel": "STANDARD",
        **body.get("scheduling", {}),
    }
    kept = ("guestAccelerators", "serviceAccounts", "description", "canIpForward")
    document: Document = {
        "kind": "compute#instance",
        "id": new_id(),
        "name": name,
        "creationTimestamp": now(),
        "status": "PROVISIONING",
        "zone": f"{base}/{zone_path}",
        "machineType": absolute(base, zone_path, body["machineType"]),
        "metadata": metadata(body.get("metadata", {}).get("items", [])),
        "labels": body.get("labels", {}),
        "labelFingerprint": fingerprint(body.get("labels", {})),
        "tags": {**body.get("tags", {}), "fingerprint": fingerprint(body.get("tags", {}))},
        "scheduling": scheduling,
        "cpuPlatform": "Intel Cascade Lake",
        "deletionProtection": body.get("deletionProtection", False),
        "fingerprint": fingerprint(name),
        "networkInterfaces": [],
        "selfLink": f"{base}/{zone_path}/instances/{name}",
        **{key: body[key] for key in kept if key in body},
    }
    for number, wanted in enumerate(body.get("networkInterfaces", [])):
        nic: Document = {
            "kind": "compute#networkInterface",
            "name": f"nic{number}",
            "stackType": "IPV4_ONLY",
            "fingerprint": fingerprint(number),
            "network": f"{base}/{project_path}/global/networks/default",
        }
        if wanted.get("accessConfigs"):  # without it the machine has no external address
            one = {"kind": "compute#accessConfig", "name": "external-nat"}
            nic["accessConfigs"] = [{**one, "type": "ONE_TO_ONE_NAT", "networkTier": "PREMIUM"}]
        document["networkInterfaces"].append(nic)
    return document


def absolute(base: str, zone_path: str, link: str) -> str:
    """Make a full link from `https://…`, `projects/…` or `zones/…`."""
    if link.startswith(("http://", "https://")):
        found = re.search(r"/projects/.*", link)
        return f"{base}{found[0]}" if found else link
    if link.startswith("zones/"):
        return f"{base}/{zone_path.split('/zones/', maxsplit=1)[0]}/{link}"
    return f"{base}/{link}" if link.startswith("projects/") else f"{base}/{zone_path}/{link}"


def matches(document: Document, expression: str) -> bool:
    """Whether a document passes a list's filter: `field = value` terms, joined by AND.

    The terms may be in brackets.
    """
    for term in re.split(r"\s+AND\s+|\)\s*\(", expression):
        found = re.fullmatch(r"\(*\s*([\w.]+)\s*(!=|=|:|eq|ne)\s*\"?([^\"()]*)\"?\s*\)*", term)
        if found is None:
            raise ValueError(f"the rig cannot read the filter {expression!r}")
        field, comparison, wanted = found.groups()
        value: Any = document
        for key in field.split("."):
            value = value.get(key, "") if isinstance(value, dict) else ""
        is_same = re.fullmatch(wanted, str(value)) is not None or str(value) == wanted
        if is_same is (comparison in ("!=", "ne")):
            return False
    return True
