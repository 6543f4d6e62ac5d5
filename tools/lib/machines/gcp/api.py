"""Calls to Compute Engine: a lost answer is asked for again, and an error says what to do next."""

import functools
import time
import uuid
from collections.abc import Callable, Mapping
from http import HTTPStatus
from typing import Any

import google.auth.exceptions
import requests
from google.api_core import exceptions
from google.cloud import compute_v1
from google.protobuf.json_format import ParseError

from lib.console import Away, Failure
from lib.machines.gcp.credentials import api_endpoint, find_credentials, no_credentials
from lib.machines.gcp.faults import (
    API_IS_OFF,
    QUOTA,
    TOO_MANY_CALLS,
    NoPermission,
    TooSlow,
    Unreachable,
    fault_of,
    quota_failure,
    words_of,
)

LOST_ANSWER_PAUSES_S = (1.0, 2.0, 4.0)
CALL_TIMEOUT_S = 20.0  # a network that swallows everything would hold a call for ever
WAIT_TIMEOUT_S = 150.0  # Google holds the wait for an operation for up to 120 s
NOT_GOOGLE = "what answers is not Google"
BUSY = (exceptions.ServerError, exceptions.TooManyRequests, exceptions.RetryError)


class Bounded:
    """A client of which every call ends in time, with an answer or without."""

    def __init__(self, client: Any) -> None:
        self._client = client

    def __getattr__(self, name: str) -> Callable[..., Any]:
        timeout_s = WAIT_TIMEOUT_S if name == "wait" else CALL_TIMEOUT_S
        return functools.partial(getattr(self._client, name), timeout=timeout_s)


def make_client(kind: Callable[..., Any]) -> Any:
    """A client of this kind, with our credentials, for Google's API or another server's."""
    options = {"api_endpoint": endpoint} if (endpoint := api_endpoint()) else {}
    client = kind(credentials=find_credentials(), client_options=options)
    # no other way in: of an error that is none of Google's, the client itself ends with a fault
    client.transport._session.hooks["response"].append(refuse_error_of_others)
    return Bounded(client)


def refuse_error_of_others(response: requests.Response, **_: Any) -> None:
    """Raise what a lost answer raises, if an error is not told as Google tells its own.

    What a portal or a proxy refuses says nothing about the VM: its 404 is not "there is no VM".
    """
    if response.ok or is_error_of_google(response):
        return
    if response.status_code >= HTTPStatus.INTERNAL_SERVER_ERROR:  # Google's own doors, too
        raise requests.RequestException(f"HTTP {response.status_code}, without a reason")
    raise requests.RequestException(f"{NOT_GOOGLE} ({response.status_code})")


def is_error_of_google(response: requests.Response) -> bool:
    """Whether its body is JSON with an error that is told as Google does it."""
    try:
        error = response.json()["error"]
        parts = [*(error.get("errors") or ()), *(error.get("details") or ())]
        return (
            error["code"] == response.status_code
            and isinstance(error["message"], str)
            and (bool(parts) or isinstance(error.get("status"), str))
            and all(isinstance(part, dict) for part in parts)
        )
    except (ValueError, LookupError, TypeError, AttributeError, RecursionError):
        return False


def refuse_nameless(answer: Any) -> Any:
    """What Google tells of one thing has its name; an answer without one is another's."""
    if not answer.name:
        raise requests.RequestException(NOT_GOOGLE)
    return answer


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
        reasons = {entry.get("reason") for entry in error.errors if isinstance(entry, dict)}
        if reasons & {*QUOTA}:
            raise quota_failure(words_of(error)) from error
        if reasons & {*TOO_MANY_CALLS}:
            raise Away(words_of(error), "try again") from error
        if reasons & {*API_IS_OFF}:
            how = "gcloud services enable compute.googleapis.com, and try again in a few minutes"
            raise Failure(words_of(error), how) from error
        raise NoPermission(
            f"no permission: {words_of(error)}",
            "ask for the role; docs/permissions.md lists those that are needed",
        ) from error
    except (OSError, google.auth.exceptions.TransportError) as error:  # requests' own are OSErrors
        raise unreachable(error) from error
    except ParseError as error:  # of a portal that wants a login of its own, say
        raise unreachable(NOT_GOOGLE) from error
    except google.auth.exceptions.GoogleAuthError as error:
        raise (unreachable(error) if error.retryable else no_credentials(str(error))) from error
    except exceptions.Unauthorized as error:
        raise no_credentials(words_of(error)) from error
    except (exceptions.NotFound, exceptions.PreconditionFailed):
        raise
    except BUSY as error:
        raise Away(words_of(error), "make status, and try again") from error
    except exceptions.GoogleAPICallError as error:
        raise Failure(words_of(error), "make status, and try again") from error


def unreachable(why: object) -> Unreachable:
    """Google does not answer, or somebody else does."""
    portal = "log in to your network in a browser, or name its proxy (HTTPS_PROXY); then try again"
    next_step = portal if NOT_GOOGLE in str(why) else "try again"
    return Unreachable(f"Google Compute Engine cannot be reached: {why}", next_step)


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
    ask = functools.partial(method, request=sent)
    operation_name = translated(lambda: asked_again(lambda: refuse_nameless(ask()))).name
    deadline = time.monotonic() + timeout_s
    while True:
        # not operation.result(): it would poll Google's own address whatever the endpoint
        operation = translated(lambda: asked_again(lambda: refuse_nameless(wait(operation_name))))
        if operation.status == compute_v1.Operation.Status.DONE:
            break
        if time.monotonic() > deadline:
            raise TooSlow(f"{operation.operation_type} of {name} takes too long", "make status")
    if fault := fault_of(operation):
        raise fault
