"""The protocol, with a stand-in for the engine: requests, errors, queue, metrics."""

import base64
import io
import itertools
import json
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest
import requests
import uvicorn
from PIL import Image

from cpu_endpoint import protocol, server
from cpu_endpoint.lines import StoppedError
from rig.command import PATIENCE_S

JSON = {"Content-Type": "application/json"}
LACKS = "Korean: install it"  # /v1/models says it
Chat = Callable[..., dict[str, Any]]


class SlowReader:
    """Answers with the picture's size; holds a page if its prompt says so."""

    def __init__(self) -> None:
        self.hold = threading.Event()
        self.read: list[str] = []

    def answer(
        self, picture: np.ndarray[Any, Any], prompt: str, stopped: Callable[[], bool]
    ) -> str:
        self.read.append(prompt)
        if prompt == "break":
            raise ZeroDivisionError("no such page")
        while prompt.startswith("hold") and not self.hold.is_set():
            if stopped():
                raise StoppedError
            time.sleep(0.01)
        return f"{picture.shape} {picture[0, 0].tolist()} {prompt}"


class Served:
    """The application in a thread, on a free port."""

    def __init__(self) -> None:
        self.reader = SlowReader()
        self.stopping = threading.Event()
        app = server.build_app(self.reader, self.stopping, lacks=LACKS)
        bound = server.bind("127.0.0.1", 0)
        config = uvicorn.Config(app, log_level="critical", lifespan="off")
        self.uvicorn = uvicorn.Server(config)
        self.thread = threading.Thread(target=self.uvicorn.run, kwargs={"sockets": [bound]})
        self.url = f"http://127.0.0.1:{bound.getsockname()[1]}"
        self.thread.start()
        while not self.uvicorn.started:
            time.sleep(0.01)

    def post(self, body: object, timeout: float = PATIENCE_S) -> requests.Response:
        return requests.post(f"{self.url}/v1/chat/completions", json=body, timeout=timeout)

    def metric(self, name: str) -> float:
        text = requests.get(f"{self.url}/metrics", timeout=PATIENCE_S).text
        values = [row.split()[1] for row in text.splitlines() if row.startswith(f"vllm:{name}")]
        return float(values[0])

    def wait_for(self, name: str, value: float) -> None:
        end = time.monotonic() + PATIENCE_S
        while self.metric(name) != value:
            assert time.monotonic() < end, f"{name} is {self.metric(name)}, not {value}"
            time.sleep(0.02)


@pytest.fixture
def served() -> Iterator[Served]:
    running = Served()
    yield running
    running.reader.hold.set()
    running.uvicorn.should_exit = True
    running.thread.join(PATIENCE_S)


def png(width: int = 280, height: int = 560, colour: str = "red", mode: str = "RGB") -> bytes:
    file = io.BytesIO()
    Image.new(mode, (width, height), colour).save(file, "PNG")
    return file.getvalue()


def test_readiness_and_model_card(served: Served) -> None:
    assert requests.get(f"{served.url}/health", timeout=PATIENCE_S).status_code == 200
    assert requests.get(f"{served.url}/ping", timeout=PATIENCE_S).status_code == 200
    assert requests.get(f"{served.url}/nowhere", timeout=PATIENCE_S).status_code == 404
    assert requests.get(f"{served.url}/v1/models", timeout=PATIENCE_S).json() == {
        "object": "list",
        "data": [
            {
                "id": "dots-ocr-cpu-preview",
                "object": "model",
                "owned_by": "cpu-preview",
                "device": "cpu",
                "max_model_len": 16384,
                "lacks": LACKS,
            }
        ],
    }


def test_a_body_without_end_is_not_kept(served: Served) -> None:
    parts = itertools.repeat(b" " * (1 << 20), 80)  # no length is given
    answer = requests.post(
        f"{served.url}/v1/chat/completions", parts, headers=JSON, timeout=PATIENCE_S
    )
    assert answer.status_code == 413
    assert requests.get(f"{served.url}/health", timeout=PATIENCE_S).status_code == 200


def test_a_good_answer(served: Served, chat: Chat) -> None:
    body = served.post(chat(png(), "read this", unknown_field={"a": 1})).json()
    choice = body["choices"][0]
    assert choice["message"]["content"] == "(560, 280, 3) [0, 0, 255] read this"
    assert choice["finish_reason"] == "stop"
    # 10 x 20 squares of 28 pixels, and nine characters of prompt
    assert body["usage"]["prompt_tokens"] == 200 + 3
    assert body["usage"]["completion_tokens"] == protocol.count_tokens(choice["message"]["content"])


@pytest.mark.parametrize("field", ["max_completion_tokens", "max_tokens"])
def test_an_answer_that_is_too_long_is_cut(served: Served, chat: Chat, field: str) -> None:
    body = served.post(chat(png(), "read", **{field: 3})).json()
    assert body["choices"][0]["finish_reason"] == "length"
    assert body["choices"][0]["message"]["content"] == "(560, 280, 3"
    assert body["usage"]["completion_tokens"] == 3


def with_url(chat: Chat, url: str) -> dict[str, Any]:
    body = chat(png(), "x")
    body["messages"][0]["content"][0]["image_url"]["url"] = url
    return body


def broken(chat: Chat, case: str) -> object:
    """Bodies of requests that cannot be answered."""
    two = chat(png(), "x")
    two["messages"][0]["content"] += two["messages"][0]["content"][:1]
    odd = chat(png(), "x")
    odd["messages"][0]["content"].append({"type": "audio_url"})
    cut = base64.b64encode(png(900, 900)[:-900]).decode()
    cases: dict[str, object] = {
        "bad base64": with_url(chat, "data:image/png;base64,@@@@"),
        "not an image": with_url(
            chat, "data:image/png;base64," + base64.b64encode(b"words").decode()
        ),
        "a truncated image": with_url(chat, f"data:image/png;base64,{cut}"),
        "a remote image": with_url(chat, "http://example.org/page.png"),
        "not base64": with_url(chat, "data:image/png,abc"),
        "two images": two,
        "no image": chat(None, "x"),
        "no messages": {"model": protocol.MODEL},
        "not an object": [1, 2],
        "an unknown part": odd,
        "too many tokens asked": chat(png(), "x", max_completion_tokens=16385),
        "no tokens asked": chat(png(), "x", max_completion_tokens=0),
        "too long a picture": chat(png(28, 28 * 200), "x"),
        "too large a picture": chat(png(28 * 129, 28 * 128), "x"),
    }
    return cases[case]


def test_a_stream_is_the_whole_answer_in_one_event(served: Served, chat: Chat) -> None:
    whole = served.post(chat(png(), "x")).json()
    answer = served.post(chat(png(), "x", stream=True))
    assert answer.headers["content-type"].startswith("text/event-stream")
    said, counts, done, rest = answer.text.split("\n\n")
    assert (done, rest) == ("data: [DONE]", "")
    events = [json.loads(event.removeprefix("data: ")) for event in (said, counts)]
    assert events[0]["choices"][0]["delta"]["content"] == whole["choices"][0]["message"]["content"]
    assert events[0]["choices"][0]["finish_reason"] == "stop"
    assert events[1]["choices"] == [] and events[1]["usage"] == whole["usage"]


@pytest.mark.parametrize(
    ("case", "words"),
    [
        ("bad base64", "base64"),
        ("not an image", "Failed to load image"),
        ("a truncated image", "Failed to load image"),
        ("a remote image", "data: URLs"),
        ("not base64", "base64"),
        ("two images", "At most 1 image(s)"),
        ("no image", "image_url"),
        ("no messages", "messages"),
        ("not an object", "JSON object"),
        ("an unknown part", "Unknown part"),
        ("too many tokens asked", "max_model_len=16384"),
        ("no tokens asked", "at least 1"),
        ("too long a picture", "aspect ratio"),
        ("too large a picture", "maximum context length (16384)"),
    ],
)
def test_requests_that_cannot_be_answered(
    served: Served, chat: Chat, case: str, words: str
) -> None:
    answer = served.post(broken(chat, case))
    assert answer.status_code == 400
    error = answer.json()["error"]
    assert words in error["message"]
    assert set(error) == {"message", "type", "param", "code"}
    assert (error["type"], error["code"]) == ("BadRequestError", 400)


def test_an_unknown_model(served: Served, chat: Chat) -> None:
    answer = served.post({**chat(png(), "x"), "model": "gpt"})
    assert answer.status_code == 404
    assert answer.json()["error"]["message"] == "The model `gpt` does not exist."


def test_json_that_is_none(served: Served) -> None:
    url = f"{served.url}/v1/chat/completions"
    answer = requests.post(url, data=b'{"model": \xff', headers=JSON, timeout=PATIENCE_S)
    assert answer.status_code == 400
    assert "Invalid JSON" in answer.json()["error"]["message"]


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Content-Type": "text/plain"}, 415),
        (JSON | {"Host": "evil.example"}, 403),
        (JSON | {"Origin": "https://evil.example"}, 403),
        (JSON, 200),
    ],
)
def test_a_page_of_elsewhere_is_not_answered(
    served: Served, chat: Chat, headers: dict[str, str], status: int
) -> None:
    url, body = f"{served.url}/v1/chat/completions", json.dumps(chat(png(), "x"))
    answer = requests.post(url, data=body, headers=headers, timeout=PATIENCE_S)
    assert answer.status_code == status
    assert len(served.reader.read) == (status == 200)


def test_a_page_that_breaks_the_reader_does_not_break_the_server(
    served: Served, chat: Chat
) -> None:
    answer = served.post(chat(png(), "break"))
    assert answer.status_code == 500
    assert answer.json()["error"]["type"] == "InternalServerError"
    assert served.post(chat(png(), "fine")).status_code == 200


@pytest.mark.parametrize("mode", ["L", "P", "1", "LA", "RGBA", "CMYK", "I;16"])
def test_every_kind_of_picture_becomes_three_channels(mode: str) -> None:
    file = io.BytesIO()
    kind = "JPEG" if mode == "CMYK" else "PNG"
    Image.new(mode, (40, 60)).save(file, kind)
    picture = protocol.open_image(file.getvalue())
    assert picture.shape == (60, 40, 3)
    # transparent parts lie on white paper
    assert (picture[0, 0].tolist() == [255, 255, 255]) == (mode in ("LA", "RGBA", "CMYK"))


def test_a_body_of_twenty_megabytes(served: Served, chat: Chat) -> None:
    noise = np.random.default_rng(0).integers(0, 255, (2200, 2400, 3), np.uint8)
    file = io.BytesIO()
    Image.fromarray(noise).save(file, "PNG", compress_level=0)
    assert served.post(chat(file.getvalue(), "x")).status_code == 200


def test_health_answers_while_a_page_is_read_and_others_wait(served: Served, chat: Chat) -> None:
    threads = [
        threading.Thread(target=served.post, args=(chat(png(), f"hold {i}"),)) for i in range(3)
    ]
    for thread in threads:
        thread.start()
    served.wait_for("num_requests_waiting", 2)
    assert served.metric("num_requests_running") == 1
    assert requests.get(f"{served.url}/health", timeout=60).status_code == 200
    served.reader.hold.set()
    for thread in threads:
        thread.join(PATIENCE_S)
    served.wait_for('request_success_total{finished_reason="stop"', 3)
    assert served.metric("prompt_tokens_total") == 3 * (200 + 2)
    assert served.metric("generation_tokens_total") > 0


def test_a_client_that_left_is_not_served(served: Served, chat: Chat) -> None:
    with pytest.raises(requests.Timeout):
        served.post(chat(png(), "hold the reader"), timeout=0.3)
    first = threading.Thread(target=served.post, args=(chat(png(), "hold me too"),))
    first.start()
    served.wait_for('request_success_total{finished_reason="abort"', 1)
    with pytest.raises(requests.Timeout):
        served.post(chat(png(), "left in the queue"), timeout=0.3)
    served.wait_for('request_success_total{finished_reason="abort"', 2)
    served.reader.hold.set()
    first.join(PATIENCE_S)
    assert served.reader.read == ["hold the reader", "hold me too"]


def test_requests_under_way_hear_of_the_end(served: Served, chat: Chat) -> None:
    answers: list[requests.Response] = []
    body = chat(png(), "hold")
    thread = threading.Thread(target=lambda: answers.append(served.post(body)))
    thread.start()
    served.wait_for("num_requests_running", 1)
    served.stopping.set()
    thread.join(5)
    assert answers[0].status_code == 503
    assert answers[0].json()["error"]["message"] == "The server is shutting down."


@pytest.mark.parametrize(
    ("text", "tokens"), [("", 0), ("abcd", 1), ("abcde", 2), ("도서관", 3), ("ab도서", 3)]
)
def test_the_estimate_of_tokens(text: str, tokens: int) -> None:
    assert protocol.count_tokens(text) == tokens
    assert protocol.cut(text, tokens) == text


def test_a_bound_socket_refuses_until_it_listens() -> None:
    with server.bind("127.0.0.1", 0) as bound:
        port = bound.getsockname()[1]
        with pytest.raises(requests.ConnectionError):
            requests.get(f"http://127.0.0.1:{port}/health", timeout=2)
