"""The errors of Compute Engine, in its own words: at call time, and inside an operation."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

HTTP_PHRASES = {400: "BAD REQUEST", 403: "FORBIDDEN", 503: "SERVICE UNAVAILABLE"}


class Refusal(Exception):
    """The call itself gets an HTTP error as its answer."""

    def __init__(self, status: int, reason: str, message: str) -> None:
        super().__init__(message)
        self.status, self.reason, self.message = status, reason, message

    def body(self) -> dict[str, Any]:
        """The JSON that Google sends with it."""
        one = {"message": self.message, "domain": "global", "reason": self.reason}
        error = {"code": self.status, "message": self.message, "errors": [one]}
        return {"error": error}


class OfAnother(Refusal):
    """The answer is not from Google: a portal wants a login, or a proxy refuses."""

    def __init__(self, status: int, text: str) -> None:
        super().__init__(status, "", text)

    def body(self) -> Any:
        """The text, unchanged."""
        return self.message.encode()


@dataclass(frozen=True)
class OperationError:
    """The call was accepted, and its operation ends with an error."""

    code: str
    message: str
    http_status: int = 503
    details: list[dict[str, Any]] = field(default_factory=list)

    def fields(self) -> dict[str, Any]:
        """The fields that only a failed operation has."""
        one = {"code": self.code, "message": self.message}
        return {
            "error": {"errors": [{**one, "errorDetails": self.details} if self.details else one]},
            "httpErrorStatusCode": self.http_status,
            "httpErrorMessage": HTTP_PHRASES[self.http_status],
        }


def not_found(resource: str) -> Refusal:
    return Refusal(404, "notFound", f"The resource '{resource}' was not found")


def already_exists(resource: str) -> Refusal:
    return Refusal(409, "alreadyExists", f"The resource '{resource}' already exists")


def not_ready(resource: str) -> Refusal:
    return Refusal(400, "resourceNotReady", f"The resource '{resource}' is not ready")


def stale_fingerprint() -> Refusal:
    text = "Supplied fingerprint does not match current metadata fingerprint."
    return Refusal(412, "conditionNotMet", text)


def unauthenticated() -> Refusal:
    text = (
        "Request had invalid authentication credentials. Expected OAuth 2 access token, "
        "login cookie or other valid authentication credential."
    )
    return Refusal(401, "authError", text)


def permission_denied(permission: str, resource: str) -> Refusal:
    return Refusal(403, "forbidden", f"Required '{permission}' permission for '{resource}'")


def quota_refusal(metric: str = "GPUS_ALL_REGIONS", limit: float = 0.0) -> Refusal:
    """A quota error before an operation is made."""
    text = f"Quota '{metric}' exceeded.  Limit: {limit} globally."
    return Refusal(403, "quotaExceeded", text)


def quota_error(
    metric: str = "NVIDIA_L4_GPUS", limit: float = 0.0, region: str = "asia-northeast3"
) -> OperationError:
    """A quota error while the operation runs."""
    info = {
        "metricName": f"compute.googleapis.com/{metric.lower()}",
        "limitName": f"{metric}-per-project-region",
        "dimensions": {"region": region},
        "limit": limit,
    }
    text = f"Quota '{metric}' exceeded.  Limit: {limit} in region {region}."
    return OperationError("QUOTA_EXCEEDED", text, 403, [{"quotaInfo": info}])


def stockout(
    code: str, zone_path: str, machine_type: str, zones_available: Sequence[str] = ()
) -> OperationError:
    """No such machine is free in the zone. The `_WITH_DETAILS` code names it, and other zones."""
    zone = zone_path.rsplit("/", 1)[-1]
    if not code.endswith("_WITH_DETAILS"):
        text = (
            f"The zone '{zone_path}' does not have enough resources available to fulfill the "
            "request.  Try a different zone, or try again later."
        )
        return OperationError(code, text)
    metadata = {"vmType": machine_type, "attachment": "nvidia-l4=1", "zone": zone}
    if zones_available:
        metadata["zonesAvailable"] = ",".join(zones_available)
    elsewhere = (
        f" Consider trying your request in the {metadata['zonesAvailable']} zone(s),"
        if (zones_available)
        else " Try a different zone,"
    )
    text = (
        f"A {machine_type} VM instance with 1 nvidia-l4 accelerator(s) is currently unavailable "
        f"in the {zone} zone.{elsewhere} or try again later."
    )
    info = {
        "reason": "resource_availability",
        "domain": "compute.googleapis.com",
        "metadatas": metadata,
    }
    link = {"description": "Troubleshooting documentation", "url": "https://cloud.google.com"}
    return OperationError(code, text, 503, [{"help": {"links": [link]}}, {"errorInfo": info}])
