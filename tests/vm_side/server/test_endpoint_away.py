"""One request to a model server that goes, comes back, hangs or is not there yet."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from rig import replies
from rig.asking import PNG, SAMPLING, ask, client, failure
from rig.model_server import ModelServer
from rig.replies import Reply, in_turn
from server import connection, endpoint
from server.verdicts import ServerGone

pytestmark = pytest.mark.usefixtures("hurry")


def test_a_stale_connection_costs_no_pause(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(endpoint, "FIRST_PAUSE_S", 60.0)
    with ModelServer(idle_timeout_s=0.05) as server:
        asking = client(server.url)
        for _ in range(3):
            asking.complete("model", PNG, "Read it.", SAMPLING)
            assert connection.is_readable(asking._connection._kept.sock, 5)  # type: ignore[union-attr]  # it is open
        asking.close()
        assert len(server.requests) == 3 and server.connections == 3


def test_a_dead_server_that_comes_back(server: ModelServer) -> None:
    def die_and_return() -> None:
        server.come_back(after_s=0.5)

    server.script = in_turn(replies.engine_dead_500(then=die_and_return), Reply("back"))
    assert ask(server, retries=1).text == "back"
    assert len(server.requests) == 2


def test_a_server_that_is_not_there_yet(server: ModelServer) -> None:
    server.come_back(after_s=0.5)
    assert ask(server, retries=0).text and len(server.requests) == 1


def test_a_server_that_stays_away(server: ModelServer) -> None:
    server.die()
    began = time.monotonic()
    with pytest.raises(ServerGone, match="nothing answers at http://127"):
        ask(server, ready_timeout_s=0.7)
    assert time.monotonic() - began >= 0.7


def test_a_server_that_returns_in_the_last_moment(
    server: ModelServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The last pause is never longer than the time that is left."""
    monkeypatch.setattr(endpoint, "FIRST_PAUSE_S", 200.0)
    server.come_back(after_s=0.5)
    began = time.monotonic()
    client(server.url, ready_timeout_s=1.5).wait_until_ready()
    assert 1.4 < time.monotonic() - began < 100


def test_a_server_that_never_answers_again_is_noticed_by_its_health(server: ModelServer) -> None:
    """Like vLLM after SIGTERM: without this the request would hang until its own timeout."""
    server.script = in_turn(Reply(fault="hang"), Reply("back"))
    with ThreadPoolExecutor(1) as pool:
        answer = pool.submit(ask, server, request_timeout_s=120)
        server.wait_until(lambda: server.in_flight == 1)
        server.stop_answering()
        server.wait_until(lambda: server.requests[0].disconnected)
        server.come_back()
        assert answer.result().text == "back" and len(server.requests) == 2


def test_a_request_that_hangs_on_a_healthy_server_ends_with_its_timeout(
    server: ModelServer,
) -> None:
    server.script = lambda request: Reply(fault="hang")
    began = time.monotonic()
    assert failure(server, request_timeout_s=0.3, retries=1) == "no answer in 0 s (2 times)"
    assert time.monotonic() - began >= 0.6
    server.wait_until(lambda: all(request.disconnected for request in server.requests))


def test_a_long_answer_of_a_healthy_server_is_waited_for(server: ModelServer) -> None:
    server.script = in_turn(Reply("slow", delay_s=1.0))
    assert ask(server).text == "slow" and len(server.requests) == 1
