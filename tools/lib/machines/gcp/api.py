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
    """A client with a time limit for every call."""

    def __init__(self, client: Any) -> None:
        self._client = client

    def __getattr__(self, name: str) -> Callable[..., Any]:
        timeout_s = WAIT_TIMEOUT_S if name == "wait" else CALL_TIMEOUT_S
        return functools.partial(getattr(self._client, name), timeout=timeout_s)


def make_client(kind: Callable[..., Any]) -> Any:
    """A client of this kind, with our credentials, for Google's API or another server's."""
    options = {"api_endpoint": endpoint} if (endpoint := api_endpoint()) else {}
    client = kind(credentials=find_credentials(), client_options=options)
    # the only way to step in: the client itself crashes on an error that is not Google's
    client.transport._session.hooks["response"].append(refuse_error_of_others)
    return Bounded(client)


def refuse_error_of_others(response: requests.Response, **_: Any) -> None:
    """Raise the same as for a lost answer, if an error does not have Google's form.

    An error of a portal or a proxy says nothing about the VM: its 404 is not "there is no VM".
    """
    if response.ok or is_error_of_google(response):
        return
    if response.status_code >= HTTPStatus.INTERNAL_SERVER_ERROR:  # from Google's front ends, too
        raise requests.RequestException(f"HTTP {response.status_code}, without a reason")
    raise requests.RequestException(f"{NOT_GOOGLE} ({response.status_code})")


def is_error_of_google(response: requests.Response) -> bool:
    """Whether its body is JSON with an error in Google's form."""
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
    """Return the answer. Raise if it has no name: Google names each thing that it describes."""
    if not answer.name:
        raise requests.RequestException(NOT_GOOGLE)
    return answer


def asked_again(request: Callable[[], Any]) -> Any:
    """Return the answer to a request that may be sent twice; send it again if an answer is lost."""
    for pause_s in LOST_ANSWER_PAUSES_S:
        try:
            return request()
        except (requests.RequestException, exceptions.ServerError):
            time.sleep(pause_s)
    return request()


def translated(request: Callable[[], Any]) -> Any:
    """Return the answer to a request; an error becomes a Failure.

    NotFound and PreconditionFailed stay, because some callers can handle them.
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
    except ParseError as error:  # a portal wants its own login, say
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
    """Return the error for: Google does not answer, or somebody else does."""
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
    """Call a method that starts an operation, and wait for its end; wait(operation) looks at it.

    name is what it changes, for people. Also raises StockOut, NotFound and PreconditionFailed.
    """
    sent = {**request, "request_id": str(uuid.uuid4())}
    ask = functools.partial(method, request=sent)
    operation_name = translated(lambda: asked_again(lambda: refuse_nameless(ask()))).name
    deadline = time.monotonic() + timeout_s
    while True:
        # not operation.result(): it would poll Google's own address, not our endpoint
        operation = translated(lambda: asked_again(lambda: refuse_nameless(wait(operation_name))))
        if operation.status == compute_v1.Operation.Status.DONE:
            break
        if time.monotonic() > deadline:
            raise TooSlow(f"{operation.operation_type} of {name} takes too long", "make status")
    if fault := fault_of(operation):
        raise fault
