"""A machine's first question to its model is like a page's, so that the same is compiled."""

from __future__ import annotations

import calendar
import json
import os
import socket
import time
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
from rig.vllm_start import CARD, SERVE_SH, log_of
from server.request import Sampling, request_body

NO_SAMPLING = {"model", "messages", "max_completion_tokens", "stream", "stream_options"}


@pytest.fixture(autouse=True)
def no_key(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Hide the key of the person who runs the tests."""
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


class Docker:
    """A docker of one container with a log; it notes each call."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.folder = folder
        self.seen: dict[str, object] = {"state": "running", "started": "2026-11-26T05:14:29.5Z"}
        program = folder / "docker"
        program.write_text(f'#!/bin/sh\necho "$*" >>{folder}/asked\ncat {folder}/log\n')
        program.chmod(0o755)
        monkeypatch.setenv("PATH", f"{folder}:{os.environ['PATH']}")
        monkeypatch.setattr(status, "LAST_START", folder / "last.json")

    def start(self, log: str, is_over: bool) -> dict[str, object]:
        """What is reported of its start with this log."""
        (self.folder / "log").write_text(log)
        return status.start("model", self.seen, is_over)

    @property
    def asked(self) -> list[str]:
        """The calls of docker so far."""
        path = self.folder / "asked"
        return path.read_text().splitlines() if path.exists() else []


@pytest.fixture
def docker(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Docker:
    return Docker(tmp_path, monkeypatch)


def test_a_start_is_told_part_by_part_and_then_kept(
    docker: Docker, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The log of a working model is long: it is read once, and only as far as the start goes."""
    began = calendar.timegm((2026, 11, 26, 5, 14, 29))
    monkeypatch.setattr(time, "time", lambda: began + 44.2)
    told = docker.start(log_of([SERVE_SH, *CARD[:5]]), is_over=False)
    parts = {"imports": 42, "weights": 1}
    assert told == {"parts": parts, "now": "compile", "age_s": 44, "before": None}
    assert docker.asked == ["logs --since 2026-11-26T05:14:29.5Z model"]
    told = docker.start(log_of([SERVE_SH, *CARD]), is_over=False)  # it does not answer yet
    parts |= {"compile": 18, "graphs": 4}
    assert (told["parts"], told["now"]) == (parts, "warm-up")

    whole = {**parts, "warm-up": 21}
    log = log_of([SERVE_SH, *CARD]) + '"POST /v1/chat/completions" 200\n' * 100_000
    for _ in range(3):
        assert docker.start(log, is_over=True) == {"parts": whole, "now": ""}
    # not healthy at the moment
    assert docker.start("", is_over=False) == {"parts": whole, "now": ""}
    assert len(docker.asked) == 3

    docker.seen["started"] = "2026-11-26T05:14:59.123456789Z"
    told = docker.start(log_of([SERVE_SH]), is_over=False)
    assert told == {"parts": {}, "now": "imports", "age_s": 14, "before": whole}


def test_the_last_words_of_one_that_was_started_again(docker: Docker) -> None:
    """At that time the end of the log belongs to the start that followed."""
    (docker.folder / "log").write_text("".join(f"line {number}\n" for number in range(40)))
    ended, started = "2026-11-26T05:14:29.5Z", "2026-11-26T05:14:31.123456789Z"
    said = status.last_words("model", ended, started)
    assert said.split("\n") == [f"line {number}" for number in range(25, 40)]
    since = calendar.timegm((2026, 11, 26, 5, 13, 29))
    assert docker.asked == [f"logs --since {since} --until {started} model"]


def test_what_does_not_run_does_not_start(docker: Docker) -> None:
    for seen in ({}, {**docker.seen, "state": "exited"}):
        docker.seen = seen
        assert docker.start("", is_over=False) == docker.start("", is_over=True) == {}
    assert not docker.asked


def test_a_start_that_cannot_be_kept_is_told_all_the_same(
    docker: Docker, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(status, "LAST_START", docker.folder / "none" / "last.json")
    for _ in range(2):
        assert docker.start(log_of([SERVE_SH, *CARD[:4]]), is_over=True)["parts"] == {"imports": 42}


def test_each_gpu_has_a_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program = tmp_path / "nvidia-smi"
    program.write_text("#!/bin/sh\nprintf '4 MiB, 23034 MiB\\n19876 MiB, 23034 MiB\\n'\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    assert status.gpus() == ["4 MiB, 23034 MiB", "19876 MiB, 23034 MiB"]
    program.write_text("#!/bin/sh\nexit 9\n")
    assert status.gpus() == []


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
