"""One kept connection: what servers do, and some things that no server should do."""

from __future__ import annotations

import contextlib
import socket
import struct
import time
from collections.abc import Iterator
from typing import Any

import pytest

from rig.model_server import ModelServer
from rig.raw_server import RawServer, Talk
from server import connection
from server.connection import KeptConnection, LostConnection, Response

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


@contextlib.contextmanager
def kept(url: str) -> Iterator[KeptConnection]:
    client = KeptConnection(url)
    try:
        yield client
    finally:
        client.close()


def post(client: KeptConnection, body: bytes = b"END", timeout_s: float = 5.0) -> Response:
    return client.request("POST", "/v1", body, timeout_s)


def talking(*answers: bytes) -> tuple[RawServer, Talk]:
    server = RawServer()
    server.talks = (server.say(*answers),)
    return server, server.talks[0]


def test_a_connection_is_kept() -> None:
    with ModelServer() as server, kept(server.url) as client:
        for _ in range(3):
            assert client.request("GET", "/v1/models", b"", 5).status == 200
        assert server.connections == 1


def test_a_path_in_the_url_is_kept_too() -> None:
    server, _ = talking(OK)
    with server, kept(server.url + "/proxy/") as client:
        assert post(client).body == b"ok"
        assert server.received.startswith(b"POST /proxy/v1 HTTP/1.1\r\n")


def test_the_environments_proxy_is_not_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "HTTP_PROXY", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    with ModelServer() as server, kept(server.url) as client:
        assert client.request("GET", "/health", b"", 5).status == 200


# --- forms of an answer --------------------------------------------------------------------


@pytest.mark.parametrize(
    ("answer", "body"),
    [
        (b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", b""),
        (
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n1\r\n!\r\n0\r\n\r\n",
            b"ok!",
        ),
        (b"HTTP/1.1 100 Continue\r\n\r\n" + OK, b"ok"),
        (b"HTTP/1.1 204 No Content\r\n\r\n", b""),
    ],
    ids=["empty", "chunked", "100-continue", "204"],
)
def test_after_a_whole_answer_the_connection_is_used_again(answer: bytes, body: bytes) -> None:
    server, _ = talking(answer, OK)
    with server, kept(server.url) as client:
        assert post(client).body == body
        assert post(client).body == b"ok"
        assert server.connections == 1 and server.received.count(b"END") == 2


@pytest.mark.parametrize(
    "answer",
    [
        b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok",
        b"HTTP/1.1 200 OK\r\n\r\nok",
        b"HTTP/1.0 200 OK\r\n\r\nok",
    ],
    ids=["close", "no-length", "1.0"],
)
def test_after_an_answer_that_ends_with_the_connection_a_new_one_is_made(answer: bytes) -> None:
    server, _ = talking(answer)
    with server, kept(server.url) as client:
        assert [post(client).body, post(client).body] == [b"ok", b"ok"]
        assert server.connections == 2 and server.received.count(b"END") == 2


@pytest.mark.parametrize(
    "answer",
    [
        b"",
        b"HTTP/1.1 2",
        b"SSH-2.0-OpenSSH_9.6\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 20\r\n\r\nok",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n9\r\nok",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\nok",
        b"HTTP/1.1 200 OK\r\nX: " + b"x" * 70_000,
    ],
    ids=["nothing", "head-cut", "no-http", "body-cut", "chunk-cut", "no-chunk", "endless-header"],
)
def test_an_answer_that_is_cut_or_none_is_a_lost_connection(answer: bytes) -> None:
    server, _ = talking(answer)
    with server, kept(server.url) as client:
        with pytest.raises(LostConnection) as lost:
            post(client)
        assert lost.value.sent and server.connections == 1


def test_an_answer_before_the_body_was_read() -> None:
    """The server's reset may destroy the answer; the caller learns of this at once."""
    server = RawServer()

    def refuse(connected: socket.socket) -> None:
        connected.recv(10)
        connected.sendall(b"HTTP/1.1 413 Too Large\r\nConnection: close\r\n\r\n")

    server.talks = (refuse,)
    with server, kept(server.url) as client:
        with contextlib.suppress(LostConnection):
            assert post(client, b"x" * 20_000_000).status == 413
        assert server.connections == 1


def test_a_server_that_ends_its_sending_half_after_the_answer() -> None:
    server = RawServer()

    def half(connected: socket.socket) -> None:
        if server.receive(connected):
            connected.sendall(OK)
            connected.shutdown(socket.SHUT_WR)
            server.receive(connected)

    server.talks = (half,)
    with server, kept(server.url) as client:
        assert [post(client).body, post(client).body] == [b"ok", b"ok"]
        assert server.connections == 2


# --- stale connections ---------------------------------------------------------------------


def test_a_stale_connection_is_replaced_at_once() -> None:
    with ModelServer(idle_timeout_s=0.05) as server, kept(server.url) as client:
        client.request("GET", "/health", b"", 5)
        assert connection.is_readable(client._kept.sock, 5)  # type: ignore[union-attr]  # it is open
        began = time.monotonic()
        assert client.request("GET", "/health", b"", 60).status == 200
        assert time.monotonic() - began < 30 and server.connections == 2


def test_a_connection_that_is_reset_under_the_request_is_replaced_once() -> None:
    server = RawServer()

    def one_then_reset(connected: socket.socket) -> None:
        server.say(OK)(connected)
        server.receive(connected)
        connected.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))

    server.talks = (one_then_reset, server.say(OK))
    with server, kept(server.url) as client:
        assert [post(client).body, post(client).body] == [b"ok", b"ok"]
        assert server.connections == 2 and server.received.count(b"END") == 3


def test_a_server_that_always_resets_is_not_asked_for_ever() -> None:
    server = RawServer()
    server.talks = (server.say(OK, b""), server.say(b""))
    with server, kept(server.url) as client:
        assert post(client).body == b"ok"
        with pytest.raises(LostConnection):
            post(client)
        assert server.connections == 2


def test_after_a_timeout_a_kept_connection_is_not_asked_again() -> None:
    server = RawServer()
    server.talks = (server.say(OK, b""),)

    def one_then_silence(connected: socket.socket) -> None:
        server.say(OK)(connected)
        server.receive(connected)
        server.over.wait()

    server.talks = (one_then_silence,)
    with server, kept(server.url) as client:
        assert post(client).body == b"ok"
        with pytest.raises(LostConnection, match="no answer in 0 s"):
            post(client, timeout_s=0.2)
        assert server.connections == 1 and server.received.count(b"END") == 2


# --- time ----------------------------------------------------------------------------------


def test_refused_means_not_sent() -> None:
    with ModelServer() as server, kept(server.url) as client:
        server.die()
        with pytest.raises(LostConnection, match="refused") as lost:
            post(client)
        assert not lost.value.sent


@pytest.mark.parametrize("beginning", [b"", b"HTTP/1.1 200 OK\r\n", OK[:-1]])
def test_silence_ends_with_the_timeout(beginning: bytes) -> None:
    server = RawServer()

    def stop(connected: socket.socket) -> None:
        server.receive(connected)
        connected.sendall(beginning)
        server.over.wait()

    server.talks = (stop,)
    with server, kept(server.url) as client:
        began = time.monotonic()
        with pytest.raises(LostConnection, match="no answer in"):
            post(client, timeout_s=0.3)
        assert time.monotonic() - began > 0.25


def test_an_endless_answer_ends_with_the_timeout(monkeypatch: pytest.MonkeyPatch) -> None:
    server = RawServer()
    answers: list[connection.IncomingResponse] = []

    class Kept(connection.IncomingResponse):
        """An answer that the test looks at afterwards."""

        def __init__(self, *arguments: Any, **named: Any) -> None:
            super().__init__(*arguments, **named)
            answers.append(self)

    monkeypatch.setattr(connection, "IncomingResponse", Kept)

    def drip(connected: socket.socket) -> None:
        server.receive(connected)
        connected.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
        with contextlib.suppress(ConnectionError):
            while not server.over.wait(0.02):
                connected.sendall(b"x")

    server.talks = (drip,)
    with server, kept(server.url) as client, pytest.raises(LostConnection):
        post(client, timeout_s=0.3)
    assert [answer.isclosed() for answer in answers] == [True]


def test_a_server_that_does_not_read_ends_with_the_timeout() -> None:
    server = RawServer()

    def ignore(connected: socket.socket) -> None:
        server.over.wait()

    server.talks = (ignore,)
    with server, kept(server.url) as client, pytest.raises(LostConnection, match="no answer in"):
        post(client, b"x" * 50_000_000, timeout_s=0.3)


def test_health_is_looked_at_only_while_no_byte_has_come(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connection, "HEALTH_INTERVAL_S", 0.05)
    looks: list[float] = []

    def is_alive() -> bool:
        looks.append(time.monotonic())
        return len(looks) != 2  # one failure, or two with a success in between, do not end it

    server = RawServer()

    def slow(connected: socket.socket) -> None:
        server.receive(connected)
        while len(looks) < 6 and not server.over.wait(0.005):
            pass
        connected.sendall(OK)

    server.talks = (slow,)
    with server, kept(server.url) as client:
        assert client.request("POST", "/v1", b"END", 5, is_alive).body == b"ok"
    assert len(looks) == 6


def test_three_failed_looks_in_a_row_end_the_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connection, "HEALTH_INTERVAL_S", 0.05)
    looks = iter([False, False, True, False, False, False])
    server = RawServer()

    def silent(connected: socket.socket) -> None:
        server.receive(connected)
        server.over.wait()

    server.talks = (silent,)
    with server, kept(server.url) as client:
        began = time.monotonic()
        with pytest.raises(LostConnection, match="went away") as lost:
            client.request("POST", "/v1", b"END", 60, lambda: next(looks))
        assert lost.value.sent and time.monotonic() - began < 30
    assert next(looks, None) is None


def test_names_that_nothing_has() -> None:
    with kept("http://no-such-host.invalid:8000") as client, pytest.raises(LostConnection) as lost:
        client.request("GET", "/health", b"", 5)
    assert not lost.value.sent


@pytest.mark.parametrize(("gap_s", "fewest", "most"), [(0.005, 5, 40), (0.3, 5, 8)])
def test_dense_parts_of_a_stream_come_together_and_sparse_ones_at_once(
    monkeypatch: pytest.MonkeyPatch, gap_s: float, fewest: int, most: int
) -> None:
    """Each part alone would cost CPU time; but the last part must not be late."""
    monkeypatch.setattr(connection, "GATHER_SHARE", 1.0)
    count = 120 if gap_s < 0.1 else 5
    server = RawServer()
    sent: list[float] = []

    def talk(connected: socket.socket) -> None:
        server.receive(connected)
        head = "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nContent-Length: "
        connected.sendall(f"{head}{count * 4}\r\n\r\n".encode())
        for _ in range(count):
            time.sleep(gap_s)
            connected.sendall(b"data")
            sent.append(time.monotonic())

    server.talks = (talk,)
    heard: list[tuple[float, bytes]] = []

    def listener(part: bytes) -> bool:
        heard.append((time.monotonic(), part))
        return True

    with server, kept(server.url) as client:
        client.request("POST", "/v1", b"END", 10, listener=listener)
    assert b"".join(part for _, part in heard) == b"data" * count
    assert fewest <= len(heard) <= most
    assert heard[-1][0] - sent[-1] < 2 * connection.GATHER_S
