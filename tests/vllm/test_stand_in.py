"""The stand-in of `make test` against the real server of its age: the same questions and answers.

What is compared is what a client can tell: statuses, kinds of errors and their first words, the
fields of an answer and of a stream's events, the tokens of a rendered prompt.
"""

from __future__ import annotations

import base64
import http.client
import json
from collections.abc import Iterator
from typing import Any

import pytest

from rig.model_server import ModelServer
from vllm.test_contract import png
from vllm.vllm_server import AGE, VllmServer


@pytest.fixture(scope="module")
def stand_in() -> Iterator[ModelServer]:
    with ModelServer(max_model_len=8192, age=AGE) as model_server:
        yield model_server


def post(url: str, path: str, body: Any) -> tuple[int, str, bytes]:
    """Status, type of content and body."""
    host, port = url.removeprefix("http://").split(":")
    connection = http.client.HTTPConnection(host, int(port), timeout=120)
    try:
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        connection.request("POST", path, data, {"Content-Type": "application/json"})
        response = connection.getresponse()
        return response.status, response.headers.get_content_type(), response.read()
    finally:
        connection.close()


def body(picture: bytes | None = None, urls: list[str] | None = None, **over: Any) -> Any:
    """A chat request for a picture."""
    own = "data:image/png;base64," + base64.b64encode(picture or png()).decode()
    parts: list[Any] = [{"type": "image_url", "image_url": {"url": url}} for url in urls or [own]]
    parts.append({"type": "text", "text": "<|img|><|imgpad|><|endofimg|>Read it."})
    messages = [{"role": "user", "content": parts}]
    return {"model": "model", "messages": messages, "max_completion_tokens": 40} | over


PICTURE = "data:image/png;base64," + base64.b64encode(png()).decode()
REFUSED = {
    "too large": body(png(3307, 4677, "1")),
    "no picture": body(b"no picture"),
    "truncated": body(png()[:-40]),
    "too long": body(png(28, 5628)),
    "a bomb": body(png(13400, 13400, "1")),
    "too many tokens": body(max_completion_tokens=9000),
    "no room beside the question": body(max_completion_tokens=8190),
    "another model": body(model="nope"),
    "no base64": body(urls=["data:image/png;base64,!!!!"]),
    "a file": body(urls=["file:///etc/hostname"]),
    "two pictures": body(urls=[PICTURE, PICTURE]),
}


@pytest.mark.parametrize("streamed", [False, True])
@pytest.mark.parametrize("case", list(REFUSED))
def test_refusals(server: VllmServer, stand_in: ModelServer, case: str, streamed: bool) -> None:
    question = REFUSED[case] | {"stream": streamed}
    real, ours = (post(one.url, "/v1/chat/completions", question) for one in (server, stand_in))
    assert real[:2] == ours[:2]
    if real[0] == 200 and case == "no room beside the question":
        return
    theirs, mine = (error_of(answer[2]) for answer in (real, ours))
    assert theirs.keys() == mine.keys()
    assert (theirs["type"], theirs["code"]) == (mine["type"], mine["code"])
    assert words(theirs["message"])[:2] == words(mine["message"])[:2]


def error_of(answer: bytes) -> dict[str, Any]:
    """The error of a body, or of the only event of a stream."""
    error: dict[str, Any] = json.loads(answer.removeprefix(b"data: ").split(b"\n\n")[0])["error"]
    return error


def words(message: str) -> list[str]:
    """The words of a message without its numbers."""
    return [word for word in message.split() if not any(letter.isdigit() for letter in word)]


def test_answers(server: VllmServer, stand_in: ModelServer) -> None:
    real, ours = (post(one.url, "/v1/chat/completions", body()) for one in (server, stand_in))
    assert real[:2] == ours[:2] == (200, "application/json")
    theirs, mine = (json.loads(answer[2]) for answer in (real, ours))
    assert fields(mine) <= fields(theirs)
    assert theirs["choices"][0]["finish_reason"] == mine["choices"][0]["finish_reason"] == "length"
    assert theirs["usage"]["completion_tokens"] == mine["usage"]["completion_tokens"] == 40


@pytest.mark.parametrize("usage", [None, {"include_usage": True}, "all"])
def test_streams(server: VllmServer, stand_in: ModelServer, usage: Any) -> None:
    if usage == "all":
        usage = {"include_usage": True, "continuous_usage_stats": True}
    question = body(stream=True, max_completion_tokens=5) | (
        {"stream_options": usage} if usage else {}
    )
    for _ in range(5):  # a busy server sends two tokens at once now and then
        real, ours = (post(one.url, "/v1/chat/completions", question) for one in (server, stand_in))
        theirs, mine = (answer[2].decode().split("\n\n") for answer in (real, ours))
        if len(theirs) == len(mine):
            break
    assert real[:2] == ours[:2] == (200, "text/event-stream")
    assert len(theirs) == len(mine)
    assert theirs[-2:] == mine[-2:] == ["data: [DONE]", ""]
    for one, other in zip(theirs[:-2], mine[:-2], strict=True):
        them, me = (json.loads(event.removeprefix("data: ")) for event in (one, other))
        assert fields(me) <= fields(them)
        assert "usage" not in fields(them) - fields(me)
        assert len(them["choices"]) == len(me["choices"])
        if me["choices"]:
            ends = [event["choices"][0]["finish_reason"] for event in (them, me)]
            assert ends[0] == ends[1]
        if "usage" in me:
            assert them["usage"]["completion_tokens"] == me["usage"]["completion_tokens"]


def fields(value: Any, at: str = "") -> set[str]:
    """The names of all fields, with the way to them."""
    if isinstance(value, list):
        return set().union(*(fields(item, f"{at}[]") for item in value))
    if not isinstance(value, dict):
        return set()
    found = {f"{at}.{name}".lstrip(".") for name in value}
    return found.union(*(fields(item, f"{at}.{name}".lstrip(".")) for name, item in value.items()))


def test_rendered_prompts(server: VllmServer, stand_in: ModelServer) -> None:
    question = {"model": "model", "messages": body()["messages"], "return_token_strs": True}
    real, ours = (post(one.url, "/tokenize", question) for one in (server, stand_in))
    assert real[:2] == ours[:2] == (200, "application/json")
    theirs, mine = (json.loads(answer[2]) for answer in (real, ours))
    assert theirs.keys() == mine.keys()
    special = [
        [token for token in answer["token_strs"] if token.startswith("<|")]
        for answer in (theirs, mine)
    ]
    assert special[0] == special[1]


def test_metrics(server: VllmServer, stand_in: ModelServer) -> None:
    theirs, mine = (
        {line.partition("{")[0] for line in text.splitlines() if line.startswith("vllm:")}
        for text in (server.get("/metrics")[1].decode(), stand_in.metrics())
    )
    assert mine <= theirs


def test_models(server: VllmServer, stand_in: ModelServer) -> None:
    theirs = json.loads(server.get("/v1/models")[1])
    mine = stand_in.models()
    assert fields(mine) <= fields(theirs)
    assert theirs["data"][0]["max_model_len"] == mine["data"][0]["max_model_len"]
