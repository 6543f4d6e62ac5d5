"""A real vLLM that is ended or killed under a request and comes back, as our client meets it."""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from rig.command import Batch, wait_until
from server import connection
from server.endpoint import Endpoint
from server.request import Completion, Sampling
from vllm.test_contract import png
from vllm.vllm_server import VllmServer

LOADS_S = 5.0  # at least: nothing that was answered before came from the second server


def ask_slowly(server: VllmServer) -> Completion:
    """An answer of some seconds, without a limit on the time it may take."""
    asking = Endpoint(server.url, request_timeout_s=300, ready_timeout_s=300, retries=1)
    try:
        return asking.complete("model", png(), "[count]", Sampling(0.1, 7000, 200))
    finally:
        asking.close()


@pytest.mark.parametrize("end", ["terminate", "kill_server", "kill_engine"])
def test_a_request_outlives_its_server(
    server: VllmServer, end: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Asked again once, when the server is back. Three looks at its health tell that it is gone."""
    monkeypatch.setattr(connection, "HEALTH_INTERVAL_S", 0.5)
    with ThreadPoolExecutor(1) as threads:
        answer = threads.submit(ask_slowly, server)
        wait_until(lambda: server.metric("num_requests_running") == 1)
        time.sleep(0.5)
        ending: Callable[[], None] = getattr(server, end)
        assert not answer.done()
        ending()
        wait_until(lambda: not server.is_healthy(), 30)
        server.restart()
        completion = answer.result(300)
    assert (completion.finish_reason, completion.tokens_out) == ("stop", 3001)


def test_a_batch_over_a_restart_of_the_server(server: VllmServer, tmp_path: Path) -> None:
    """All pages done. The second server was asked once for each page that the first had not read,
    by its own count; so no page was asked for more than twice."""
    batch = Batch(tmp_path, server.url)
    batch.write_pages(12)
    with batch.start("-p", "3", environment={"READY_TIMEOUT": "300"}) as running:
        wait_until(lambda: len(done(batch)) >= 3, 120)
        server.restart()
        started = time.time()
        finished = running.finish(300)
    assert finished.code == 0, finished.err
    assert len(batch.records) == 12
    assert {(record["status"], record["attempts"]) for record in batch.records} == {("ok", 1)}
    second = [r for r in batch.records if r["finished_at"] > started + LOADS_S]
    assert 1 <= len(second) <= 9
    assert server.metric("request_success_total", finished_reason="stop") == len(second)
    written = sum(record["tokens_out"] for record in second)
    assert server.metric("generation_tokens_total") == written  # nor was one begun and left


def done(batch: Batch) -> list[str]:
    """The lines of the manifest so far."""
    path = batch.output / "manifest.jsonl"
    return path.read_text().splitlines() if path.exists() else []
