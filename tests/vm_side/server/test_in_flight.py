"""How many pages are in flight: what the server's metrics say, and what follows."""

from __future__ import annotations

import contextlib
import json
import threading
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext
from pathlib import Path

import pytest

from rig.command import batch_of, wait_until
from rig.model_server import ModelServer
from rig.replies import Reply, metrics_text
from server.connection import KeptConnection, LostConnection
from server.endpoint import Endpoint, Passage
from server.in_flight import (
    AHEAD,
    CACHE_FULL,
    CACHE_HIGH,
    QUEUE,
    START,
    InFlight,
    Load,
    engines_in,
    next_places,
    read_load,
)

EARLIER = Load(0, 0, 0.01, 0)
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
        (VLLM + VLLM.replace("0.615", "0.715"), Load(62, 4, 0.7153846153846154, 10, engines=2)),
        (metrics_text("model", 3, 1, Counter(), 0.5), Load(3, 1, 0.5, 0)),
        (VLLM.replace("kv_cache", "gpu_cache"), Load(31, 2, 0.6153846153846154, 5)),  # 0.9.1
        ("vllm:num_requests_running 3\nvllm:num_requests_waiting 1\n", Load(3, 1, 0.0, 0)),
        ("vllm:num_requests_running{} 1.0\n", None),
        ("vllm:num_requests_running{} 1\nvllm:num_requests_waiting{} NaN\n", Load(1, 0, 0.0, 0)),
        ("vllm:num_requests_running{} many\nvllm:num_requests_waiting{} 0\n", None),
        (VLLM.replace("31.0", "1e308") * 2, Load(0, 4, 0.6153846153846154, 10, engines=2)),
        (VLLM.replace("31.0", "-1"), Load(0, 2, 0.6153846153846154, 5)),
        (VLLM.replace("} 0.61", "} -0.61"), Load(31, 2, 0.0, 5)),
        (VLLM.replace("} 5.0", "} " + "9" * 400), Load(31, 2, 0.6153846153846154, 0)),
        ("<html>404 Not Found</html>", None),
        ("", None),
    ],
)
def test_metrics_are_read(text: str, load: Load | None) -> None:
    assert read_load(text) == load


def test_each_engine_counts_its_tokens() -> None:
    line = 'vllm:generation_tokens_total{engine="%d",model_name="model"} 7.0\n'
    assert engines_in(VLLM) == 1  # this text does not say it
    assert [engines_in(VLLM + "".join(line % n for n in range(count))) for count in (1, 3)] == [
        1,
        3,
    ]


@pytest.mark.parametrize(
    ("places", "inside", "load", "after"),
    [
        (8, 0, Load(0, 0, 0.0, 0), QUEUE),  # nothing runs yet: only a queue
        (8, 8, Load(8, 0, 0.1, 0), 8 + QUEUE),  # all run: a queue in addition
        (16, 16, Load(12, 4, 0.1, 0), 12 + QUEUE),
        (8, 8, Load(0, 0, 0.0, 0), QUEUE),  # sent, but not in the metrics yet: no more
        (16, 16, Load(8, 0, 0.1, 0), 8 + QUEUE),  # this happens while a look is old
        (72, 72, Load(64, 8, 0.2, 0), 64 + QUEUE),  # it is full: no change
        (72, 70, Load(64, 6, 0.2, 0), 64 + QUEUE),  # two were answered, so the next two may come
        (72, 30, Load(30, 0, 0.2, 0), 30 + QUEUE),  # the client has no more pages just now
        (250, 250, Load(250, 0, 0.2, 0), 256),  # but never above the bound
        # a server that others use, too
        (8, 0, Load(64, 30, 0.2, 0), QUEUE),  # their requests fill it: a few of ours wait, too
        (40, 40, Load(64, 3, 0.2, 0), 40 + QUEUE - 3),  # the queue includes theirs
        (40, 40, Load(64, 8, 0.2, 0), 40),
        (40, 40, Load(64, 20, 0.2, 0), 40 + QUEUE - 20),
        (8, 8, Load(50, 0, 0.2, 0), 8 + QUEUE),
        # several engines, each with a queue
        (8, 0, Load(0, 0, 0.0, 0, engines=4), 4 * QUEUE),
        (250, 158, Load(128, 30, 0.2, 0, engines=4), 128 + 4 * QUEUE),
        # the cache
        (72, 72, Load(64, 2, CACHE_HIGH + 0.01, 0), 72),  # no more than before
        (60, 60, Load(60, 0, CACHE_HIGH + 0.01, 0), 60),
        (60, 60, Load(60, 0, CACHE_HIGH, 0), 68),  # not yet
        (64, 64, Load(60, 4, CACHE_FULL, 0), 64),  # full begins above this
        (60, 40, Load(40, 0, CACHE_HIGH + 0.01, 0), 48),  # the number may become smaller
        (64, 64, Load(60, 4, CACHE_FULL + 0.01, 0), 60),  # no new request
        (40, 40, Load(60, 0, CACHE_FULL + 0.01, 0), 40),
        (64, 64, Load(50, 14, 0.5, 3), 50),  # one request was thrown out since the last look
        (9, 9, Load(1, 8, 1.0, 0), QUEUE),  # a few must be tried
    ],
)
def test_what_a_look_changes(places: int, inside: int, load: Load, after: int) -> None:
    assert next_places(places, inside, EARLIER, load, 256) == after


def test_a_count_that_is_not_new_is_no_leave_for_more() -> None:
    """30 requests of others run. Ours are 8, and the server has not counted them yet."""
    load = Load(30, 0, 0.1, 0)
    assert next_places(8, 8, load, load, 256) == 8
    assert next_places(20, 12, load, load, 256) == 20  # nor is it a reason for fewer
    assert next_places(8, 8, EARLIER, load, 256) == 8 + QUEUE


@pytest.mark.parametrize("bound", [1, 3])
@pytest.mark.parametrize("load", [Load(1, 9, 0.1, 0), Load(1, 0, 0.1, 0), Load(1, 0, 0.99, 1)])
def test_the_bound_holds_below_everything(bound: int, load: Load) -> None:
    assert next_places(bound, bound, EARLIER, load, bound) == bound


def test_old_preemptions_do_not_count() -> None:
    before, load = Load(19, 0, 0.5, 7), Load(20, 0, 0.5, 7)
    assert next_places(20, 20, before, load, 64) == 20 + QUEUE


@pytest.fixture
def looks(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Make looks at /metrics frequent; the list grows with each look."""
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
    """A server with 40 requests of any clients in its batch."""
    with ModelServer() as server, ThreadPoolExecutor(40) as clients:
        server.script = lambda request: Reply(fault="hang")
        for _ in range(40):
            clients.submit(ask, server.url)
        server.wait_until(lambda: server.in_flight == 40)
        yield server
        server.die()


def ask(url: str, door: Passage = nullcontext) -> None:
    body = json.dumps({"messages": [{"role": "user", "content": "?"}]}).encode()
    with contextlib.suppress(LostConnection), door():
        KeptConnection(url).request("POST", "/v1/chat/completions", body, 60)


def test_a_server_on_which_nothing_waits_gets_more(
    tmp_path: Path, looks: list[int], busy: ModelServer
) -> None:
    """With 56 requests its cache is not full yet."""
    with ThreadPoolExecutor(16) as clients, InFlight(busy.url, 16, tmp_path) as in_flight:
        for _ in range(16):
            clients.submit(ask, busy.url, in_flight.door.passed)
        busy.wait_until(lambda: busy.in_flight == 40 + 16)
        assert in_flight.limit() == 16
        busy.die()


def test_an_idle_server_gets_a_queue(tmp_path: Path, looks: list[int]) -> None:
    with ModelServer() as server, InFlight(server.url, 64, tmp_path) as in_flight:
        wait_until(lambda: len(looks) > 3)
        assert in_flight.limit() == QUEUE + AHEAD and all(looks)


def test_a_server_without_metrics_gets_the_start(tmp_path: Path, looks: list[int]) -> None:
    with ModelServer() as server:
        server.has_metrics = False
        with InFlight(server.url, 64, tmp_path) as in_flight:
            wait_until(lambda: len(looks) > 3)
            assert in_flight.limit() == START + AHEAD and not any(looks)


def test_a_server_that_is_away_changes_nothing(
    tmp_path: Path, looks: list[int], busy: ModelServer
) -> None:
    with InFlight(busy.url, 12, tmp_path) as in_flight:
        wait_until(lambda: in_flight.limit() == 12)
        busy.die()
        seen = len(looks)
        wait_until(lambda: len(looks) > seen + 2)
        assert in_flight.limit() == 12


def test_the_watch_ends(tmp_path: Path, looks: list[int]) -> None:
    with ModelServer() as server:
        before = threading.active_count()
        with InFlight(server.url, 2, tmp_path):
            wait_until(lambda: bool(looks))
        wait_until(lambda: threading.active_count() <= before)


def test_its_folder_stays_with_the_results(
    tmp_path: Path, looks: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    """It needs nothing in /tmp, and removes what a killed batch left."""
    monkeypatch.setattr("tempfile.tempdir", "/nowhere")
    folder = tmp_path / ".door"
    folder.mkdir()
    (folder / "of one that was killed").touch()
    with ModelServer() as server, InFlight(server.url, 1, folder) as in_flight:
        with in_flight.door.passed():
            assert in_flight.door.inside() == 1
        wait_until(lambda: bool(looks))
    assert not folder.exists()


HUGE = "vllm:num_requests_running{} 1e308\n" * 2 + "vllm:num_requests_waiting{} 0\n"


def test_no_page_of_metrics_ends_the_watch(
    tmp_path: Path, looks: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    def told(_: Endpoint) -> str:
        looks.append(1)
        return HUGE

    monkeypatch.setattr(Endpoint, "metrics", told)
    with InFlight("http://127.0.0.1:9", 64, tmp_path) as in_flight:
        wait_until(lambda: len(looks) > 3)
        assert in_flight.limit() == 2 * QUEUE + AHEAD  # for two engines


def test_a_server_with_two_places_is_not_flooded(tmp_path: Path) -> None:
    """Of forty pages, never more than these places and a queue are there, with any -p."""
    with batch_of(tmp_path, 40, max_num_seqs=2) as (batch, server):
        server.script = lambda request: Reply(delay_s=0.1)
        finished = batch.run_here("-p", "64")
        assert (finished.code, finished.err) == (0, "")
        assert len(server.requests) == 40 and server.max_in_flight <= 2 + QUEUE
