"""The stand-in model server against plain sockets: if it is wrong, every other test is wrong."""

from __future__ import annotations

import gc
import http.client
import json
import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
import warnings
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from rig import replies
from rig.model_server import ModelServer, Reply, Request
from rig.plain_client import (
    PREFIX,
    Client,
    chat_body,
    metric,
    png,
    post,
    start,
    text_of,
)

CATEGORIES = ["Caption", "Footnote", "Formula", "List-item", "Page-footer", "Page-header"]
CATEGORIES += ["Picture", "Section-header", "Table", "Text", "Title"]


# --- answers -------------------------------------------------------------------------------


def test_a_good_answer_is_a_layout_in_the_pixels_of_the_model(server: ModelServer) -> None:
    picture = png(616, 840)
    status, body = post(server, chat_body(picture))
    choice = body["choices"][0]
    cells = json.loads(choice["message"]["content"])
    usage = body["usage"]
    assert (status, choice["finish_reason"], body["model"]) == (200, "stop", "model")
    assert usage["total_tokens"] == usage["prompt_tokens"] + usage["completion_tokens"]
    assert usage["completion_tokens"] == len(choice["message"]["content"]) // 3
    for cell in cells:
        x1, y1, x2, y2 = cell["bbox"]
        assert 0 <= x1 < x2 <= 616 and 0 <= y1 < y2 <= 840
        assert cell["category"] in CATEGORIES
        assert ("text" in cell) == (cell["category"] != "Picture")
    texts = {cell["category"]: cell.get("text") for cell in cells}
    assert r"\frac" in texts["Formula"]
    assert texts["Table"].startswith("<table>")
    assert replies.picture_token(picture) in texts["Text"]


def test_the_answer_depends_on_the_picture_alone(server: ModelServer) -> None:
    first, again = (text_of(post(server, chat_body(png(shade=7)))) for _ in range(2))
    other = text_of(post(server, chat_body(png(shade=8))))
    assert first == again != other
    assert server.requests[0].token in first and server.requests[2].token in other


@pytest.mark.parametrize(
    ("size", "seen"),
    [
        ((280, 280), (280, 280)),
        ((827, 1170), (840, 1176)),
        ((10, 10), (56, 56)),
        ((1654, 2339), (1652, 2352)),
        ((3307, 4677), (2800, 3976)),
    ],
)
def test_model_size(size: tuple[int, int], seen: tuple[int, int]) -> None:
    assert replies.model_size(*size) == seen


@pytest.mark.parametrize("size", [(280, 280), (616, 840), (1000, 700), (827, 1170)])
def test_one_token_per_28_by_28_pixels(server: ModelServer, size: tuple[int, int]) -> None:
    def tokens(picture: bytes) -> int:
        return int(post(server, chat_body(picture))[1]["usage"]["prompt_tokens"])

    text_alone = tokens(png(28, 28)) - 4  # the smallest picture is seen as 56 x 56
    assert tokens(png(*size)) - text_alone == round(size[0] / 28) * round(size[1] / 28)


def test_boxes_alone_for_layout_only(server: ModelServer) -> None:
    prompt = "Please output the layout. Do not output the corresponding text. In JSON format."
    cells = json.loads(text_of(post(server, chat_body(prompt=prompt))))
    assert len(cells) == 9 and not any("text" in cell for cell in cells)


def test_plain_text_for_ocr(server: ModelServer) -> None:
    text = text_of(post(server, chat_body(prompt="Extract the text content from this image.")))
    assert server.requests[0].token in text
    with pytest.raises(ValueError):
        json.loads(text)


@pytest.mark.parametrize("limit", ["max_completion_tokens", "max_tokens"])
def test_an_answer_is_cut_at_the_limit_of_the_client(server: ModelServer, limit: str) -> None:
    over: dict[str, Any] = {limit: 10}
    status, body = post(server, chat_body(**over))
    choice = body["choices"][0]
    assert (status, choice["finish_reason"]) == (200, "length")
    assert body["usage"]["completion_tokens"] == 10
    assert len(choice["message"]["content"]) == 30


def test_a_limit_that_does_not_fit_is_clamped_in_silence(server: ModelServer) -> None:
    server.script = lambda request: Reply("x" * 60_000)
    _, body = post(server, chat_body(max_completion_tokens=16384))
    assert body["choices"][0]["finish_reason"] == "length"
    assert body["usage"]["total_tokens"] == 16384


# --- requests ------------------------------------------------------------------------------


def test_a_request_is_logged_as_it_came(server: ModelServer) -> None:
    picture = png(100, 60)
    before_s = time.monotonic()
    post(server, chat_body(picture, prompt="Read.\n", temperature=0.1, unknown_field=1))
    request = server.requests[0]
    assert request.picture == picture and request.size == (100, 60)
    assert len(request.picture_sha256) == 64 and request.picture_sha256.startswith(request.token)
    assert request.text == PREFIX + "Read.\n" and request.prompt == "Read.\n"
    assert request.temperature == 0.1 and request.body["unknown_field"] == 1
    assert request.number == 0 and not request.disconnected
    assert before_s <= request.received_at <= time.monotonic()
    assert request.headers["host"] == server.url.removeprefix("http://")


def test_reset_forgets(server: ModelServer) -> None:
    post(server)
    assert server.max_in_flight == 1
    server.reset()
    assert server.requests == [] and server.max_in_flight == 0
    post(server)
    assert server.requests[0].number == 0


# --- refusals ------------------------------------------------------------------------------

ASKED: list[tuple[str, bytes, Reply]] = [
    ("not base64", chat_body().replace(b"base64,", b"base64,*"), replies.bad_base64()),
    ("not an image", chat_body(b"no image"), replies.bad_image()),
    ("truncated", chat_body(png(600, 600)[:-40]), replies.bad_image("")),
    ("unknown model", chat_body(model="nope"), replies.unknown_model("nope")),
    (
        "two images",
        chat_body().replace(
            b'"content": [', (b'"content": [{"type": "image_url", "image_url": {"url": "data:,"}},')
        ),
        replies.two_images(),
    ),
    ("aspect ratio", chat_body(png(2000, 10)), replies.bad_aspect()),
    ("limit", chat_body(max_completion_tokens=20000), replies.too_many_tokens()),
    ("not JSON", b"{", replies.bad_json()),
    ("no messages", b"[]", replies.bad_json()),
]


@pytest.mark.parametrize(("body", "like"), [a[1:] for a in ASKED], ids=[a[0] for a in ASKED])
def test_what_vllm_refuses_is_refused_whatever_the_script(
    server: ModelServer, body: bytes, like: Reply
) -> None:
    server.script = lambda request: Reply("never")
    status, answer = post(server, body)
    assert status == like.status
    assert re.sub(r" at 0x\w+", "", answer["error"]["message"]).startswith(like.error_message)
    assert answer["error"].keys() == {"message", "type", "param", "code"}
    assert answer["error"]["code"] == status
    assert len(server.requests) == 1


def test_a_picture_over_the_context_is_refused_with_both_lengths() -> None:
    with ModelServer(max_model_len=100) as server:
        status, body = post(server, chat_body(png(1000, 1000)))
        tokens = server.requests[0].prompt_tokens
        assert status == 400
        assert body["error"]["message"] == (
            f"Input length ({tokens}) exceeds model's maximum context length (100)."
        )
        assert post(server, chat_body(png(84, 84)))[0] == 200


def test_file_urls_and_bombs_are_permanent_500s(
    server: ModelServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    body = re.sub(rb"data:[^\"]*", b"file:///page.png", chat_body())
    assert post(server, body)[0] == 500
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 1000)
    status, answer = post(server, chat_body(png(100, 100)))
    assert status == 500 and "decompression bomb" in answer["error"]["message"]


def test_truncated_pictures_pass_where_nobody_looks() -> None:
    with ModelServer(check_pictures=False) as server:
        assert post(server, chat_body(png(600, 600)[:-40]))[0] == 200


def test_a_key_is_wanted_for_v1_only() -> None:
    with ModelServer(api_key="sesame") as server, Client(server) as client:
        assert client.chat() == (401, {"error": "Unauthorized"})
        assert client.get("/v1/models")[0] == 401
        assert client.get("/v1/models", Authorization="Bearer sesame")[0] == 200
        assert client.get("/health")[0] == 200
        assert server.requests == []


MADE: list[tuple[Reply, int, str, str]] = [
    (replies.too_long(), 400, "BadRequestError", "Input length (14234) exceeds model's maximum"),
    (replies.bad_image(), 400, "BadRequestError", "Failed to load image: "),
    (replies.unknown_model("x"), 404, "NotFoundError", "The model `x` does not exist"),
    (replies.busy_503(), 503, "ServiceUnavailableError", "The engine is currently busy"),
    (replies.engine_dead_500(), 500, "InternalServerError", "EngineCore encountered an issue"),
    (replies.permanent_500(), 500, "InternalServerError", "Image size (200000000 pixels)"),
]


@pytest.mark.parametrize(("reply", "status", "kind", "start"), MADE)
def test_ready_made_replies(
    server: ModelServer, reply: Reply, status: int, kind: str, start: str
) -> None:
    server.script = lambda request: reply
    got, body = post(server)
    assert got == body["error"]["code"] == status
    assert body["error"]["type"] == kind and body["error"]["message"].startswith(start)


def test_a_reply_may_bring_a_body_and_headers(server: ModelServer) -> None:
    server.script = replies.in_turn(
        replies.unauthorized(), replies.busy_503(headers={"Retry-After": "1"}), Reply("last")
    )
    with Client(server) as client:
        assert client.chat() == (401, {"error": "Unauthorized"})
        client.send()
        response = client.http.getresponse()
        assert response.status == 503 and response.getheader("Retry-After") == "1"
        response.read()
        assert text_of(client.chat()) == text_of(client.chat()) == "last"


def test_a_finish_reason_is_passed_on(server: ModelServer) -> None:
    server.script = lambda request: Reply("... " * 50, finish_reason="repetition")
    assert post(server)[1]["choices"][0]["finish_reason"] == "repetition"
    assert metric(server, "request_success_total", finished_reason="repetition") == 1


def test_a_script_that_raises_fails_the_test_and_not_in_silence() -> None:
    def broken(request: Request) -> Reply:
        raise LookupError("in the script")

    with pytest.raises(LookupError, match="in the script"), ModelServer() as server:
        server.script = broken
        status, body = post(server)
        assert status == 500 and "in the script" in body["error"]["message"]


# --- the rest ------------------------------------------------------------------------------


def test_health_models_and_metrics() -> None:
    with ModelServer(model="dots") as server, Client(server) as client:
        assert client.get("/health") == client.get("/ping") == (200, b"")
        model = json.loads(client.get("/v1/models")[1])["data"][0]
        assert (model["id"], model["owned_by"], model["max_model_len"]) == ("dots", "vllm", 16384)
        assert client.get("/nothing")[0] == 404
        usage = post(server, chat_body(model="dots"))[1]["usage"]
        assert metric(server, "prompt_tokens_total") == usage["prompt_tokens"]
        assert metric(server, "generation_tokens_total") == usage["completion_tokens"]
        assert metric(server, "request_success_total", finished_reason="stop") == 1
        assert metric(server, "num_requests_running") == 0


def test_wait_until_gives_up(server: ModelServer) -> None:
    with pytest.raises(TimeoutError):
        server.wait_until(lambda: False, timeout_s=0.01)


def test_nothing_is_left_behind() -> None:
    def use() -> None:
        with ModelServer(max_num_seqs=1) as server:
            server.script = replies.in_turn(Reply("ok"), Reply(fault="hang"))
            clients = [Client(server) for _ in range(3)]
            clients[0].chat()
            start(server, clients[1:])
            server.come_back(after_s=60)
        for client in clients:
            client.http.close()

    use()
    gc.collect()  # what other tests left
    threads, files = threading.active_count(), open_files()
    with warnings.catch_warnings():
        warnings.simplefilter("error", ResourceWarning)
        for _ in range(3):
            use()
    assert threading.active_count() <= threads
    assert open_files() <= files


def open_files() -> int:
    folder = Path("/dev/fd")
    return len(list(folder.iterdir())) if folder.exists() else 0


def test_nobody_gets_the_port_of_a_server_that_comes_back(server: ModelServer) -> None:
    port = int(server.url.split(":")[-1])
    over = threading.Event()

    def thief() -> int:
        taken = 0
        while not over.is_set():
            with socket.socket() as other, suppress(OSError):
                other.bind(("127.0.0.1", port))
                taken += 1
        return taken

    with ThreadPoolExecutor(1) as pool:
        taken = pool.submit(thief)
        try:
            for _ in range(300):
                server.come_back()
        finally:
            over.set()
        assert taken.result() == 0


def test_a_taken_port_is_an_error(server: ModelServer) -> None:
    port = int(server.url.split(":")[-1])
    with pytest.raises(OSError, match="in use"), ModelServer(port=port):
        pass


def test_by_hand() -> None:
    script = Path(__file__).with_name("model_server.py")
    environment = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}
    process = subprocess.Popen(
        [sys.executable, str(script), "--port", "0", "--latency", "0.1", "--max-num-seqs", "2"],
        stderr=subprocess.PIPE,
        text=True,
        env=environment,
    )
    try:
        assert process.stderr is not None
        found = re.match(r"http://(127\.0\.0\.1:\d+) ", process.stderr.readline())
        assert found
        client = http.client.HTTPConnection(found[1], timeout=60)
        begin_s = time.monotonic()
        client.request("POST", "/v1/chat/completions", chat_body())
        response = client.getresponse()
        assert response.status == 200 and time.monotonic() - begin_s >= 0.1
        response.read()
        client.close()
        process.send_signal(signal.SIGINT)
        _, said = process.communicate(timeout=60)
        assert process.returncode == 0 and "1 requests" in said
    finally:
        if process.poll() is None:
            process.kill()
            process.communicate()
