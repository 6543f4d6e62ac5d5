"""Our client and a real vLLM: good answers, refusals, loops. What facts we build on, they check."""

from __future__ import annotations

import base64
import io
import json
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from PIL import Image

from rig.command import wait_until
from rig.vllm_ages import Age
from server import endpoint, request, verdicts
from server.endpoint import Endpoint
from server.request import Completion, Sampling
from server.stream import LOOP_TOKENS
from server.verdicts import EndpointError
from vllm.stories import PAGE
from vllm.vllm_server import AGE, VllmServer

CONTEXT = 8192
WITHOUT_END = 10**6  # repetitions that no answer reaches: the server then stops no loop
LIMIT = 7000


def png(width: int = 280, height: int = 392, mode: str = "L") -> bytes:
    """A white picture."""
    data = io.BytesIO()
    Image.new(mode, (width, height), 1 if mode == "1" else "white").save(data, "PNG")
    return data.getvalue()


def client(server: VllmServer, retries: int = 1) -> Endpoint:
    """Our client, patient enough for a slow machine."""
    return Endpoint(server.url, request_timeout_s=120, ready_timeout_s=300, retries=retries)


def ask(
    server: VllmServer,
    picture: bytes,
    prompt: str = "Read it.",
    *,
    max_tokens: int = 1000,
    repetitions: int = 200,
    model: str = "model",
) -> Completion:
    """Ask once, over a connection of its own."""
    asking = client(server)
    try:
        return asking.complete(model, picture, prompt, Sampling(0.1, max_tokens, repetitions))
    finally:
        asking.close()


# --- answers -------------------------------------------------------------------------------


def test_a_good_answer(server: VllmServer) -> None:
    completion = ask(server, png())
    assert (completion.text, completion.finish_reason) == (PAGE, "stop")
    assert completion.tokens_in > 140 and 40 < completion.tokens_out < 100


@pytest.mark.parametrize("size", [(280, 280), (616, 840), (827, 1170)])
def test_a_token_for_every_28_by_28_pixels(server: VllmServer, size: tuple[int, int]) -> None:
    def tokens(picture: bytes) -> int:
        return ask(server, picture, max_tokens=1).tokens_in

    width, height = size
    smallest = tokens(png(28, 28)) - 4  # it is made 56 x 56
    assert tokens(png(width, height)) - smallest == round(width / 28) * round(height / 28)


def test_an_answer_that_reaches_its_limit(server: VllmServer) -> None:
    completion = ask(server, png(), max_tokens=10)
    assert (completion.finish_reason, completion.tokens_out) == ("length", 10)
    assert PAGE.startswith(completion.text)


def test_a_limit_that_does_not_fit_beside_the_picture_is_clamped(server: VllmServer) -> None:
    completion = ask(server, png(), "[count]", max_tokens=8100)
    assert completion.finish_reason == "stop" and completion.tokens_in + 8100 > CONTEXT


def test_a_limit_that_does_not_fit_beside_the_question(
    server: VllmServer, age: Age, statuses: Counter[int]
) -> None:
    """In which a picture counts as one token. An older server refuses it, and its words help."""
    assert ask(server, png(), max_tokens=CONTEXT).finish_reason == "stop"
    assert statuses == ({200: 1} if age.clamps else {400: 1, 200: 1})


def test_a_model_that_is_named_with_its_context(server: VllmServer) -> None:
    asking = client(server)
    (model,) = asking.models()
    assert (model.name, model.max_tokens, model.on_cpu) == ("model", 8192, False)
    asking.close()


def test_many_answers_come_over_one_connection(server: VllmServer) -> None:
    asking = client(server)
    kept = None
    for _ in range(3):
        asking.complete("model", png(), "Read it.", Sampling(0.1, 1000, 200))
        assert asking._connection._kept is not None
        assert kept in (None, asking._connection._kept.sock)
        kept = asking._connection._kept.sock
    asking.close()


def test_a_stale_connection_costs_nothing(
    server: VllmServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(endpoint, "FIRST_PAUSE_S", 60.0)
    asking = client(server, retries=0)
    for pause_s in (6.0, 0.0):  # vLLM closes an idle connection after 5 s
        assert asking.complete("model", png(), "Read it.", Sampling(0.1, 1000, 200)).text == PAGE
        time.sleep(pause_s)
    asking.close()


# --- refusals ------------------------------------------------------------------------------


def failure(server: VllmServer, picture: bytes, **more: Any) -> str:
    """Why there is no answer."""
    with pytest.raises(EndpointError) as error:
        ask(server, picture, **more)
    return str(error.value)


def times_asked(status: int) -> dict[int, int]:
    """A 500 may pass, so it is asked again; a 400 will not."""
    return {status: 2 if status == 500 else 1}


@pytest.fixture
def statuses(monkeypatch: pytest.MonkeyPatch) -> Counter[int]:
    """Every status that the client had to judge."""
    seen: Counter[int] = Counter()
    judge = verdicts.verdict

    def note(status: int) -> verdicts.Verdict:
        seen[status] += 1
        return judge(status)

    monkeypatch.setattr(endpoint, "verdict", note)
    return seen


@pytest.mark.parametrize(
    ("picture", "words"),
    [
        (png(3307, 4677, "1"), AGE.too_large.format(tokens=14211, limit=CONTEXT)[:80]),
        (b"no picture", AGE.bad_picture.format(why="cannot identify image file")[:26]),
        (png(28, 5628), AGE.bad_aspect),
    ],
    ids=["too-large", "no-picture", "too-long"],
)
def test_pictures_that_are_refused_at_once(
    server: VllmServer, statuses: Counter[int], picture: bytes, words: str
) -> None:
    """Be it with their status, or with an error in a stream that an older server has begun."""
    assert words in failure(server, picture)
    assert statuses == {400: 1}


def test_a_truncated_picture(server: VllmServer, age: Age, statuses: Counter[int]) -> None:
    """An older server calls it its own fault, and is asked once more."""
    assert "image file is truncated" in failure(server, png()[:-40])
    assert statuses == times_asked(age.truncated_status)


def test_a_bomb_is_a_500_for_good(server: VllmServer, statuses: Counter[int]) -> None:
    assert "decompression bomb" in failure(server, png(13400, 13400, "1"))
    assert statuses == {500: 2}


def test_too_many_tokens(server: VllmServer, statuses: Counter[int]) -> None:
    """Any server refuses more than its context; 0.26 speaks of the question at the next try."""
    assert ask(server, png(), max_tokens=9000).finish_reason == "stop"
    assert statuses[200] == 1 and statuses[400] in (1, 2)


def test_an_unknown_model(server: VllmServer, statuses: Counter[int]) -> None:
    assert "The model `nope` does not exist" in failure(server, png(), model="nope")
    assert statuses == {404: 1}


@pytest.mark.parametrize(
    ("url", "status", "words"),
    [
        ("data:image/png;base64,!!!!", 400, "Non-base64 digit found"),
        ("file:///etc/hostname", AGE.local_file_status, "Cannot load local files"),
    ],
)
def test_urls_that_hold_no_picture(
    server: VllmServer,
    statuses: Counter[int],
    monkeypatch: pytest.MonkeyPatch,
    url: str,
    status: int,
    words: str,
) -> None:
    send(monkeypatch, [url])
    assert words in failure(server, png())
    assert statuses == times_asked(status)


def test_two_pictures(
    server: VllmServer, statuses: Counter[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    url = "data:image/png;base64," + base64.b64encode(png()).decode()
    send(monkeypatch, [url, url])
    assert "At most 1 image(s)" in failure(server, png())
    assert statuses == {400: 1}


def send(monkeypatch: pytest.MonkeyPatch, urls: list[str]) -> None:
    """Let the client send these in the place of its picture."""
    form = request.request_body

    def other(*values: Any) -> bytes:
        body = json.loads(form(*values))
        content = body["messages"][0]["content"]
        content[:1] = [{"type": "image_url", "image_url": {"url": url}} for url in urls]
        return json.dumps(body).encode()

    monkeypatch.setattr(endpoint, "request_body", other)


def test_a_full_server_is_waited_for(server: VllmServer, age: Age, statuses: Counter[int]) -> None:
    """An older one is never full: who comes too early waits inside."""
    with ThreadPoolExecutor(16) as threads:
        answers = list(threads.map(lambda _: ask(server, png(616, 840)), range(32)))
    assert {answer.text for answer in answers} == {PAGE}
    assert statuses[200] == 32 and statuses.keys() <= {200, 503}
    assert (statuses[503] > 0) == age.bounds_queue


# --- loops ---------------------------------------------------------------------------------


def test_a_loop_runs_to_the_limit_where_nobody_stops_it(
    server: VllmServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("server.stream.LOOP_TOKENS", 10**9)
    completion = ask(server, png(), "[sentence]", max_tokens=1500, repetitions=WITHOUT_END)
    assert (completion.finish_reason, completion.tokens_out) == ("length", 1500)


def test_the_server_stops_a_short_loop(server: VllmServer, age: Age) -> None:
    """Or it does not know the word for it, and the client does."""
    completion = ask(server, png(), "[dots]", max_tokens=LIMIT, repetitions=200)
    if not age.knows_loops:
        assert completion.finish_reason == "repetition"
        assert LOOP_TOKENS < completion.tokens_out <= 600
        return
    assert (completion.finish_reason, completion.tokens_out) == ("repetition", 201)
    assert completion.text.endswith("Contents " + "...." * 200)


@pytest.mark.parametrize("story", ["dots", "cells", "sentence"])
def test_the_client_stops_any_loop_and_the_server_its_work(server: VllmServer, story: str) -> None:
    before = server.metric("generation_tokens_total")
    completion = ask(server, png(), f"[{story}]", max_tokens=LIMIT, repetitions=WITHOUT_END)
    assert completion.finish_reason == "repetition"
    assert LOOP_TOKENS < completion.tokens_out <= 600
    wait_until(lambda: server.metric("num_requests_running") == 0)
    # the tiny model writes 700 tokens a second, and hears of our leaving later on a busy machine
    assert server.metric("generation_tokens_total") - before < LIMIT - 1000


def test_a_long_answer_without_a_loop_is_left_alone(server: VllmServer) -> None:
    completion = ask(server, png(), "[count]", max_tokens=LIMIT)
    assert (completion.finish_reason, completion.tokens_out) == ("stop", 3001)


def test_a_client_that_loses_patience_ends_the_servers_work(server: VllmServer) -> None:
    before = server.metric("generation_tokens_total")
    asking = Endpoint(server.url, request_timeout_s=1, ready_timeout_s=60, retries=0)
    with pytest.raises(EndpointError, match="no answer in 1 s"):
        asking.complete("model", png(), "[count]", Sampling(0.1, LIMIT, 200))
    asking.close()
    wait_until(lambda: server.metric("num_requests_running") == 0)
    assert server.metric("generation_tokens_total") - before < 2500
