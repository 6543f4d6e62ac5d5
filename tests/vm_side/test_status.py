"""What a machine asks its model first: as a page does, so that the same is compiled."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from answer.ladder import RUNGS
from machine import status
from picture.png import encode_png
from prompts import OCR
from rig.model_server import ModelServer
from rig.pages import tiny
from rig.raw_server import RawServer
from server.request import Sampling, request_body

NO_SAMPLING = {"model", "messages", "max_completion_tokens", "stream", "stream_options"}


@pytest.fixture(autouse=True)
def no_key(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Not that of whoever runs the tests."""
    monkeypatch.setattr(status, "KEY", tmp_path / "none")


@pytest.fixture
def server() -> Iterator[ModelServer]:
    with ModelServer() as model_server:
        yield model_server


def test_the_first_question_is_sampled_as_a_page_is() -> None:
    first = RUNGS[0]
    sampling = Sampling(first.temperature, 1000, first.repetitions)
    page = json.loads(request_body("model", encode_png(tiny(1)), OCR, sampling))
    tiny_one = status.tiny_question("model")
    assert {k: v for k, v in page.items() if k not in NO_SAMPLING} == {
        k: v for k, v in tiny_one.items() if k not in NO_SAMPLING
    }
    assert {"temperature", "top_p"} <= tiny_one.keys() and tiny_one["max_completion_tokens"] == 1


def test_it_is_answered(server: ModelServer) -> None:
    assert status.served_model(server.url) == ("model", "")
    assert status.answer_fault(server.url, "model") == ""
    assert status.answer_fault(server.url, "nope").startswith("HTTP 404")


def test_a_server_without_health_serves() -> None:
    answers = {b"/health": b"HTTP/1.1 404 No", b"/v1/models": b"HTTP/1.1 200 OK"}
    body = b'{"data": [{"id": "x"}]}'
    server = RawServer()

    def talk(connected: socket.socket) -> None:
        asked = connected.recv(1 << 16).split(b" ")[1]
        head = answers[asked] + b"\r\nContent-Length: %d\r\n\r\n" % len(body)
        connected.sendall(head + body)

    server.talks = (talk,)
    with server:
        assert status.served_model(server.url) == ("x", "")


def test_state_that_is_torn_or_nested_too_deep_is_none(tmp_path: Path) -> None:
    path = tmp_path / "job.json"
    for text in ("", "{", "[1]", "[" * 100_000):
        path.write_text(text)
        assert status.read_json(path) == {}


def test_a_server_that_loads_says_so() -> None:
    server = RawServer()

    def talk(connected: socket.socket) -> None:
        connected.recv(1 << 16)
        connected.sendall(b"HTTP/1.1 503 X\r\nContent-Length: 7\r\n\r\nloading")

    server.talks = (talk,)
    with server:
        assert status.served_model(server.url) == ("", "HTTP 503 loading")
