"""The stand-in model server with its faults, queues and deaths, against plain sockets."""

from __future__ import annotations

import http.client
import socket
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest

from rig import replies
from rig.command import PATIENCE_S
from rig.model_server import ModelServer, Reply, Request
from rig.plain_client import (
    Client,
    assert_refuses,
    chat_body,
    metric,
    png,
    post,
    start,
    text_of,
)


def held() -> tuple[Callable[[Request], Reply], threading.Event]:
    """A script that waits for the event before it answers, and the event."""
    go = threading.Event()

    def hold(request: Request) -> Reply:
        go.wait(PATIENCE_S)
        return Reply("ok")

    return hold, go


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
    server.script = replies.in_turn(Reply(delay_s=0.1), Reply(delay_s=600))
    with Client(server) as client:
        begin_s = time.monotonic()
        assert client.chat()[0] == 200
        assert time.monotonic() - begin_s >= 0.1
        client.send()
        server.wait_until(lambda: server.in_flight == 1)
    server.wait_until(lambda: server.requests[1].disconnected)
    assert not server.requests[0].disconnected


def test_a_client_that_resets_is_gone_too(server: ModelServer) -> None:
    server.script = lambda request: Reply(delay_s=600)
    with Client(server) as client:
        client.send()
        server.wait_until(lambda: server.in_flight == 1)
        linger = b"\1\0\0\0\0\0\0\0"
        client.http.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
    server.wait_until(lambda: server.requests[0].disconnected)


def test_a_request_sent_early_is_no_goodbye(server: ModelServer) -> None:
    server.script, go = held()
    body = chat_body()
    head = f"POST /v1/chat/completions HTTP/1.1\r\nContent-Length: {len(body)}\r\n\r\n".encode()
    with socket.create_connection(("127.0.0.1", int(server.url.split(":")[-1]))) as raw:
        raw.sendall(head + body)
        server.wait_until(lambda: server.in_flight == 1)
        raw.sendall(head + body)
        go.set()
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
        assert time.monotonic() - begin_s > 0.05
        assert new.chat()[0] == 200  # it was idle for as long, but it had no answer yet


def test_a_slow_answer_is_not_idleness() -> None:
    with ModelServer(idle_timeout_s=0.05) as server, Client(server) as client:
        server.script = lambda request: Reply("ok", delay_s=0.2)
        assert text_of(client.chat()) == text_of(client.chat()) == "ok"
        assert server.connections == 1


def test_two_hundred_at_once(server: ModelServer) -> None:
    body = chat_body(png(56, 56))
    server.script, everyone_is_in = held()
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


def test_the_queue_is_served_in_order_and_forgets_who_left() -> None:
    go = threading.Semaphore(0)
    served = []

    def hold(request: Request) -> Reply:
        served.append(request.number)
        go.acquire(timeout=PATIENCE_S)
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
        server.script, go = held()
        with Client(server) as first, Client(server) as second:
            start(server, [first, second])
            status, body = post(server)
            assert status == 503 and body == replies.busy_503().error_body()
            go.set()
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
    server.come_back(after_s=600)
    assert_refuses(server)
    begin_s = time.monotonic()
    server.come_back(after_s=0.15)
    while True:
        try:
            assert post(server)[0] == 200
            break
        except ConnectionRefusedError:
            time.sleep(0.01)
    assert time.monotonic() - begin_s >= 0.15


def test_a_death_cancels_a_planned_return(server: ModelServer) -> None:
    server.come_back(after_s=0.1)
    server.die()
    time.sleep(0.2)
    assert_refuses(server)


def test_a_server_that_stops_answers_nobody(server: ModelServer) -> None:
    server.script, go = held()
    with Client(server, timeout_s=0.3) as busy, Client(server) as idle:
        idle.get("/health")
        start(server, [busy])
        server.stop_answering()
        go.set()
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
