"""Google's errors: what an operation ended with, and what a refusal says."""

from typing import Any

from lib.console import Away, Failure

STOCK_OUT = "ZONE_RESOURCE_POOL_EXHAUSTED"  # a prefix: there is a form _WITH_DETAILS
QUOTA_PAGE = "https://console.cloud.google.com/iam-admin/quotas"
QUOTA = ("QUOTA_EXCEEDED", "quotaExceeded")
API_IS_OFF = ("accessNotConfigured", "SERVICE_DISABLED")
TOO_MANY_CALLS = ("rateLimitExceeded", "userRateLimitExceeded")


class StockOut(Exception):
    """The zone has no such machine to give now; zones names those that have, if Google says."""

    def __init__(self, message: str, zones: str) -> None:
        super().__init__(message)
        self.zones = zones


class Unreachable(Away):
    """Google does not answer; our own network may be down."""


class NoPermission(Failure):
    """We may not do this."""


class TooSlow(Failure):
    """An operation has not ended in its time; it goes on."""


def fault_of(operation: Any) -> Exception | None:
    """The error of an operation that is done: StockOut, Failure, or None if it went well."""
    errors = list(operation.error.errors)
    if not errors:
        return None
    for error in errors:
        if error.code.startswith(STOCK_OUT):
            zones = [
                detail.error_info.metadatas.get("zonesAvailable", "")
                for detail in error.error_details
            ]
            return StockOut(error.message, next(filter(None, zones), ""))
        if error.code.startswith(QUOTA):
            return quota_failure(error.message)
    return Failure("; ".join(f"{error.code}: {error.message}" for error in errors), "make status")


def quota_failure(message: str) -> Failure:
    """Return the error for: the project may not have that many."""
    return Failure(
        f"quota: {message}",
        f"ask for more at {QUOTA_PAGE}, or stop another VM",
    )


def words_of(error: Any) -> str:
    """Return what Google says, without the address that we asked."""
    entries = [entry for entry in getattr(error, "errors", []) if isinstance(entry, dict)]
    return next((str(entry["message"]) for entry in entries if "message" in entry), error.message)
