"""Ctrl-C, SIGTERM and a closed terminal: the command ends in seconds, and nothing is lost."""

from __future__ import annotations

import ctypes
import os
import platform
import signal
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from rig.command import Batch, Running, batch_of, hang_while, wait_until
from rig.model_server import ModelServer
from workers.interrupt import STOP_SIGNALS

SOON_S = 120.0  # on a busy machine; a wait for an answer would take half an hour
SYSCALL = ctypes.CDLL(None).syscall
TGKILL = {"x86_64": 234, "aarch64": 131}[platform.machine()]


def ends_soon(running: Running, code: int = 130) -> str:
    """Wait for the end of an interrupted command; return its stderr."""
    began = time.monotonic()
    finished = running.finish()
    assert time.monotonic() - began < SOON_S
    assert finished.code == code and "Traceback" not in finished.err, finished.err
    running.wait_until_nobody_is_left()
    return finished.err


@pytest.mark.parametrize("number", STOP_SIGNALS)
def test_a_signal_to_the_group_ends_the_run_and_the_next_one_does_the_rest(
    tmp_path: Path, number: signal.Signals
) -> None:
    with batch_of(tmp_path, 12) as (batch, server):
        server.script = hang_while(lambda request: request.number >= 5)
        with batch.start("-p", "3") as running:
            server.wait_until(lambda: len(server.requests) == 8)
            running.signal_group(number)
            said = ends_soon(running)
        assert said == (
            f"12 pages: 5 ok, 7 left; 5 read now, {batch.summary['run']['pages_per_second']:.2f}"
            " pages/s; run again for the rest\n"
        )
        assert sorted(batch.statuses().values()) == ["left"] * 7 + ["ok"] * 5
        assert batch.summary["left"] == 7
        server.wait_until(lambda: server.in_flight == 0)  # the server can drop them

        server.script = None
        assert batch.run_here().code == 0 and len(server.requests) == 8 + 7
        assert set(batch.statuses().values()) == {"ok"}


def test_a_signal_to_the_command_alone(tmp_path: Path) -> None:
    with batch_of(tmp_path, 3) as (batch, server):
        server.script = hang_while(lambda request: True)
        with batch.start("--json") as running:
            server.wait_until(lambda: server.in_flight == 2)
            os.kill(running.pid, signal.SIGTERM)
            began = time.monotonic()
            finished = running.finish()
            assert finished.code == 130 and time.monotonic() - began < SOON_S
            assert '"left": 3' in finished.out


def test_the_end_is_the_same_where_nobody_reads_what_is_said(tmp_path: Path) -> None:
    """As in `… 2>&1 | tee log`: Ctrl-C ends tee, too."""
    with batch_of(tmp_path, 3) as (batch, server):
        server.script = hang_while(lambda request: request.number >= 1)
        with batch.start(environment={"PYTHONUNBUFFERED": ""}) as running:
            server.wait_until(lambda: len(server.requests) == 3)
            for pipe in (running.process.stdout, running.process.stderr):
                assert pipe is not None
                pipe.close()
            running.signal_group(signal.SIGINT)
            assert running.process.wait(SOON_S) == 130
        assert batch.summary["left"] == 2


def test_impatience_changes_nothing(tmp_path: Path) -> None:
    """Ctrl-C again and again also ends with 130, and what was read is kept."""
    with batch_of(tmp_path, 6) as (batch, server):
        server.script = hang_while(lambda request: request.number >= 2)
        with batch.start() as running:
            server.wait_until(lambda: len(server.requests) == 4)
            began = time.monotonic()
            while running.process.poll() is None and time.monotonic() - began < SOON_S:
                running.signal_group(signal.SIGINT)
                time.sleep(0.001)
            ends_soon(running)
        assert len(batch.records) == 6 and batch.summary["left"] == 4
        assert sum(status == "ok" for status in batch.statuses().values()) == 2
        server.script = None
        assert batch.run_here().code == 0 and len(server.requests) == 4 + 4


@pytest.mark.parametrize("number", STOP_SIGNALS)
def test_a_signal_while_the_server_is_waited_for(tmp_path: Path, number: signal.Signals) -> None:
    with batch_of(tmp_path, 2) as (batch, server):
        server.die()
        with batch.start(environment={"READY_TIMEOUT": "600"}) as running:
            assert running.process.stderr is not None
            assert "waiting up to 600 s" in running.process.stderr.readline()
            running.signal_group(number)
            ends_soon(running)


def test_a_signal_while_workers_wait_for_the_server(tmp_path: Path) -> None:
    with batch_of(tmp_path, 6) as (batch, server):
        server.script = hang_while(lambda request: request.number >= 2)
        with batch.start(environment={"READY_TIMEOUT": "600"}) as running:
            server.wait_until(lambda: len(server.requests) == 4)
            server.die()
            running.signal_group(signal.SIGINT)
            ends_soon(running)
        assert sorted(batch.statuses().values()) == ["left"] * 4 + ["ok"] * 2


def test_a_signal_at_any_moment_of_the_start(tmp_path: Path) -> None:
    """Also while the fork server loads its modules and the workers start."""
    moments = [(signal.SIGINT, 0.08 * step) for step in range(7)]
    moments += [(number, 0.15 * step) for number in STOP_SIGNALS[1:] for step in range(3)]

    with ModelServer() as server:
        server.script = hang_while(lambda request: True)

        def interrupt(moment: tuple[signal.Signals, float]) -> None:
            number, delay_s = moment
            batch = Batch(tmp_path / f"{number.name}{delay_s:.2f}", server.url)
            batch.write_pages(8)
            with batch.start("-p", "8") as running:
                lock = batch.output / ".lock"  # the first file that the command makes
                wait_until(lambda: lock.exists() or running.process.poll() is not None)
                time.sleep(delay_s)
                running.signal_group(number)
                ends_soon(running)

        with ThreadPoolExecutor(3) as pool:
            list(pool.map(interrupt, moments))


def test_a_signal_that_lands_in_another_thread(tmp_path: Path) -> None:
    """The kernel gives a signal to any thread, and tqdm has a thread of its own."""
    with batch_of(tmp_path, 3) as (batch, server):
        server.script = hang_while(lambda request: True)
        with batch.start() as running:
            server.wait_until(lambda: server.in_flight == 2)
            threads = [int(task.name) for task in Path(f"/proc/{running.pid}/task").iterdir()]
            other = next(thread for thread in threads if thread != running.pid)
            assert SYSCALL(TGKILL, running.pid, other, signal.SIGINT) == 0
            ends_soon(running)
