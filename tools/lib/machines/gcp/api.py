"""Calls to Compute Engine: a lost answer is asked for again, and an error says what to do next."""

import time
import uuid
from collections.abc import Callable, Mapping
from typing import Any

import google.auth.exceptions
import requests
from google.api_core import exceptions
from google.cloud import compute_v1

from lib.console import Failure
from lib.machines.gcp.credentials import api_endpoint, find_credentials, no_credentials
from lib.machines.gcp.faults import (
    QUOTA,
    NoPermission,
    TooSlow,
    Unreachable,
    fault_of,
    quota_failure,
    words_of,
)

LOST_ANSWER_PAUSES_S = (1.0, 2.0, 4.0)


def make_client(kind: Callable[..., Any]) -> Any:
    """A client of this kind, with our credentials, for Google's API or another server's."""
    options = {"api_endpoint": endpoint} if (endpoint := api_endpoint()) else {}
    return kind(credentials=find_credentials(), client_options=options)


def asked_again(request: Callable[[], Any]) -> Any:
    """The answer to a request that may be sent twice; a lost answer is asked for again."""
    for pause_s in LOST_ANSWER_PAUSES_S:
        try:
            return request()
        except (requests.RequestException, exceptions.ServerError):
            time.sleep(pause_s)
    return request()


def translated(request: Callable[[], Any]) -> Any:
    """The answer to a request; an error becomes a Failure.

    NotFound and PreconditionFailed stay: some callers can do something about them.
    """
    try:
        return request()
    except exceptions.Forbidden as error:
        if any(entry.get("reason") in QUOTA for entry in error.errors if isinstance(entry, dict)):
            raise quota_failure(words_of(error)) from error
        raise NoPermission(
            f"no permission: {words_of(error)}",
            "ask for the role; the README lists those that are needed",
        ) from error
    except (requests.RequestException, google.auth.exceptions.TransportError) as error:
        raise Unreachable(
            f"Google Compute Engine cannot be reached: {error}", "try again"
        ) from error
    except (exceptions.Unauthorized, google.auth.exceptions.GoogleAuthError) as error:
        raise no_credentials(str(error)) from error
    except (exceptions.NotFound, exceptions.PreconditionFailed):
        raise
    except (exceptions.GoogleAPICallError, exceptions.RetryError) as error:
        raise Failure(words_of(error), "make status, and try again") from error


def carry_out(
    method: Callable[..., Any],
    request: Mapping[str, Any],
    wait: Callable[[str], Any],
    timeout_s: float,
    name: str,
) -> None:
    """Call a method that gives an operation, and wait for its end; wait(operation) looks at it.

    name is what it is about, for people. Raises StockOut, NotFound and PreconditionFailed too.
    """
    sent = {**request, "request_id": str(uuid.uuid4())}
    operation_name = translated(lambda: asked_again(lambda: method(request=sent))).name
    deadline = time.monotonic() + timeout_s
    while True:
        # not operation.result(): it would poll Google's own address whatever the endpoint
        operation = translated(lambda: asked_again(lambda: wait(operation_name)))
        if operation.status == compute_v1.Operation.Status.DONE:
            break
        if time.monotonic() > deadline:
            raise TooSlow(f"{operation.operation_type} of {name} takes too long", "make status")
    if fault := fault_of(operation):
        raise fault
