"""A model server: what it serves, what it answers, and when it is asked again."""

import base64
import http.client
import json
import random
import time
from collections.abc import Iterator
from dataclasses import dataclass

from server.connection import CONNECT_TIMEOUT_S, KeptConnection, LostConnection
from server.request import (
    Completion,
    Sampling,
    messages,
    read_completion,
    request_body,
    streamed,
)
from server.stream import AnswerStream, StreamError
from server.verdicts import EndpointError, ServerGone, Verdict, message, verdict

TOKENIZE_TIMEOUT_S = 60.0  # the first picture after a start may take a while
GIVEN_UP = ("abort", "error")  # ends of answers by a server that ends itself
FIRST_PAUSE_S = 0.5
LONGEST_PAUSE_S = 15.0


@dataclass(frozen=True)
class Model:
    """A served model; max_tokens is its context, 0 if the server does not say."""

    name: str
    max_tokens: int = 0
    on_cpu: bool = False


class Endpoint:
    """A model server, over one kept-alive connection. Not for use from two threads.

    retries counts what is sent again after a failure; waiting for a server that is full or away
    is bound by ready_timeout_s instead.
    """

    def __init__(
        self, url: str, request_timeout_s: float, ready_timeout_s: float, retries: int
    ) -> None:
        self.url = url
        self.request_timeout_s = request_timeout_s
        self.ready_timeout_s = ready_timeout_s
        self.retries = retries
        self._connection = KeptConnection(url)

    def models(self) -> list[Model]:
        """The served models, once the server is ready. Raises ServerGone, EndpointError."""
        self.wait_until_ready()
        where = f"{self.url}/v1/models"
        try:
            response = self._connection.request("GET", "/v1/models", b"", 2 * CONNECT_TIMEOUT_S)
        except LostConnection as error:
            raise ServerGone(f"{where}: {error}") from error
        if response.status != 200:
            raise EndpointError(f"{where}: HTTP {response.status} {message(response.body)}")
        try:
            return [
                Model(served["id"], served.get("max_model_len") or 0, served.get("device") == "cpu")
                for served in json.loads(response.body)["data"]
            ]
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise EndpointError(f"{where}: no list of models ({error!r})") from error

    def rendered(self, model: str, png: bytes, prompt: str) -> list[str] | None:
        """The tokens that a model makes of a request; None from a server that cannot tell.

        Raises ServerGone, EndpointError.
        """
        place = f"{self.url}/tokenize"
        asked = {"model": model, "messages": messages(base64.b64encode(png).decode(), prompt)}
        body = json.dumps(asked | {"return_token_strs": True}).encode()
        try:
            response = self._connection.request("POST", "/tokenize", body, TOKENIZE_TIMEOUT_S)
        except LostConnection as error:
            raise ServerGone(f"{place}: {error}") from error
        if response.status in (404, 405, 501):
            return None
        if response.status != 200:
            raise EndpointError(f"{place}: HTTP {response.status} {message(response.body)}")
        try:
            return [str(token) for token in json.loads(response.body)["token_strs"]]
        except (ValueError, KeyError, TypeError) as error:
            raise EndpointError(f"{place}: no list of tokens ({error!r})") from error

    def wait_until_ready(self) -> None:
        """Return once the server is healthy. Raises ServerGone after ready_timeout_s."""
        deadline = time.monotonic() + self.ready_timeout_s
        for pause_s in pauses():
            if self.is_healthy():
                return
            left_s = deadline - time.monotonic()
            if left_s <= 0:
                raise ServerGone(f"nothing answers at {self.url} for {self.ready_timeout_s:.0f} s")
            time.sleep(min(pause_s, left_s))

    def is_healthy(self) -> bool:
        """Whether the server answers GET /health, by a connection of its own."""
        aside = KeptConnection(self.url)
        try:
            return aside.request("GET", "/health", b"", CONNECT_TIMEOUT_S).status < 500
        except LostConnection:
            return False
        finally:
            aside.close()

    def metrics(self) -> str:
        """The text of GET /metrics; empty where there is none, or no answer."""
        try:
            response = self._connection.request("GET", "/metrics", b"", CONNECT_TIMEOUT_S)
        except LostConnection:
            return ""
        return response.body.decode("utf-8", "replace") if response.status == 200 else ""

    def complete(self, model: str, png: bytes, prompt: str, sampling: Sampling) -> Completion:
        """Ask for one picture and wait for the answer, unless it repeats itself: then hang up.

        Raises EndpointError, ServerGone.
        """
        body = request_body(model, png, prompt, sampling)
        failures = 0
        waiting_since: float | None = None
        pause = pauses()
        while True:
            retry_after = 0.0
            stream = AnswerStream()
            try:
                response = self._connection.request(
                    "POST",
                    "/v1/chat/completions",
                    body,
                    self.request_timeout_s,
                    self.is_healthy,
                    stream.hear,
                )
                judged = verdict(response.status)
                reason = f"HTTP {response.status} {message(response.body)}"
                retry_after = retry_after_s(response.headers)
                if judged is Verdict.ANSWER:
                    answer = read_completion(response.body) if response.body else streamed(stream)
                    if answer.finish_reason not in GIVEN_UP:
                        return answer
                    judged = Verdict.BROKEN
                    reason = f"the server ended it with {answer.finish_reason!r}"
            except LostConnection as error:
                judged, reason = Verdict.BROKEN if error.sent else Verdict.BUSY, str(error)
            except StreamError as error:  # a full server may begin an answer before it says so
                judged, reason = verdict(error.code), f"HTTP {error.code} {error}"
            except (ValueError, KeyError, TypeError, IndexError, AttributeError) as error:
                judged, reason = Verdict.BROKEN, f"an answer that is none: {error!r}"
            if judged is Verdict.REFUSED:
                raise EndpointError(reason)
            if judged is Verdict.BROKEN:
                waiting_since = None
                failures += 1
                if failures > self.retries:
                    raise EndpointError(f"{reason} ({failures} times)")
            elif waiting_since is None:
                waiting_since = time.monotonic()
            elif time.monotonic() - waiting_since > self.ready_timeout_s:
                raise EndpointError(f"{reason}, for {self.ready_timeout_s:.0f} s")
            time.sleep(max(next(pause), retry_after))
            self.wait_until_ready()

    def close(self) -> None:
        """Drop the connection."""
        self._connection.close()


def retry_after_s(headers: http.client.HTTPMessage) -> float:
    """Seconds of a Retry-After header, at most LONGEST_PAUSE_S; 0 without one."""
    value = headers.get("Retry-After", "")
    return min(float(value), LONGEST_PAUSE_S) if value.isdecimal() else 0.0


def pauses() -> Iterator[float]:
    """Growing pauses in seconds, spread so that workers do not knock in step."""
    pause_s = FIRST_PAUSE_S
    while True:
        yield pause_s * random.uniform(0.7, 1.3)
        pause_s = min(pause_s * 2, LONGEST_PAUSE_S)
