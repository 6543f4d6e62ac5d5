"""The stand-in model server against plain sockets: if it lied, every other test would."""

from __future__ import annotations

import base64
import http.client
import io
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
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from rig import replies
from rig.model_server import ModelServer, Reply, Request

PREFIX = "<|img|><|imgpad|><|endofimg|>"
CATEGORIES = ["Caption", "Footnote", "Formula", "List-item", "Page-footer", "Page-header"]
CATEGORIES += ["Picture", "Section-header", "Table", "Text", "Title"]


def png(width: int = 280, height: int = 280, shade: int = 255) -> bytes:
    out = io.BytesIO()
    Image.new("L", (width, height), shade).save(out, "PNG")
    return out.getvalue()


def data_url(picture: bytes) -> str:
    return "data:image/png;base64," + base64.b64encode(picture).decode()


def chat_body(picture: bytes | None = None, prompt: str = "Read it.", **over: Any) -> bytes:
    url = data_url(png() if picture is None else picture)
    content = [
        {"type": "image_url", "image_url": {"url": url}},
        {"type": "text", "text": PREFIX + prompt},
    ]
    body = {"model": "model", "messages": [{"role": "user", "content": content}], **over}
    return json.dumps(body).encode()


class Client:
    """One keep-alive connection."""

    def __init__(self, server: ModelServer, timeout_s: float = 5.0) -> None:
        host = server.url.removeprefix("http://")
        self.http = http.client.HTTPConnection(host, timeout=timeout_s)

    def __enter__(self) -> Client:
        return self

    def __exit__(self, *error: object) -> None:
        self.http.close()

    def send(self, body: bytes | None = None) -> None:
        body = chat_body() if body is None else body
        self.http.request("POST", "/v1/chat/completions", body)

    def receive(self) -> tuple[int, Any]:
        response = self.http.getresponse()
        return response.status, json.loads(response.read())

    def chat(self, body: bytes | None = None) -> tuple[int, Any]:
        self.send(body)
        return self.receive()

    def get(self, path: str, **headers: str) -> tuple[int, bytes]:
        self.http.request("GET", path, headers=headers)
        response = self.http.getresponse()
        return response.status, response.read()


def post(server: ModelServer, body: bytes | None = None) -> tuple[int, Any]:
    with Client(server) as client:
        return client.chat(body)


def text_of(answer: tuple[int, Any]) -> str:
    status, body = answer
    assert status == 200, body
    text = body["choices"][0]["message"]["content"]
    assert isinstance(text, str)
    return text


def metric(server: ModelServer, name: str, **labels: str) -> float:
    with Client(server) as client:
        text = client.get("/metrics")[1].decode()
    wanted = [f'{key}="{value}"' for key, value in labels.items()]
    for line in text.splitlines():
        if line.startswith(f"vllm:{name}{{") and all(label in line for label in wanted):
            return float(line.split()[-1])
    raise AssertionError(f"no {name} {labels} in:\n{text}")


def assert_refuses(server: ModelServer) -> None:
    with Client(server) as client, pytest.raises(ConnectionRefusedError):
        client.get("/health")


@pytest.fixture
def server() -> Iterator[ModelServer]:
    with ModelServer() as server:
        yield server


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


# --- faults --------------------------------------------------------------------------------


def test_reset(server: ModelServer) -> None:
    server.script = lambda request: Reply(fault="reset")
    with Client(server) as client:
        client.send()
        with pytest.raises(ConnectionResetError) as caught:
            client.receive()
    assert not isinstance(caught.value, http.client.RemoteDisconnected)  # a true RST


def test_close(server: ModelServer) -> None:
    server.script = lambda request: Reply(fault="close")
    with Client(server) as client:
        client.send()
        with pytest.raises(http.client.RemoteDisconnected):
            client.receive()


def test_truncate(server: ModelServer) -> None:
    server.script = lambda request: Reply(fault="truncate")
    with Client(server) as client:
        client.send()
        with pytest.raises(http.client.IncompleteRead):
            client.receive()


def test_garbage(server: ModelServer) -> None:
    server.script = replies.in_turn(Reply(fault="garbage"), Reply("fine"))
    with Client(server) as client:
        client.send()
        response = client.http.getresponse()
        assert (response.status, response.read()) == (200, replies.GARBAGE)
        assert text_of(client.chat()) == "fine"


def test_hang_ends_with_the_patience_of_the_client(server: ModelServer) -> None:
    server.script = lambda request: Reply(fault="hang")
    with Client(server, timeout_s=0.1) as client:
        client.send()
        with pytest.raises(TimeoutError):
            client.receive()
        assert server.in_flight == 1 and not server.requests[0].disconnected
    server.wait_until(lambda: server.requests[0].disconnected and server.in_flight == 0)
    assert metric(server, "request_success_total", finished_reason="abort") == 0


def test_hang_ends_with_the_server() -> None:
    with ModelServer() as server, Client(server) as client:
        server.script = lambda request: Reply(fault="hang")
        client.send()
        server.wait_until(lambda: server.in_flight == 1)
        server.__exit__(None, None, None)
        with pytest.raises(http.client.RemoteDisconnected):
            client.receive()
        assert not server.requests[0].disconnected


def test_a_delay_lasts_and_notices_who_leaves(server: ModelServer) -> None:
    server.script = replies.in_turn(Reply(delay_s=0.1), Reply(delay_s=60))
    with Client(server) as client:
        begin_s = time.monotonic()
        assert client.chat()[0] == 200
        assert 0.1 <= time.monotonic() - begin_s < 1
        client.send()
        server.wait_until(lambda: server.in_flight == 1)
    server.wait_until(lambda: server.requests[1].disconnected, timeout_s=1)
    assert not server.requests[0].disconnected


def test_a_client_that_resets_is_gone_too(server: ModelServer) -> None:
    server.script = lambda request: Reply(delay_s=60)
    with Client(server) as client:
        client.send()
        server.wait_until(lambda: server.in_flight == 1)
        linger = b"\1\0\0\0\0\0\0\0"
        client.http.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
    server.wait_until(lambda: server.requests[0].disconnected, timeout_s=1)


def test_a_request_sent_early_is_no_goodbye(server: ModelServer) -> None:
    server.script = lambda request: Reply("ok", delay_s=0.05)
    body = chat_body()
    head = f"POST /v1/chat/completions HTTP/1.1\r\nContent-Length: {len(body)}\r\n\r\n".encode()
    with socket.create_connection(("127.0.0.1", int(server.url.split(":")[-1]))) as raw:
        raw.sendall(head + body)
        server.wait_until(lambda: server.in_flight == 1)
        raw.sendall(head + body)
        came = b""
        while came.count(b"HTTP/1.1 200 OK") < 2:
            came += raw.recv(1 << 16)
    assert not any(request.disconnected for request in server.requests)


def test_a_request_cut_short_is_not_logged(server: ModelServer) -> None:
    with socket.create_connection(("127.0.0.1", int(server.url.split(":")[-1]))) as raw:
        raw.sendall(b"POST /v1/chat/completions HTTP/1.1\r\nContent-Length: 100\r\n\r\nshort")
        raw.shutdown(socket.SHUT_WR)
        assert raw.recv(100) == b""
    assert server.requests == []


# --- connections ---------------------------------------------------------------------------


def test_a_connection_is_kept_and_has_a_number(server: ModelServer) -> None:
    with Client(server) as client:
        client.chat()
        client.chat()
    post(server)
    assert [request.connection for request in server.requests] == [0, 0, 1]
    assert server.connections == 2


def test_an_idle_connection_is_closed_after_an_answer_only() -> None:
    with ModelServer(idle_timeout_s=0.1) as server, Client(server) as new, Client(server) as used:
        new.http.connect()
        used.chat()
        begin_s = time.monotonic()
        assert used.http.sock.recv(1) == b""
        assert 0.05 < time.monotonic() - begin_s < 1
        assert new.chat()[0] == 200  # it was silent for as long, but nobody had answered it yet


def test_a_slow_answer_is_not_idleness() -> None:
    with ModelServer(idle_timeout_s=0.05) as server, Client(server) as client:
        server.script = lambda request: Reply("ok", delay_s=0.2)
        assert text_of(client.chat()) == text_of(client.chat()) == "ok"
        assert server.connections == 1


def test_two_hundred_at_once(server: ModelServer) -> None:
    body = chat_body(png(56, 56))
    everyone_is_in = threading.Event()

    def hold(request: Request) -> Reply:
        everyone_is_in.wait(5)
        return Reply("ok")

    server.script = hold
    with ThreadPoolExecutor(200) as pool:
        answers = [pool.submit(post, server, body) for _ in range(200)]
        server.wait_until(lambda: server.in_flight == 200)
        everyone_is_in.set()
        assert {text_of(answer.result()) for answer in answers} == {"ok"}
    assert sorted(request.number for request in server.requests) == list(range(200))
    assert server.max_in_flight == 200 and server.in_flight == 0


def test_a_client_of_n_threads_never_seems_to_have_more_in_flight(server: ModelServer) -> None:
    def talk(_: int) -> None:
        with Client(server) as client:
            for _ in range(20):
                client.chat(body)

    body = chat_body(png(56, 56))
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(talk, range(4)))
    assert len(server.requests) == 80 and server.max_in_flight <= 4


# --- the queue -----------------------------------------------------------------------------


def start(server: ModelServer, clients: list[Client]) -> None:
    """Send one request on each, in this order."""
    for count, client in enumerate(clients, server.in_flight + 1):
        client.send()
        # mypy cannot infer a lambda with a default
        server.wait_until(lambda count=count: server.in_flight == count)  # type: ignore[misc]


def test_the_queue_is_served_in_order_and_forgets_who_left() -> None:
    go = threading.Semaphore(0)
    served = []

    def hold(request: Request) -> Reply:
        served.append(request.number)
        go.acquire(timeout=5)
        return Reply("ok")

    with ModelServer(max_num_seqs=1) as server:
        server.script = hold
        clients = [Client(server) for _ in range(4)]
        start(server, clients)
        assert metric(server, "num_requests_running") == 1
        assert metric(server, "num_requests_waiting") == 3
        clients[1].http.close()
        server.wait_until(lambda: server.requests[1].disconnected)
        go.release(3)
        assert [text_of(clients[i].receive()) for i in (0, 2, 3)] == ["ok"] * 3
        assert served == [0, 2, 3]
        assert server.max_in_flight == 4 and server.in_flight == 0
        assert metric(server, "request_success_total", finished_reason="stop") == 3
        for client in clients:
            client.http.close()


def test_a_full_queue_answers_503_and_then_takes_more() -> None:
    with ModelServer(max_num_seqs=1, max_queued=2) as server:
        server.script = lambda request: Reply("ok", delay_s=0.1)
        with Client(server) as first, Client(server) as second:
            start(server, [first, second])
            status, body = post(server)
            assert status == 503 and body == replies.busy_503().error_body()
            assert text_of(first.receive()) == text_of(second.receive()) == "ok"
        assert post(server)[0] == 200
        assert server.max_in_flight == 2 and len(server.requests) == 4


# --- dying and coming back -----------------------------------------------------------------


def test_die_resets_everyone_and_refuses(server: ModelServer) -> None:
    server.script = replies.in_turn(Reply("ok"), Reply(fault="hang"))
    with Client(server) as idle, Client(server) as busy, Client(server) as silent:
        idle.chat()
        busy.send()
        silent.http.connect()
        server.wait_until(lambda: server.in_flight == 1 and server.connections == 3)
        server.die()
        for client in (idle, busy, silent):
            with pytest.raises(ConnectionResetError):
                client.http.sock.recv(1)
        assert_refuses(server)
        assert server.in_flight == 0 and not server.requests[1].disconnected


def test_the_dead_come_back_on_the_same_port(server: ModelServer) -> None:
    url = server.url
    for _ in range(3):
        server.die()
        assert_refuses(server)
        server.come_back()
        assert server.url == url and post(server)[0] == 200
    assert len(server.requests) == 3


def test_come_back_later_does_not_wait(server: ModelServer) -> None:
    begin_s = time.monotonic()
    server.come_back(after_s=0.15)
    assert time.monotonic() - begin_s < 0.1
    assert_refuses(server)
    while True:
        try:
            assert post(server)[0] == 200
            break
        except ConnectionRefusedError:
            time.sleep(0.01)
    assert 0.15 <= time.monotonic() - begin_s < 2


def test_a_death_cancels_a_planned_return(server: ModelServer) -> None:
    server.come_back(after_s=0.1)
    server.die()
    time.sleep(0.2)
    assert_refuses(server)


def test_a_server_that_stops_answers_nobody(server: ModelServer) -> None:
    server.script = lambda request: Reply("ok", delay_s=0.05)
    with Client(server, timeout_s=0.3) as busy, Client(server) as idle:
        idle.chat()
        start(server, [busy])
        server.stop_answering()
        assert_refuses(server)
        assert idle.http.sock.recv(1) == b""
        with pytest.raises(TimeoutError):
            busy.receive()
        server.die()
        with pytest.raises(ConnectionResetError):
            busy.http.sock.recv(1)
    server.come_back()
    assert post(server)[0] == 200


def test_a_reply_may_be_the_last_one(server: ModelServer) -> None:
    server.script = lambda request: replies.engine_dead_500(then=server.die)
    assert post(server)[0] == 500
    server.wait_until(lambda: not is_listening(server))


def is_listening(server: ModelServer) -> bool:
    try:
        post(server)
    except ConnectionError:
        return False
    return True


def test_a_client_in_the_queue_is_reset_by_a_death() -> None:
    with ModelServer(max_num_seqs=1) as server, Client(server) as first, Client(server) as second:
        server.script = lambda request: Reply(fault="hang")
        start(server, [first, second])
        server.die()
        with pytest.raises(ConnectionResetError):
            second.receive()
        assert server.in_flight == 0


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
    threads, files = threading.active_count(), open_files()
    with warnings.catch_warnings():
        warnings.simplefilter("error", ResourceWarning)
        for _ in range(3):
            use()
    assert threading.active_count() == threads
    assert open_files() == files


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
