"""One request to the model server: its form, its errors, and what is worth sending again.

Speaks the OpenAI protocol as vLLM serves it; what each status means was measured against vLLM.
"""

import base64
import contextlib
import enum
import http.client
import json
import random
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from server.connection import CONNECT_TIMEOUT_S, KeptConnection, LostConnection
from server.stream import AnswerStream, StreamError

IMAGE_TOKENS = "<|img|><|imgpad|><|endofimg|>"  # without it vLLM's template adds a line break
TOKENIZE_TIMEOUT_S = 60.0  # the first picture after a start may take a while
GIVEN_UP = ("abort", "error")  # ends of answers by a server that ends itself
FIRST_PAUSE_S = 0.5
LONGEST_PAUSE_S = 15.0


class EndpointError(Exception):
    """No answer for this page; the message is the reason, for people."""


class ServerGone(EndpointError):
    """Nothing answers at the endpoint, for as long as one was willing to wait."""


class Verdict(enum.Enum):
    """What an HTTP status asks for."""

    ANSWER = "take the answer"
    REFUSED = "the same request will be refused again"
    BUSY = "the server is full: wait and send again"
    BROKEN = "the server failed: send again a few times, once it is ready"


def verdict(status: int) -> Verdict:
    """Judge a status by what vLLM means with it (a 500 may be for good, so it is counted)."""
    if status == 200:
        return Verdict.ANSWER
    if status in (429, 502, 503, 504):
        return Verdict.BUSY
    return Verdict.BROKEN if status >= 500 or status == 408 else Verdict.REFUSED


@dataclass(frozen=True)
class Sampling:
    """How to sample one answer; repetitions is the count at which the server stops a loop."""

    temperature: float
    max_tokens: int
    repetitions: int
    top_p: float = 0.9


@dataclass(frozen=True)
class Completion:
    """One answer: its text, why it ended (stop, length, repetition, …), tokens in and out."""

    text: str
    finish_reason: str
    tokens_in: int
    tokens_out: int


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


def request_body(model: str, png: bytes, prompt: str, sampling: Sampling) -> bytes:
    """The JSON of one chat completion; the picture's base64 is put in without a JSON pass."""
    place = "\0"
    text = json.dumps(
        {
            "model": model,
            "messages": messages(place, prompt),
            "temperature": sampling.temperature,
            "top_p": sampling.top_p,
            "max_completion_tokens": sampling.max_tokens,
            "stream": True,
            "stream_options": {"include_usage": True, "continuous_usage_stats": True},
            "repetition_detection": {
                "min_pattern_size": 1,
                "max_pattern_size": 128,
                "min_count": sampling.repetitions,
            },
        }
    )
    before, after = text.encode().split(json.dumps(place)[1:-1].encode())
    return b"".join((before, base64.b64encode(png), after))


def messages(picture: str, prompt: str) -> list[dict[str, Any]]:
    """One turn of the user: the picture, in base64, then the question."""
    url = f"data:image/png;base64,{picture}"
    parts = [
        {"type": "image_url", "image_url": {"url": url}},
        {"type": "text", "text": IMAGE_TOKENS + prompt},
    ]
    return [{"role": "user", "content": parts}]


def read_completion(body: bytes) -> Completion:
    """Raises ValueError, KeyError, TypeError, IndexError or AttributeError for anything else."""
    answer = json.loads(body)
    choice = answer["choices"][0]
    usage = answer.get("usage") or {}
    return Completion(
        text=choice["message"]["content"] or "",
        finish_reason=choice.get("finish_reason") or "none",
        tokens_in=usage.get("prompt_tokens") or 0,
        tokens_out=usage.get("completion_tokens") or 0,
    )


def streamed(stream: AnswerStream) -> Completion:
    """The answer that was heard. Raises ValueError if it stopped in the middle."""
    if not stream.finish_reason and not stream.is_complete:
        raise ValueError("the stream ended early")
    return Completion(
        stream.text, stream.finish_reason or "none", stream.tokens_in, stream.tokens_out
    )


def message(body: bytes) -> str:
    """The server's own words in an error body, in one line of at most 300 characters."""
    text = body.decode("utf-8", "replace")
    with contextlib.suppress(ValueError, TypeError, KeyError):
        error: Any = json.loads(text)["error"]
        text = error if isinstance(error, str) else str(error["message"])
    return " ".join(text.split())[:300]


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
