"""SIGKILL of workers, and of the whole command, in the middle of many pages."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from rig.command import Batch, batch_of, hang_while, results_in
from rig.model_server import ModelServer
from rig.replies import Reply, in_turn
from workers.executor import DOOR

PAGES = 26
Rigged = tuple[Batch, ModelServer]


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """The results of the pages when nothing disturbs them."""
    with batch_of(tmp_path_factory.mktemp("undisturbed"), PAGES) as (batch, server):
        assert batch.run_here().code == 0
        assert len(server.requests) == PAGES
        return results_in(batch.output)


@pytest.fixture
def many(tmp_path: Path) -> Iterator[Rigged]:
    with batch_of(tmp_path, PAGES) as rigged:
        yield rigged


def test_killed_workers_cost_one_request_each(many: Rigged, undisturbed: dict[str, Any]) -> None:
    batch, server = many
    server.script = hang_while(lambda request: request.number in (10, 11))
    with batch.start() as running:
        server.wait_until(lambda: server.in_flight == 2)
        for pid in running.workers():
            os.kill(pid, signal.SIGKILL)
        finished = running.finish()
    assert (finished.code, finished.err) == (0, "")
    assert len(server.requests) == PAGES + 2
    assert results_in(batch.output) == undisturbed


def test_a_page_that_kills_two_workers_is_given_up(tmp_path: Path) -> None:
    with batch_of(tmp_path, 4) as (batch, server):
        server.script = hang_while(lambda request: request.number in (1, 2))
        with batch.start("-p", "1") as running:
            for number in (1, 2):
                server.wait_until(lambda n=number: len(server.requests) == n + 1)  # type: ignore[misc]
                (pid,) = running.workers()
                os.kill(pid, signal.SIGKILL)
            finished = running.finish()
        assert finished.code == 3 and len(server.requests) == 5
        (record,) = [r for r in batch.records if r["status"] == "failed"]
        assert record["reason"] == "its worker died 2 times (SIGKILL)"
        assert sum(status == "ok" for status in batch.statuses().values()) == 3

        server.script = None  # the next run tries only this page
        assert batch.run_here().code == 0 and len(server.requests) == 6


def test_the_killed_command_leaves_nobody_and_the_next_run_asks_for_the_rest(
    many: Rigged, undisturbed: dict[str, Any]
) -> None:
    batch, server = many
    seen = 0
    for stop_at in (9, 21):  # killed twice on the way
        server.script = hang_while(lambda request, at=stop_at: request.number >= at)  # type: ignore[misc]
        with batch.start() as running:
            server.wait_until(lambda at=stop_at: len(server.requests) == at + 2)  # type: ignore[misc]
            os.kill(running.pid, signal.SIGKILL)
            assert running.finish().code == -signal.SIGKILL
            running.wait_until_nobody_is_left()
        assert (batch.output / DOOR).is_dir()
        done = sum(status == "ok" for status in batch.statuses().values())
        assert done == stop_at - seen  # all answers are kept; the two pages in flight are not done
        seen += 2
    server.script = None
    finished = batch.run_here()
    assert (finished.code, finished.err) == (0, "")
    assert len(server.requests) == PAGES + 2 * 2
    assert results_in(batch.output) == undisturbed
    assert not (batch.output / DOOR).exists()
    assert not list(batch.output.rglob("*.part"))


def test_a_worker_killed_while_the_command_waits_for_the_server(tmp_path: Path) -> None:
    with batch_of(tmp_path, 3) as (batch, server):
        server.script = in_turn(Reply(), Reply(fault="hang"))
        with batch.start("-p", "1") as running:
            server.wait_until(lambda: len(server.requests) == 2)
            server.die()
            (pid,) = running.workers()
            os.kill(pid, signal.SIGKILL)
            server.script = None
            server.come_back()
            assert running.finish().code == 0
        assert set(batch.statuses().values()) == {"ok"}


def test_the_fork_server_killed(many: Rigged, undisturbed: dict[str, Any]) -> None:
    """The living workers continue, and a new one can be started."""
    batch, server = many
    server.script = hang_while(lambda request: request.number in (10, 11))
    with batch.start() as running:
        server.wait_until(lambda: server.in_flight == 2)
        workers = running.workers()
        (fork_server,) = running.parents_of(workers)
        os.kill(fork_server, signal.SIGKILL)
        for pid in workers:
            os.kill(pid, signal.SIGKILL)
        assert running.finish().code == 0
        running.wait_until_nobody_is_left()
    assert len(server.requests) == PAGES + 2
    assert results_in(batch.output) == undisturbed
