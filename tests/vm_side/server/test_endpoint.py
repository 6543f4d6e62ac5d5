"""One request to the model server: every row of vLLM's errors, and the faults of a server."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import pytest

from rig import replies
from rig.asking import PNG, RETRIES, SAMPLING, ask, client, failure
from rig.model_server import ModelServer
from rig.raw_server import RawServer
from rig.replies import Reply, in_turn
from rig.secrets import KEY
from server import endpoint
from server.endpoint import retry_after_s
from server.request import Completion, read_completion
from server.stream import AnswerStream
from server.verdicts import ANOTHER_FORM, EndpointError, ServerGone

DEEP = b"[" * 100_000  # JSON that is too deep for every reader


pytestmark = pytest.mark.usefixtures("hurry")


def answered(content: Any) -> dict[str, Any]:
    """A complete answer that is not streamed."""
    return {"choices": [{"message": {"content": content}, "finish_reason": "stop"}]}


# --- the request and its answer ------------------------------------------------------------


def test_an_answer_with_its_tokens_and_its_end(server: ModelServer) -> None:
    server.script = in_turn(Reply("three words here", finish_reason="length"))
    completion = ask(server)
    assert (completion.text, completion.finish_reason) == ("three words here", "length")
    assert completion.tokens_in == server.requests[0].prompt_tokens
    assert completion.tokens_out == len("three words here") // 3


def test_the_request_is_what_vllm_wants(server: ModelServer) -> None:
    ask(server)
    (request,) = server.requests
    assert request.picture == PNG and request.prompt == "Read it."
    assert request.text.startswith("<|img|><|imgpad|><|endofimg|>")
    assert (request.temperature, request.max_tokens) == (0.1, 1000)
    assert request.body["repetition_detection"]["min_count"] == 100
    assert request.headers["content-type"] == "application/json"


# --- vLLM's errors: what is asked again and what is not ------------------------------------


@pytest.mark.parametrize(
    ("reply", "requests", "words"),
    [
        (replies.too_long(), 1, "HTTP 400 Input length (14234) exceeds"),
        (replies.too_many_tokens(), 1, "HTTP 400 max_completion_tokens=20000"),
        (replies.bad_base64(), 1, "HTTP 400 Non-base64 digit found"),
        (replies.bad_image(), 1, "HTTP 400 Failed to load image"),
        (replies.unknown_model(), 1, "HTTP 404 The model `nope` does not exist."),
        (replies.two_images(), 1, "HTTP 400 At most 1 image(s)"),
        (replies.bad_aspect(), 1, "HTTP 400 Failed to apply Qwen2VLProcessor"),
        (replies.unauthorized(), 1, "HTTP 401 Unauthorized"),
        (replies.permanent_500(), 1 + RETRIES, "could be decompression bomb DOS attack. (4 times)"),
        (replies.engine_dead_500(), 1 + RETRIES, "EngineCore encountered an issue"),
        (Reply(fault="reset"), 1 + RETRIES, "connection lost: ConnectionResetError"),
        (Reply(fault="close"), 1 + RETRIES, "connection lost: RemoteDisconnected"),
        (Reply(fault="truncate"), 1 + RETRIES, "connection lost: IncompleteRead"),
        (Reply(fault="garbage"), 1 + RETRIES, "not a valid answer: JSONDecodeError"),
        (Reply(body=[]), 1 + RETRIES, "not a valid answer: AttributeError"),
        (Reply(body={"choices": []}), 1 + RETRIES, "not a valid answer: IndexError"),
        (Reply(body={"error": {"message": "no memory"}}), 1 + RETRIES, "HTTP 500 no memory"),
        (Reply(body={"object": "error", "message": "no", "code": 400}), 1, "HTTP 400 no"),
        (Reply(body=answered(5)), 1 + RETRIES, "TypeError('a content that is not text: 5')"),
        (Reply(status=302), 1, "HTTP 302"),
    ],
)
def test_errors_that_stay(server: ModelServer, reply: Reply, requests: int, words: str) -> None:
    server.script = lambda request: reply
    assert words in failure(server)
    assert len(server.requests) == requests


def test_what_is_no_answer_is_not_quoted_whole(server: ModelServer) -> None:
    usage = {"prompt_tokens": "x" * 9_000}  # like a web page in another encoding
    server.script = lambda request: Reply(body={**answered("x"), "usage": usage})
    reason = failure(server, retries=0)
    assert reason.startswith("not a valid answer: ValueError") and len(reason) < 300


def test_a_long_key_in_the_place_of_a_count_is_hidden(server: ModelServer) -> None:
    key = "sk-" + "k" * 60
    body = {**answered("x"), "usage": {"prompt_tokens": key}}
    server.script = lambda request: Reply(body=body)
    assert "kkk" not in failure(server, retries=0, api_key=key)


def test_a_content_may_be_in_parts_or_nothing(server: ModelServer) -> None:
    parts = [{"type": "text", "text": "one "}, {"type": "text", "text": "two"}]
    server.script = in_turn(Reply(body=answered(parts)), Reply(body=answered(None)))
    assert [ask(server).text, ask(server).text] == ["one two", ""]


@pytest.mark.parametrize(
    "reply",
    [
        replies.busy_503(),
        replies.engine_dead_500(),
        Reply(status=429),
        Reply(status=502),
        Reply(status=504),
        Reply(status=408),
        Reply(fault="reset"),
        Reply(fault="close"),
        Reply(fault="truncate"),
        Reply(fault="garbage"),
    ],
)
def test_errors_that_pass(server: ModelServer, reply: Reply) -> None:
    server.script = in_turn(reply, reply, Reply("at last"))
    assert ask(server).text == "at last"
    assert len(server.requests) == 3


def test_retries_zero_asks_once(server: ModelServer) -> None:
    server.script = in_turn(replies.permanent_500())
    assert "(1 times)" in failure(server, retries=0) and len(server.requests) == 1


def test_a_full_server_is_waited_for_longer_than_retries_last(server: ModelServer) -> None:
    server.script = in_turn(*[replies.busy_503()] * 8, Reply("at last"))
    assert ask(server, retries=0).text == "at last"


def test_a_full_server_is_not_waited_for_without_end(server: ModelServer) -> None:
    server.script = lambda request: replies.busy_503()
    began = time.monotonic()
    assert "HTTP 503 The engine is currently busy" in failure(server, ready_timeout_s=0.5)
    assert time.monotonic() - began > 0.5


def test_a_server_that_breaks_between_full_and_full_ends_too(server: ModelServer) -> None:
    server.script = lambda request: (
        replies.busy_503() if request.number % 2 else replies.permanent_500()
    )
    assert "(4 times)" in failure(server)
    assert len(server.requests) == 7


def test_retry_after_is_obeyed_up_to_the_longest_pause(server: ModelServer) -> None:
    wait = replies.busy_503(headers={"Retry-After": "3600"})
    server.script = in_turn(wait, Reply("at last"))
    began = time.monotonic()
    ask(server)
    assert 0.3 <= time.monotonic() - began < 3600


@pytest.mark.parametrize(
    ("value", "seconds"),
    [("2", 2.0), ("0", 0.0), ("9999", 15.0), ("Wed, 21 Oct 2026 07:28:00 GMT", 0.0), ("-1", 0.0)],
)
def test_retry_after_as_seconds(
    value: str, seconds: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(endpoint, "LONGEST_PAUSE_S", 15.0)
    headers: Any = {"Retry-After": value}
    assert retry_after_s(headers) == seconds


@pytest.mark.parametrize("usage", [None, {}, {"prompt_tokens": None}])
def test_missing_counts_are_zero(server: ModelServer, usage: Any) -> None:
    choices = [{"message": {"content": None}}]
    server.script = in_turn(Reply(body={"choices": choices, "usage": usage}))
    assert ask(server) == Completion("", "none", 0, 0)


def test_odd_counts_are_no_answer(server: ModelServer) -> None:
    server.script = in_turn(Reply(body={"choices": [{"message": {"content": ""}}], "usage": [1]}))
    assert "not a valid answer" in failure(server, retries=0)


@pytest.mark.parametrize("read", [read_completion, lambda body: AnswerStream(9).hear(body)])
def test_an_answer_nested_too_deep_is_none(read: Callable[[bytes], object]) -> None:
    """Also in one piece and as a stream."""
    with pytest.raises(ANOTHER_FORM):
        read(DEEP if read is read_completion else b"data: " + DEEP + b"\n")


# --- readiness and models ------------------------------------------------------------------


def test_models(server: ModelServer) -> None:
    asking = client(server.url)
    (model,) = asking.models()
    assert (model.name, model.max_tokens, model.on_cpu) == ("model", 16384, False)
    asking.close()


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n[]", "no list of models"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nnope", "no list of models: 'nope'"),
        (b'HTTP/1.1 200 OK\r\nContent-Length: 12\r\n\r\n{"data": [1]', "no list of models"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(DEEP) + DEEP, "no list of models"),
        (b"HTTP/1.1 404 Not Found\r\nContent-Length: 5\r\n\r\nlost!", "HTTP 404 lost!"),
    ],
)
def test_something_else_that_answers(answer: bytes, words: str) -> None:
    server = RawServer()

    def talk(connected: Any) -> None:
        while server.receive(connected, b"\r\n\r\n"):
            connected.sendall(answer)

    server.talks = (talk,)
    asking = client(server.url)
    with server:
        with pytest.raises(EndpointError, match=words):
            asking.models()
        asking.close()


def test_a_key_is_wanted() -> None:
    with ModelServer(api_key="secret") as server:
        asking = client(server.url)
        with pytest.raises(EndpointError, match="HTTP 401 Unauthorized"):
            asking.models()
        asking.close()


@pytest.mark.parametrize(
    ("call", "end"),
    [
        (lambda asking: asking.models(), b"\r\n\r\n"),
        (lambda asking: asking.complete("model", PNG, "Read it.", SAMPLING), b"}"),
    ],
    ids=["models", "complete"],
)
@pytest.mark.parametrize("before", [0, 160])
def test_a_key_that_an_answer_quotes_is_hidden(
    before: int, call: Callable[[endpoint.Endpoint], object], end: bytes
) -> None:
    """Python quotes bytes that are no UTF-8, and the reason is cut in the middle of the key."""
    key = KEY * 20
    body = b"\xff" + b"x" * before + key.encode()
    head = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(body)
    server = RawServer()

    def talk(connected: Any) -> None:
        while server.receive(connected, end):
            connected.sendall(head + body)

    server.talks = (talk,)
    asking = client(server.url, api_key=key, retries=0)
    with server:
        with pytest.raises(EndpointError, match=r"xff|\ufffd") as error:
            call(asking)
        asking.close()
    assert KEY[:5] not in str(error.value)


def test_ready_timeout_zero_looks_once(server: ModelServer) -> None:
    server.die()
    with pytest.raises(ServerGone):
        client(server.url, ready_timeout_s=0).wait_until_ready()
    server.come_back()
    client(server.url, ready_timeout_s=0).wait_until_ready()


def test_pauses_grow_to_the_longest(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(endpoint, "FIRST_PAUSE_S", 0.5)
    monkeypatch.setattr(endpoint, "LONGEST_PAUSE_S", 15.0)
    pause = endpoint.pauses()
    first = [next(pause) for _ in range(20)]
    assert 0.35 <= first[0] <= 0.65 and max(first) <= 15.0 * 1.3 and min(first[6:]) >= 10.5
