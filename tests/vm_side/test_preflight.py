"""The preflight: which servers are refused before the first page, and with which message."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest

import preflight
from preflight import Fitness, Unfit
from prompts import PROMPTS
from rig.asking import client
from rig.command import Batch, batch_of
from rig.model_server import ModelServer
from rig.raw_server import RawServer
from rig.vllm_ages import age_of
from server.endpoint import Endpoint, Model
from server.room import ANSWER_ROOM, PROMPT_TOKENS
from server.verdicts import ServerGone

OLD = age_of("0.11")  # its /tokenize counts the picture as one token
CHATML = ("<|im_start|>", "<|im_end|>", "<|im_start|>")


def check(server: ModelServer, mode: str = "layout_all", max_pixels: int = 2_000_000) -> Fitness:
    asking = client(server.url)
    try:
        (model,) = asking.models()
        return preflight.check(asking, model, mode, max_pixels)
    finally:
        asking.close()


@pytest.mark.parametrize("mode", list(PROMPTS))
def test_a_server_that_is_fit(server: ModelServer, mode: str) -> None:
    fitness = check(server, mode)
    assert fitness.sees_size and 0 < fitness.prompt_tokens < PROMPT_TOKENS
    assert not server.requests  # it costs no answer


def test_a_server_without_tokenize_passes(server: ModelServer) -> None:
    server.tokenizes = False
    assert check(server) == Fitness()


def test_an_older_vllm_passes_and_tells_its_prompt() -> None:
    with ModelServer(age=OLD) as server:
        fitness = check(server)
        assert not fitness.sees_size and 0 < fitness.prompt_tokens < PROMPT_TOKENS
        server.content_format = "openai"  # what it does report is still judged
        with pytest.raises(Unfit, match="sees 2 pictures"):
            check(server)


def test_the_wrong_content_format(server: ModelServer) -> None:
    server.content_format = "openai"
    with pytest.raises(Unfit, match=r"sees 2 pictures.*--chat-template-content-format string"):
        check(server)


def test_another_model(server: ModelServer) -> None:
    server.roles = CHATML
    with pytest.raises(Unfit, match=r"is not dots\.ocr.*<\|user\|>, <\|endofuser\|>, <\|assistant"):
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
        (0, 11_289_600, ""),  # the server does not say
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
    "body",
    [
        b'{"tokens": []}',  # llama.cpp, which has no messages
        b'{"tokens": [1, 2, 3]}',
        b'{"tokens": [{"id": 1, "piece": "a"}]}',
        b'{"count": 3, "max_model_len": 8192, "tokens": [1, 2, 3]}',  # SGLang; vLLM before 0.9
        b'{"count": 3, "tokens": [1, 2, 3], "token_strs": null}',
        b'{"token_strs": []}',
        b'{"token_strs": [1, 2]}',
        b'{"token_strs": "abc"}',
        b"[1, 2, 3]",
        b"[]",
        b"{}",
        b"7",
        b"<html>",
        b"",
    ],
)
def test_a_tokenize_of_another_form_cannot_tell(body: bytes) -> None:
    assert fitness_of(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%b" % (len(body), body))


@pytest.mark.parametrize("status", [400, 401, 403, 404, 405, 422, 429, 500, 501, 503])
def test_a_tokenize_that_refuses_cannot_tell(status: int) -> None:
    assert fitness_of(b"HTTP/1.1 %d No\r\nContent-Length: 2\r\n\r\nno" % status)


def fitness_of(answer: bytes) -> bool:
    """Whether a healthy server with this answer to /tokenize passes as one that cannot tell."""
    server = RawServer()

    def talk(connected: socket.socket) -> None:
        if server.receive(connected, b"true}"):
            connected.sendall(answer)

    server.talks = (talk,)
    with server:
        asking = Endpoint(server.url, 5, 0, 0)
        try:
            return preflight.check(asking, Model("model"), "ocr", 10_000) == Fitness()
        finally:
            asking.close()


def test_a_server_that_drops_only_tokenize_passes() -> None:
    """Like a proxy that lets nothing else through."""
    server = RawServer()

    def talk(connected: socket.socket) -> None:
        if b"/health" in connected.recv(1 << 16):
            connected.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")

    server.talks = (talk,)
    with server:
        asking = Endpoint(server.url, 5, 0, 0)
        assert preflight.check(asking, Model("model"), "ocr", 10_000) == Fitness()
        asking.close()


def test_a_server_that_is_gone(server: ModelServer) -> None:
    asking = client(server.url)
    (model,) = asking.models()
    server.die()
    with pytest.raises(ServerGone, match="connection"):
        preflight.check(asking, model, "ocr", 10_000)
    asking.close()


def test_the_command_refuses_before_the_first_page(tmp_path: Path) -> None:
    with batch_of(tmp_path, 2) as (batch, server):
        server.content_format = "openai"
        finished = batch.run_here()
        assert finished.code == 1 and "sees 2 pictures" in finished.err
        assert not server.requests and not batch.records
        server.content_format = "string"
        assert batch.run_here().code == 0
        server.content_format = "openai"  # no page to read, so nothing is checked
        assert batch.run_here().code == 0 and len(server.requests) == 2


def test_the_command_reads_with_an_older_vllm_and_says_so(tmp_path: Path) -> None:
    with ModelServer(age=OLD) as server:
        batch = Batch(tmp_path, server.url)
        batch.write_pages(2)
        finished = batch.run_here()
        assert finished.code == 0 and set(batch.statuses().values()) == {"ok"}
        (line,) = finished.err.splitlines()
        assert line.startswith("the server cannot tell how it sees a prompt with a picture")


@pytest.mark.parametrize("how", ["variable", "option"])
def test_the_user_may_overrule(tmp_path: Path, how: str) -> None:
    options = ["--no-preflight"] if how == "option" else []
    environment = {"PREFLIGHT": "0"} if how == "variable" else {}
    with batch_of(tmp_path, 2) as (batch, server):
        server.roles = CHATML
        refused = batch.run_here()
        assert refused.code == 1 and "or PREFLIGHT=0 if it reads pages well" in refused.err
        finished = batch.run_here(*options, environment=environment)
        assert (finished.code, finished.err) == (0, "") and len(server.requests) == 2
