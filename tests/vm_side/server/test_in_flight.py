"""How many pages are in flight: what the server's metrics say, and what follows from them."""

from __future__ import annotations

import contextlib
import json
import threading
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path

import pytest

from rig.command import batch_of, wait_until
from rig.model_server import ModelServer
from rig.replies import Reply, metrics_text
from server.connection import KeptConnection, LostConnection
from server.endpoint import Endpoint
from server.in_flight import AHEAD, QUEUE, START, InFlight, Load, Steer, read_load, steer

IDLE = Load(0, 0, 0.0, 0)
VLLM = """\
# HELP vllm:num_requests_running Number of requests in model execution batches.
# TYPE vllm:num_requests_running gauge
vllm:num_requests_running{engine="0",model_name="model"} 31.0
vllm:num_requests_waiting{engine="0",model_name="model"} 2.0
vllm:num_requests_waiting_by_reason{engine="0",model_name="model",reason="capacity"} 2.0
vllm:kv_cache_usage_perc{engine="0",model_name="model"} 0.6153846153846154
vllm:num_preemptions_total{engine="0",model_name="model"} 5.0
vllm:num_preemptions_created{engine="0",model_name="model"} 1.7845e+09
"""


@pytest.mark.parametrize(
    ("text", "load"),
    [
        (VLLM, Load(31, 2, 0.6153846153846154, 5)),
        (VLLM + VLLM.replace("0.615", "0.715"), Load(62, 4, 0.7153846153846154, 10)),
        (metrics_text("model", 3, 1, Counter(), 0.5), Load(3, 1, 0.5, 0)),
        (VLLM.replace("kv_cache", "gpu_cache"), Load(31, 2, 0.6153846153846154, 5)),  # 0.9.1
        ("vllm:num_requests_running 3\nvllm:num_requests_waiting 1\n", Load(3, 1, 0.0, 0)),
        ("vllm:num_requests_running{} 1.0\n", None),
        ("vllm:num_requests_running{} 1\nvllm:num_requests_waiting{} NaN\n", Load(1, 0, 0.0, 0)),
        ("vllm:num_requests_running{} many\nvllm:num_requests_waiting{} 0\n", None),
        ("<html>404 Not Found</html>", None),
        ("", None),
    ],
)
def test_metrics_are_read(text: str, load: Load | None) -> None:
    assert read_load(text) == load


@pytest.mark.parametrize(
    ("places", "inside", "load", "after"),
    [
        (8, 0, Load(0, 0, 0.0, 0), QUEUE),  # nothing runs yet: a queue
        (8, 8, Load(8, 0, 0.1, 0), 8 + QUEUE),  # all run: a queue behind them
        (16, 16, Load(12, 4, 0.1, 0), 12 + QUEUE),
        (72, 72, Load(64, 8, 0.2, 0), 72),  # it is full: as it is
    ],
)
def test_what_a_look_changes(places: int, inside: int, load: Load, after: int) -> None:
    assert steer(Steer(places, 256), inside, IDLE, load, 256).places == after


@pytest.fixture
def looks(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Looks at /metrics, which come fast; it grows with each."""
    seen: list[int] = []
    ask = Endpoint.metrics

    def counted(endpoint: Endpoint) -> str:
        text = ask(endpoint)
        seen.append(len(text))
        return text

    monkeypatch.setattr(Endpoint, "metrics", counted)
    monkeypatch.setattr("server.in_flight.LOOK_S", 0.005)
    return seen


@pytest.fixture
def busy() -> Iterator[ModelServer]:
    """A server with 40 requests in its batch, of whomever."""
    with ModelServer() as server, ThreadPoolExecutor(40) as clients:
        server.script = lambda request: Reply(fault="hang")
        for _ in range(40):
            clients.submit(ask, server.url)
        server.wait_until(lambda: server.in_flight == 40)
        yield server
        server.die()


def ask(url: str) -> None:
    body = json.dumps({"messages": [{"role": "user", "content": "?"}]}).encode()
    with contextlib.suppress(LostConnection):
        KeptConnection(url).request("POST", "/v1/chat/completions", body, 60)


def test_a_server_on_which_nothing_waits_gets_more(looks: list[int], busy: ModelServer) -> None:
    with InFlight(busy.url, 64) as in_flight, ExitStack() as inside:
        for _ in range(40):
            inside.enter_context(in_flight.door.passed())
        wait_until(lambda: in_flight.limit() == 40 + QUEUE + AHEAD)


def test_an_idle_server_gets_a_queue(looks: list[int]) -> None:
    with ModelServer() as server, InFlight(server.url, 64) as in_flight:
        wait_until(lambda: len(looks) > 3)
        assert in_flight.limit() == QUEUE + AHEAD and all(looks)


def test_a_server_without_metrics_gets_the_start(looks: list[int]) -> None:
    with ModelServer() as server:
        server.has_metrics = False
        with InFlight(server.url, 64) as in_flight:
            wait_until(lambda: len(looks) > 3)
            assert in_flight.limit() == START + AHEAD and not any(looks)


def test_a_server_that_is_away_changes_nothing(looks: list[int], busy: ModelServer) -> None:
    with InFlight(busy.url, 12) as in_flight:
        wait_until(lambda: in_flight.limit() == 12)
        busy.die()
        seen = len(looks)
        wait_until(lambda: len(looks) > seen + 2)
        assert in_flight.limit() == 12


def test_the_watch_ends(looks: list[int]) -> None:
    with ModelServer() as server:
        before = threading.active_count()
        with InFlight(server.url, 2):
            wait_until(lambda: bool(looks))
        wait_until(lambda: threading.active_count() <= before)


def test_a_server_with_two_places_is_not_flooded(tmp_path: Path) -> None:
    """Of forty pages, never more than the start are sent at once, whatever -p allows."""
    with batch_of(tmp_path, 40, max_num_seqs=2) as (batch, server):
        server.script = lambda request: Reply(delay_s=0.1)
        finished = batch.run("-p", "64")
        assert (finished.code, finished.err) == (0, "")
        assert len(server.requests) == 40 and server.max_in_flight <= START
