"""The preflight: which servers are refused before the first page, and with which words."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

import preflight
from preflight import ANSWER_ROOM, PROMPT_TOKENS, Unfit
from rig.asking import client
from rig.command import batch_of
from rig.model_server import ModelServer
from rig.raw_server import RawServer
from server.endpoint import Endpoint, Model
from server.prompts import PROMPTS
from server.verdicts import EndpointError

CHATML = ("<|im_start|>", "<|im_end|>", "<|im_start|>")


@pytest.fixture
def server() -> Iterator[ModelServer]:
    with ModelServer() as model_server:
        yield model_server


def check(server: ModelServer, mode: str = "layout_all", max_pixels: int = 2_000_000) -> None:
    asking = client(server.url)
    try:
        (model,) = asking.models()
        preflight.check(asking, model, mode, max_pixels)
    finally:
        asking.close()


@pytest.mark.parametrize("mode", list(PROMPTS))
def test_a_server_that_is_fit(server: ModelServer, mode: str) -> None:
    check(server, mode)
    assert not server.requests  # it costs no answer


def test_a_server_that_cannot_tell_passes(server: ModelServer) -> None:
    server.tokenizes = False
    check(server)


def test_the_wrong_content_format(server: ModelServer) -> None:
    server.content_format = "openai"
    with pytest.raises(Unfit, match=r"sees 2 pictures.*--chat-template-content-format string"):
        check(server)


def test_another_model(server: ModelServer) -> None:
    server.roles = CHATML
    with pytest.raises(Unfit, match=r"is no dots\.ocr.*<\|user\|>, <\|endofuser\|>, <\|assistant"):
        check(server)


def test_a_server_that_makes_pictures_smaller(server: ModelServer) -> None:
    server.max_pixels = 1_500_000
    check(server, max_pixels=1_400_000)
    with pytest.raises(Unfit, match=r"makes \d+ tokens of a picture of 2500.*at least 2000000"):
        check(server)


GOOD = ["<|user|>", "<|img|>", "<|imgpad|>", "<|endofimg|>", "Extract", "Ġthe", "Ġtext", "Ġcontent"]
END = ["Ġfrom", "Ġthis", "Ġimage", ".", "<|endofuser|>", "<|assistant|>"]


@pytest.mark.parametrize(
    ("tokens", "words"),
    [
        ([*GOOD, *END[:-1]], "<|assistant|>"),
        ([*GOOD, *END, "Ċ"], "the answer at its end"),
        (["<", "|", "img", "|", ">", *END], "<|img|>, <|user|>"),
        ([GOOD[0], "Ċ", *GOOD[1:], *END], "another prompt"),
        (["<|system|>", "You", "<|endofsystem|>", *GOOD, *END], "another prompt"),
        ([*GOOD[:4], *END], "another prompt"),
        ([], "<|img|>, <|user|>, <|endofuser|>, <|assistant|>"),
    ],
)
def test_prompts_that_are_wrong(tokens: list[str], words: str) -> None:
    preflight.check_prompt("model", [*GOOD, *END], PROMPTS["ocr"])
    with pytest.raises(Unfit) as error:
        preflight.check_prompt("model", tokens, PROMPTS["ocr"])
    assert words in str(error.value)


@pytest.mark.parametrize(
    ("context", "pixels", "words"),
    [
        (0, 11_289_600, ""),  # not said
        (16384, 2_000_000, ""),
        (8192, 2_000_000, ""),
        (2552 + PROMPT_TOKENS + ANSWER_ROOM, 2_000_000, ""),
        (2551 + PROMPT_TOKENS + ANSWER_ROOM, 2_000_000, "--max-model-len 7248 or more"),
        (8192, 11_289_600, "or give -m 2740864 or less"),
        (2048, 2_000_000, "--max-model-len 7248 or more"),
    ],
)
def test_room_for_the_picture_and_an_answer(context: int, pixels: int, words: str) -> None:
    model = Model("model", context)
    if not words:
        preflight.check_room(model, PROMPT_TOKENS, pixels)
        return
    with pytest.raises(Unfit) as error:
        preflight.check_room(model, PROMPT_TOKENS, pixels)
    assert str(error.value).endswith(words) or f"{words}, or give" in str(error.value)


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (b"HTTP/1.1 500 Oops\r\nContent-Length: 4\r\n\r\noops", "HTTP 500 oops"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}", "no list of tokens"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n[]", "no list of tokens"),
        (b"", "connection lost"),
    ],
)
def test_a_server_that_fails(answer: bytes, words: str) -> None:
    server = RawServer()

    def talk(connected: socket.socket) -> None:
        if server.receive(connected, b"true}"):
            connected.sendall(answer)

    server.talks = (talk,)
    with server:
        asking = Endpoint(server.url, 5, 0, 0)
        with pytest.raises(EndpointError, match=words):
            preflight.check(asking, Model("model"), "ocr", 10_000)
        asking.close()


def test_the_command_refuses_before_the_first_page(tmp_path: Path) -> None:
    with batch_of(tmp_path, 2) as (batch, server):
        server.content_format = "openai"
        finished = batch.run()
        assert finished.code == 1 and "sees 2 pictures" in finished.err
        assert not server.requests and not batch.records
        server.content_format = "string"
        assert batch.run().code == 0
        server.content_format = "openai"  # nothing to read, nothing to check
        assert batch.run().code == 0 and len(server.requests) == 2
