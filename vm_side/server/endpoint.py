"""A model server: what it serves, what it answers, and when it is asked again."""

import base64
import http.client
import json
import random
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, replace

from server.connection import CONNECT_TIMEOUT_S, KeptConnection, LostConnection, Response
from server.health import UnknownName, look
from server.request import (
    Completion,
    Sampling,
    messages,
    read_completion,
    request_body,
    streamed,
    white,
)
from server.room import answer_room, room_told
from server.silence import Silence
from server.stream import AnswerStream, StreamError, count_in
from server.verdicts import (
    ANOTHER_FORM,
    EndpointError,
    ServerGone,
    Unreachable,
    Verdict,
    message,
    refused,
    verdict,
)

TOKENIZE_TIMEOUT_S = 60.0  # the first picture after a start may take a while
PROBE_TIMEOUT_S = 60.0  # for one token from a server that answers nobody
MOST_FITTINGS = 2  # times that a request is sent again for a shorter answer
Passage = Callable[[], AbstractContextManager[None]]
GIVEN_UP = ("abort", "error")  # why an answer ended, from a server that ends itself
NAME_TRIES = 3  # after so many, a name that is not known is a wrong one
FIRST_PAUSE_S = 0.5
LONGEST_PAUSE_S = 15.0
LONGEST_LACKS = 300  # characters
LONGEST_FAULT = 200  # the same
LONGEST_PAGE = 100  # the same, for something that is not a model server's answer


@dataclass(frozen=True)
class Model:
    """A served model. max_tokens: its context, 0 if it does not say; engines: one for each card.

    lacks is what it says that it cannot read; only the CPU preview says so. root is the weights,
    which may be served under several names; it is the name itself if the server does not say.
    """

    name: str
    max_tokens: int = 0
    on_cpu: bool = False
    lacks: str = ""
    engines: int = 1
    root: str = ""


@dataclass(frozen=True)
class NoAnswer:
    """Why a request came to nothing; words are the server's own, in full.

    in_vain says that the server took the request, but the time passed without an answer.
    """

    verdict: Verdict
    reason: str
    words: str = ""
    retry_after_s: float = 0.0
    in_vain: bool = False


class Endpoint:
    """A model server, over one kept-alive connection. Not for use from two threads.

    retries counts what is sent again after a failure. Waiting for a server that is full or away is
    limited by ready_timeout_s instead. silence is that of the server, shared by all who ask it;
    without it, a server that hangs cannot be told from a slow one. A picture is asked about in a
    block of door().
    """

    def __init__(
        self,
        url: str,
        request_timeout_s: float,
        ready_timeout_s: float,
        retries: int,
        api_key: str = "",
        silence: Silence | None = None,
        door: Passage = nullcontext,
    ) -> None:
        self.url = url
        self.request_timeout_s = request_timeout_s
        self.ready_timeout_s = ready_timeout_s
        self.retries = retries
        self._api_key = api_key
        self._silence = silence
        self._door = door
        self._context = 0  # as a refusal told it; 0 if none did
        self._connection = KeptConnection(url, api_key)

    def models(self) -> list[Model]:
        """Return the served models, once the server is ready. Raises ServerGone, EndpointError."""
        deadline = time.monotonic() + self.ready_timeout_s
        self.wait_until_ready(is_new=True)
        where = f"{self.url}/v1/models"
        for pause_s in pauses():
            try:
                response = self._connection.request("GET", "/v1/models", b"", 2 * CONNECT_TIMEOUT_S)
            except LostConnection as error:
                raise ServerGone(f"{where}: {error}") from error
            may_pass = verdict(response.status) in (Verdict.BUSY, Verdict.BROKEN)
            left_s = deadline - time.monotonic()
            if not may_pass or left_s <= 0:
                break
            time.sleep(min(pause_s, left_s))
        if response.status != 200:
            raise EndpointError(f"{where}: {self._refusal(response)}")
        try:
            return [
                Model(
                    served["id"],
                    count_in(served, "max_model_len"),
                    served.get("device") == "cpu",
                    str(served.get("lacks") or "")[:LONGEST_LACKS],
                    root=str(served.get("root") or served["id"]),
                )
                for served in json.loads(response.body)["data"]
            ]
        except ANOTHER_FORM as error:
            body = self._connection.hide(response.body.decode("utf-8", "replace"))
            said = message(body.encode())[:LONGEST_PAGE]
            raise EndpointError(f"{where}: no list of models: {said!r}") from error

    def rendered(self, model: str, png: bytes, prompt: str) -> list[str] | None:
        """Return the tokens that a model makes of a request; None from a server that cannot tell.

        Servers other than vLLM answer in forms of their own, or refuse. Raises ServerGone.
        """
        asked = {"model": model, "messages": messages(base64.b64encode(png).decode(), prompt)}
        body = json.dumps(asked | {"return_token_strs": True}).encode()
        try:
            response = self._connection.request("POST", "/tokenize", body, TOKENIZE_TIMEOUT_S)
        except LostConnection as error:
            if self.is_healthy():
                return None
            raise ServerGone(f"{self.url}/tokenize: {error}") from error
        return token_strings(response.body) if response.status == 200 else None

    def wait_until_ready(self, is_new: bool = False) -> None:
        """Return once the server is healthy. Raises ServerGone after ready_timeout_s.

        Nobody has seen a new server at work. If waiting does not fix its fault, it raises at once.
        """
        deadline = time.monotonic() + self.ready_timeout_s
        for tries, pause_s in enumerate(pauses(), 1):
            fault = look(self.url, self._api_key)
            if fault is None:
                return
            lasts = fault.lasts or (isinstance(fault, UnknownName) and tries >= NAME_TRIES)
            if is_new and lasts:
                raise Unreachable(f"nothing answers at {self.url}: {fault.cause}")
            left_s = deadline - time.monotonic()
            if left_s <= 0:
                waited = f"for {self.ready_timeout_s:.0f} s"
                raise ServerGone(f"nothing answers at {self.url} {waited}: {fault.cause}")
            time.sleep(min(pause_s, left_s))

    def is_healthy(self) -> bool:
        """Whether the server answers now."""
        return look(self.url, self._api_key) is None

    def metrics(self) -> str:
        """Return the text of GET /metrics; empty if there is none, or no answer."""
        try:
            response = self._connection.request("GET", "/metrics", b"", CONNECT_TIMEOUT_S)
        except LostConnection:
            return ""
        return response.body.decode("utf-8", "replace") if response.status == 200 else ""

    def complete(
        self, model: str, png: bytes, prompt: str, sampling: Sampling, question: int = 0
    ) -> Completion:
        """Ask for one picture and wait for the answer; hang up if the answer repeats itself.

        question is the most tokens that picture and prompt take of the context. If the server says
        that the answer would not fit, ask for a shorter one. Raises EndpointError, ServerGone.
        """
        if self._context:  # the server told it before
            room = answer_room(self._context, question)
            sampling = replace(sampling, max_tokens=min(sampling.max_tokens, room))
        body = request_body(model, png, prompt, sampling)
        failures = fitted = 0
        waiting_since: float | None = None
        pause = pauses()
        while True:
            with self._door():
                came = self._attempt(body, sampling.max_tokens, self.request_timeout_s)
            if isinstance(came, Completion):
                return came
            if came.in_vain and self._silence is not None:
                self._check(self._silence, model)
            if came.verdict is Verdict.REFUSED:
                told = room_told(came.words, sampling.max_tokens, question)
                if told is None or fitted == MOST_FITTINGS:
                    raise EndpointError(came.reason)
                fitted += 1
                self._context = told + question
                sampling = replace(sampling, max_tokens=told)
                body = request_body(model, png, prompt, sampling)
                continue
            if came.verdict is Verdict.BROKEN:
                waiting_since = None
                failures += 1
                if failures > self.retries:
                    raise EndpointError(f"{came.reason} ({failures} times)")
            elif waiting_since is None:
                waiting_since = time.monotonic()
            elif time.monotonic() - waiting_since > self.ready_timeout_s:
                raise EndpointError(f"{came.reason}, for {self.ready_timeout_s:.0f} s")
            time.sleep(max(next(pause), came.retry_after_s))
            self.wait_until_ready()

    def _check(self, silence: Silence, model: str) -> None:
        """Check a server that answers nobody: raises ServerGone if not even one token comes."""
        if silence.seconds < self.request_timeout_s:
            return
        body = request_body(model, white(1), "", Sampling(0.0, 1, 200))
        came = self._attempt(body, 1, min(PROBE_TIMEOUT_S, self.request_timeout_s))
        if isinstance(came, NoAnswer) and came.in_vain:
            raise ServerGone(
                f"nothing was answered at {self.url} for {silence.seconds:.0f} s, though its"
                " /health is well: restart the server, then run again"
            )

    def _attempt(self, body: bytes, max_tokens: int, timeout_s: float) -> "Completion | NoAnswer":
        """Send a request once."""
        stream = AnswerStream(max_tokens)
        try:
            response = self._connection.request(
                "POST",
                "/v1/chat/completions",
                body,
                timeout_s,
                self.is_healthy,
                stream.hear,
            )
            if self._silence is not None:
                self._silence.end()
            judged = verdict(response.status)
            if judged is not Verdict.ANSWER:
                words = response.body.decode("utf-8", "replace")
                pause_s = retry_after_s(response.headers)
                return NoAnswer(judged, self._refusal(response), words, pause_s)
            answer = read_completion(response.body) if response.body else streamed(stream)
        except LostConnection as error:
            in_vain = error.sent and isinstance(error.__cause__, TimeoutError)
            judged = Verdict.BROKEN if error.sent else Verdict.BUSY
            return NoAnswer(judged, str(error), in_vain=in_vain)
        except StreamError as error:  # a full server may begin an answer before it says so
            words = self._connection.hide(str(error))
            return NoAnswer(verdict(error.code), refused(error.code, words), words)
        except ANOTHER_FORM as error:
            words = self._connection.hide(repr(error))[:LONGEST_FAULT]  # Python quotes all of it
            return NoAnswer(Verdict.BROKEN, f"not a valid answer: {words}")
        if answer.finish_reason in GIVEN_UP:
            reason = f"the server ended it with {answer.finish_reason!r}"
            return NoAnswer(Verdict.BROKEN, reason)
        return answer

    def _refusal(self, response: Response) -> str:
        """Return why this response is not an answer."""
        location = response.headers.get("Location", "")
        return refused(response.status, message(response.body), location)

    def close(self) -> None:
        """Drop the connection."""
        self._connection.close()


def token_strings(body: bytes) -> list[str] | None:
    """Return the tokens in an answer of vLLM's /tokenize; None if it has another form."""
    try:
        tokens = json.loads(body)["token_strs"]
    except ANOTHER_FORM:
        return None
    is_told = isinstance(tokens, list) and tokens and all(isinstance(t, str) for t in tokens)
    return tokens if is_told else None


def retry_after_s(headers: http.client.HTTPMessage) -> float:
    """Return the seconds of a Retry-After header, at most LONGEST_PAUSE_S; 0 without one."""
    value = headers.get("Retry-After", "")
    return min(float(value), LONGEST_PAUSE_S) if value.isdecimal() else 0.0


def pauses() -> Iterator[float]:
    """Yield growing pauses in seconds, at random, so that workers do not ask all at once."""
    pause_s = FIRST_PAUSE_S
    while True:
        yield pause_s * random.uniform(0.7, 1.3)
        pause_s = min(pause_s * 2, LONGEST_PAUSE_S)
