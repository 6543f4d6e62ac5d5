"""The simulated card behind vLLM's protocol. It is fast here: its times are l4.py's matter."""

from __future__ import annotations

import base64
import json
import statistics
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
from PIL import Image

from bench.gpu import text_page
from bench.gpu_sim import LONGEST, SHORTEST, GpuSim, read
from picture.png import encode_png
from rig import pages
from server.connection import KeptConnection, LostConnection
from server.endpoint import Endpoint
from server.in_flight import read_load
from server.request import Completion, Sampling

CHAT = "/v1/chat/completions"
ANY = Sampling(temperature=0.1, max_tokens=16_000, repetitions=200)


@pytest.fixture
def server() -> Iterator[GpuSim]:
    with GpuSim(speedup=1_000, max_num_seqs=4) as server:
        yield server


def asked(server: GpuSim, picture: Image.Image) -> Completion:
    endpoint = Endpoint(server.url, 30, 0, 0)
    try:
        return endpoint.complete("model", encode_png(picture), "?", ANY)
    finally:
        endpoint.close()


def test_a_picture_has_one_answer_whatever_its_file(server: GpuSim) -> None:
    page = pages.article(50)
    job, text = read(page)
    assert read(page.convert("RGB"))[1] == text
    answer = asked(server, page)
    assert (answer.text, answer.tokens_out) == (text, job.answer)
    assert answer.finish_reason == "stop" and isinstance(json.loads(text), list)


def request_body(picture: Image.Image) -> bytes:
    """A request for an answer that is not streamed."""
    url = f"data:image/png;base64,{base64.b64encode(encode_png(picture)).decode()}"
    part = {"type": "image_url", "image_url": {"url": url}}
    return json.dumps({"messages": [{"role": "user", "content": [part]}]}).encode()


def test_an_answer_that_is_not_streamed_is_the_same(server: GpuSim) -> None:
    page = pages.article(50)
    connection = KeptConnection(server.url)
    response = connection.request("POST", CHAT, request_body(page), 30)
    connection.close()
    assert json.loads(response.body)["choices"][0]["message"]["content"] == read(page)[1]


def test_answers_are_as_long_as_those_of_real_pages() -> None:
    words = "amber basket candle dial ember ferry "
    few, many = (
        [read(text_page(words * n + str(i)))[0].answer for i in range(30)] for n in (20, 200)
    )
    assert statistics.median(few) * 4 < statistics.median(many)
    assert min(few) > 0.8 * SHORTEST and max(many) <= LONGEST + 30
    assert len(set(many)) > 25
    assert read(Image.new("L", (280, 280), 0))[0].answer == pytest.approx(LONGEST, rel=0.03)
    assert read(Image.new("L", (280, 280), 255))[0].answer == pytest.approx(SHORTEST, rel=0.1)


def test_all_of_a_batch_are_answered_and_traced(server: GpuSim) -> None:
    pictures = [pages.article(30, seed) for seed in range(12)]
    with ThreadPoolExecutor(12) as clients:
        answers = list(clients.map(lambda picture: asked(server, picture), pictures))
    assert [answer.text for answer in answers] == [read(picture)[1] for picture in pictures]
    server.wait_until(lambda: server.trace()["answers"] == 12)
    trace = server.trace()
    assert 0 < trace["mean_running"] <= 4 and trace["seconds"] > trace["tail_s"] > 0
    metrics = Endpoint(server.url, 5, 0, 0)
    text = metrics.metrics()
    metrics.close()
    load = read_load(text)
    assert load is not None and (load.running, load.waiting, load.cache_use) == (0, 0, 0.0)
    tokens = sum(answer.tokens_out for answer in answers)
    assert f'generation_tokens_total{{engine="0",model_name="model"}} {float(tokens)}' in text


def test_a_client_that_hangs_up_is_dropped() -> None:
    with GpuSim(speedup=0.001) as server:
        with pytest.raises(LostConnection):
            KeptConnection(server.url).request("POST", CHAT, request_body(pages.article(30)), 0.5)
        server.wait_until(lambda: len(server.requests) == 1)
        server.wait_until(lambda: not server.card.running and not server.card.waiting)
        assert 'finished_reason="abort",model_name="model"} 1.0' in server.metrics()
