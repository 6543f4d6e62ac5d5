"""The stand-in in the role of older servers; `make test-vllm` compares it with real ones."""

from __future__ import annotations

import base64
import http.client
import json
from typing import Any

import pytest
from click.testing import CliRunner

from picture.png import encode_png
from rig import model_server
from rig.model_server import ModelServer
from rig.pages import tiny
from rig.vllm_ages import AGES, FOREIGN_TOKENIZE, NEWEST, V0_9, V0_11, V0_26, Age, age_of

CONTEXT = 2048
PNG = encode_png(tiny(1).resize((280, 280)))  # 100 tokens
of_all_ages = pytest.mark.parametrize("age", AGES, ids=[age.version for age in AGES])


def post(server: ModelServer, path: str, body: Any) -> tuple[int, bytes]:
    """POST to the server; return status and body."""
    connection = http.client.HTTPConnection(server.url.removeprefix("http://"), timeout=60)
    try:
        connection.request("POST", path, json.dumps(body))
        answer = connection.getresponse()
        return answer.status, answer.read()
    finally:
        connection.close()


def body(picture: bytes = PNG, **over: Any) -> dict[str, Any]:
    """A chat request for a picture."""
    url = "data:image/png;base64," + base64.b64encode(picture).decode()
    parts = [
        {"type": "image_url", "image_url": {"url": url}},
        {"type": "text", "text": "<|img|><|imgpad|><|endofimg|>Read it."},
    ]
    return {"model": "model", "messages": [{"role": "user", "content": parts}], **over}


def chat(age: Age, **over: Any) -> tuple[int, Any]:
    """Return the status, and the body or the error."""
    with ModelServer(max_model_len=CONTEXT, age=age) as server:
        status, answer = post(server, "/v1/chat/completions", body(**over))
        return status, json.loads(answer)


def test_an_age_by_the_beginning_of_its_version() -> None:
    assert age_of("0.11") is age_of("0.11.0") is V0_11
    assert age_of("0.32.0") is NEWEST
    for nothing in ("0.1", "0.12", "", "0.11.0.post2"):
        with pytest.raises(LookupError, match=r"0\.9\.1, 0\.11\.0, 0\.26\.0, 0\.32\.0"):
            age_of(nothing)


@of_all_ages
def test_a_rendered_prompt(age: Age) -> None:
    with ModelServer(age=age) as server:
        asked = {"messages": body()["messages"], "return_token_strs": True}
        status, answer = post(server, "/tokenize", asked)
    tokens = json.loads(answer)["token_strs"]
    assert status == 200 and len(tokens) == json.loads(answer)["count"]
    assert (tokens.count("<|imgpad|>") > 1) == age.expands_pictures == (age in (V0_26, NEWEST))
    assert [token for token in tokens if token != "<|imgpad|>"][:3] == [
        *("<|user|>", "<|img|>", "<|endofimg|>")
    ]


@of_all_ages
def test_what_the_picture_takes_of_the_room_is_clamped(age: Age) -> None:
    status, answer = chat(age, max_completion_tokens=CONTEXT - 20)
    assert status == 200
    assert answer["usage"]["prompt_tokens"] + CONTEXT - 20 > CONTEXT


@pytest.mark.parametrize(
    ("age", "words"),
    [
        (V0_9, "you requested 2056 tokens (10 in the messages, 2046 in the completion)"),
        (V0_11, "10 input tokens (2046 > 2048 - 10). None"),
        (V0_26, "requested 2046 output tokens and your prompt contains at least 3 input tokens"),
    ],
    ids=["0.9.1", "0.11.0", "0.26.0"],
)
def test_what_the_question_takes_of_it_is_refused_by_older_servers(age: Age, words: str) -> None:
    status, answer = chat(age, max_completion_tokens=2046)
    assert status == 400 and words in answer["error"]["message"]
    assert "maximum context length is 2048 tokens" in answer["error"]["message"]


def test_the_newest_clamps_that_too() -> None:
    assert chat(NEWEST, max_completion_tokens=2046)[0] == 200
    assert chat(NEWEST, max_completion_tokens=2049)[0] == 400


@of_all_ages
def test_a_truncated_picture(age: Age) -> None:
    status, answer = chat(age, picture=PNG[:-40])
    assert status == answer["error"]["code"] == age.truncated_status
    assert ("Failed to load image" in answer["error"]["message"]) == (status == 400)


def test_a_picture_that_is_too_large_once_the_stream_has_begun() -> None:
    large = encode_png(tiny(1).resize((1400, 1400)))
    with ModelServer(max_model_len=CONTEXT, age=V0_11) as server:
        refused = post(server, "/v1/chat/completions", body(large))
        streamed = post(server, "/v1/chat/completions", body(large, stream=True))
    assert refused[0] == 400 and streamed[0] == 200
    event, done, rest = streamed[1].split(b"\n\n")
    assert json.loads(event.removeprefix(b"data: ")) == json.loads(refused[1])
    assert (done, rest) == (b"data: [DONE]", b"")


@of_all_ages
def test_the_cache_has_the_name_of_its_age(age: Age) -> None:
    with ModelServer(age=age) as server:
        names = [line.partition("{")[0] for line in server.metrics().splitlines()]
    assert ("vllm:gpu_cache_usage_perc" in names) == (age is V0_9)
    assert ("vllm:kv_cache_usage_perc" in names) == (age is not V0_9)


@pytest.mark.parametrize("form", list(FOREIGN_TOKENIZE))
def test_another_servers_tokenize(form: str) -> None:
    with ModelServer() as server:
        server.foreign = FOREIGN_TOKENIZE[form]
        answer = post(server, "/tokenize", {"content": "Read it."})
    assert answer == (200, json.dumps(server.foreign).encode())


def test_an_age_that_is_not_known() -> None:
    result = CliRunner().invoke(model_server.main, ["--age", "0.12"])
    assert result.exit_code == 2 and "vLLM 0.12 is none of 0.9.1, 0.11.0" in result.output
