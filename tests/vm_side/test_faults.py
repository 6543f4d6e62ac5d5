"""The command against a server with faults: no page is lost, and no retry is endless."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

import pytest

from rig import replies
from rig.command import batch_of, hang_while, wait_until
from rig.model_request import Request
from rig.model_server import ModelServer
from rig.replies import Reply, in_turn

Script = Callable[[Request], Reply]


def once_a_page(reply: Reply) -> Script:
    """Each page gets the fault once, and the default answer at its second request."""
    met: set[str] = set()
    lock = threading.Lock()

    def script(request: Request) -> Reply:
        with lock:
            is_new = request.token not in met
            met.add(request.token)
        return reply if is_new else Reply()

    return script


PASSING = {
    "500": replies.engine_dead_500(),
    "503": replies.busy_503(),
    "503 with Retry-After": replies.busy_503(headers={"Retry-After": "1"}),
    "reset": Reply(fault="reset"),
    "close": Reply(fault="close"),
    "truncate": Reply(fault="truncate"),
    "garbage": Reply(fault="garbage"),
    "an error within": Reply(fault="error"),
}


@pytest.mark.usefixtures("either")
@pytest.mark.parametrize("name", PASSING)
def test_a_fault_that_passes_costs_one_request_a_page(tmp_path: Path, name: str) -> None:
    with batch_of(tmp_path, 4) as (batch, server):
        server.script = once_a_page(PASSING[name])
        finished = batch.run_here()
        assert (finished.code, finished.err) == (0, "")
        assert set(batch.statuses().values()) == {"ok"}
        # a broken kept connection is replaced at once
        kept = 2 if name in ("reset", "close") else 0
        assert 8 <= len(server.requests) <= 8 + kept


STAYING = {
    "too long": (replies.too_long(), 1, "exceeds model's maximum context length"),
    "permanent": (replies.permanent_500(), 2, "could be decompression bomb DOS attack. (2 times)"),
    "reset": (Reply(fault="reset"), 2, "connection lost: ConnectionResetError"),
    "busy": (replies.busy_503(), None, "HTTP 503 The engine is currently busy"),
    "hang": (Reply(fault="hang"), 2, "no answer in 3 s (2 times)"),
    "error within": (Reply(fault="error"), 2, "EngineCore encountered an issue"),
    "prose": (Reply("I cannot read this."), 2, "an answer that is not a layout"),
}
IMPATIENT = {"busy": {"READY_TIMEOUT": "2"}, "hang": {"REQUEST_TIMEOUT": "3"}}


@pytest.mark.usefixtures("either")
@pytest.mark.parametrize("name", STAYING)
def test_a_fault_that_stays_fails_its_page_alone(tmp_path: Path, name: str) -> None:
    reply, requests, reason = STAYING[name]
    with batch_of(tmp_path, 4) as (batch, server):
        met: set[str] = set()

        def script(request: Request) -> Reply:
            met.update({request.token} if request.number == 0 else set())
            return reply if request.token in met else Reply()

        server.script = script
        finished = batch.run_here("--retries", "1", environment=IMPATIENT.get(name, {}))
        assert finished.code == 3
        (record,) = [r for r in batch.records if r["status"] == "failed"]
        assert reason in record["reason"]
        assert sum(status == "ok" for status in batch.statuses().values()) == 3
        bad = [request for request in server.requests if request.token in met]
        assert len(bad) == requests or (requests is None and 2 <= len(bad) <= 6)
        asked = len(server.requests)
        server.script = None
        assert batch.run_here().code == 0 and len(server.requests) == asked + 1


def test_a_server_that_dies_and_comes_back_loses_no_page(tmp_path: Path) -> None:
    with batch_of(tmp_path, 20) as (batch, server):
        server.script = hang_while(lambda request: request.number in (6, 7))
        with batch.start() as running:
            server.wait_until(lambda: server.in_flight == 2)
            # two requests are reset; then refused, then the server is ready
            server.come_back(after_s=1.0)
            finished = running.finish()
        assert (finished.code, finished.err) == (0, "")
        assert set(batch.statuses().values()) == {"ok"} and len(server.requests) == 22


@pytest.mark.parametrize("within", [False, True])
def test_a_dying_engine(tmp_path: Path, within: bool) -> None:
    """Like vLLM: 500 for the requests in flight, or an error within their answers; then the port
    closes until someone restarts the server.
    """
    with batch_of(tmp_path, 10) as (batch, server):

        def restart() -> None:
            threading.Thread(target=server.come_back, args=(1.0,)).start()

        dying = Reply(fault="error", then=restart)
        dying = dying if within else replies.engine_dead_500(then=restart)
        server.script = in_turn(Reply(), Reply(), dying, Reply())
        finished = batch.run_here()
        assert (finished.code, finished.err) == (0, "")
        assert 11 <= len(server.requests) <= 12  # the other request in flight may be reset


@pytest.fixture(scope="module", autouse=True)
def hanging(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Future[None]]:
    """The slow scenario, which runs beside all others of this file."""
    with ThreadPoolExecutor(1) as pool:
        yield pool.submit(hang_and_come_back, tmp_path_factory.mktemp("hanging"))


def hang_and_come_back(folder: Path) -> None:
    """Like vLLM after SIGTERM: no byte comes any more. The health check tells in 15 s, not 600."""
    with batch_of(folder, 8) as (batch, server):
        server.script = hang_while(lambda request: request.number in (2, 3))
        with batch.start(environment={"READY_TIMEOUT": "60"}) as running:
            server.wait_until(lambda: server.in_flight == 2)
            server.stop_answering()
            began = time.monotonic()
            server.wait_until(lambda: all(r.disconnected for r in server.requests[2:]))
            assert 9 < time.monotonic() - began < 100
            server.come_back()
            finished = running.finish()
        assert (finished.code, finished.err) == (0, "") and len(server.requests) == 10


def test_a_server_that_stays_away_ends_the_run(tmp_path: Path) -> None:
    """Pages that were not read are left, not failed; the exit code says that the run went wrong."""
    with batch_of(tmp_path, 10) as (batch, server):
        server.script = hang_while(lambda request: request.number >= 4)
        with batch.start(environment={"READY_TIMEOUT": "1"}) as running:
            server.wait_until(lambda: len(server.requests) == 6)
            server.die()
            finished = running.finish()
            running.wait_until_nobody_is_left()
        assert finished.code == 1
        assert sorted(batch.statuses().values()) == ["left"] * 6 + ["ok"] * 4
        first, last = finished.err.splitlines()
        assert first.startswith("nothing answers at http://127.0.0.1:") and "6 left" in last

        server.script = None
        server.come_back()
        assert batch.run_here().code == 0 and len(server.requests) == 6 + 6


def test_a_server_that_is_still_loading_is_waited_for(tmp_path: Path) -> None:
    with batch_of(tmp_path, 2) as (batch, server):
        server.die()
        with ThreadPoolExecutor() as pool:
            running = pool.submit(batch.run)
            wait_until(lambda: batch.output.joinpath(".lock").exists())  # it has begun to look
            server.come_back(after_s=6.0)
            finished = running.result()
        assert finished.code == 0 and len(server.requests) == 2
        assert finished.err == f"waiting up to 20 s for a model server at {server.url}\n"


def test_no_server_at_all(tmp_path: Path) -> None:
    with batch_of(tmp_path, 2) as (batch, server):
        server.die()
        finished = batch.run_here(environment={"READY_TIMEOUT": "0"})
        assert finished.code == 1 and "Traceback" not in finished.err
        assert "start the server, or give its --endpoint" in finished.err


def test_as_many_requests_in_flight_as_processes(tmp_path: Path) -> None:
    processes = 64
    with batch_of(tmp_path, processes, check_pictures=False) as (batch, server):
        server.script = lambda request: wait_for_all(server, processes)
        finished = batch.run_here("-p", str(processes))
        assert (finished.code, finished.err) == (0, "")
        assert server.max_in_flight == processes == len(server.requests)


def wait_for_all(server: ModelServer, count: int) -> Reply:
    server.wait_until(lambda: server.max_in_flight == count)
    return Reply()


def test_a_server_that_hangs_is_left_long_before_the_timeout(hanging: Future[None]) -> None:
    hanging.result()
