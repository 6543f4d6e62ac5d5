"""Work beside the pages: as much as there is room for, and nobody waits for it."""

from __future__ import annotations

from collections.abc import Callable
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import pytest

from rig import worker_functions as functions
from rig.command import processes, wait_until
from workers import beside as room
from workers.beside import DEATHS_IN_A_ROW, Beside
from workers.interrupt import Interrupt
from workers.pool import PoolError, Worker, run, start_worker


class Side:
    """A Beside, and what it has reported."""

    def __init__(self, function: Callable[..., Any], *arguments: Any, most: int = 2) -> None:
        self.found: list[tuple[Any, Any]] = []
        self.said: list[str] = []
        self.started: list[int] = []

        def start() -> Worker[Any]:
            worker: Worker[Any] = start_worker(function, arguments)
            self.started.append(worker.process.pid or 0)
            return worker

        self.beside = Beside(
            start, most, lambda task, result: self.found.append((task, result)), self.said.append
        )

    def take(self, *tasks: Any) -> None:
        for task in tasks:
            self.beside.take(task)

    def look_until(self, condition: Callable[[], object]) -> None:
        def looked() -> object:
            self.beside.look()
            return condition()

        wait_until(looked)

    def is_over(self) -> bool:
        living = {pid for pid, _, _ in processes()}
        return not living.intersection(self.started)


def test_what_is_taken_comes_back_while_somebody_looks() -> None:
    """At most this number of workers; they are started only for waiting tasks."""
    side = Side(functions.doubler)
    with side.beside.until_the_end():
        assert side.beside.look() == [] and not side.started
        side.take(1)
        side.look_until(lambda: side.found)
        assert len(side.started) == 1
        side.take(*range(2, 9))
        side.look_until(lambda: len(side.found) == 8)
        assert len(side.started) == 2 and len(side.beside.look()) == 2
    assert sorted(side.found) == [(task, 2 * task) for task in range(1, 9)]
    assert not side.said and side.is_over()


def test_what_there_is_no_room_for_is_not_done(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(room, "MOST_WAITING", 3)
    side = Side(functions.doubler)
    with side.beside.until_the_end():
        side.take(*range(5))
        side.look_until(lambda: not side.beside.queue)
        side.look_until(lambda: len(side.found) == 3)
        side.take(7)
        side.look_until(lambda: len(side.found) == 4)
    assert sorted(task for task, _ in side.found) == [0, 1, 2, 7]


def test_nobody_does_it_if_nobody_is_allowed_to() -> None:
    side = Side(functions.doubler, most=0)
    side.take(1, 2)
    assert side.beside.look() == [] and not side.beside.queue and not side.started


def test_the_end_waits_for_nobody(tmp_path: Path) -> None:
    """Neither for tasks in hand nor for waiting ones; results that are there are still taken."""
    side = Side(functions.sleeper, tmp_path, most=1)
    with side.beside.until_the_end():
        side.take(1, 2, 3)
        side.look_until(lambda: list(tmp_path.iterdir()))
    assert not side.found and side.is_over()
    quick = Side(functions.doubler, most=1)
    with quick.beside.until_the_end():
        quick.take(1)
        quick.look_until(lambda: quick.beside.workers and quick.beside.workers[0].task)
        wait_until(quick.beside.workers[0].pipe.poll)
    assert quick.found == [(1, 2)] and quick.is_over()


def test_a_death_costs_its_own_task_alone(tmp_path: Path) -> None:
    side = Side(functions.dier, tmp_path, most=1)
    with side.beside.until_the_end():
        side.take(("a", 0), ("killer", 1), ("b", 0), ("other", 1), ("third", 1), ("c", 0))
        side.look_until(lambda: ("c", 0) in dict(side.found))
    assert [result for _, result in side.found] == ["a", "b", "c"] and not side.said


def test_a_fault_costs_its_own_task_alone() -> None:
    side = Side(functions.raiser, most=1)
    with side.beside.until_the_end():
        side.take(*range(2 * DEATHS_IN_A_ROW))
        side.look_until(lambda: not side.beside.queue and side.beside.workers[0].task is None)
        assert len(side.started) == 1
    assert not side.found and not side.said


@pytest.mark.parametrize("function", [functions.dies_at_start, functions.dier])
def test_who_cannot_do_it_is_not_tried_for_ever(
    function: Callable[..., Any], tmp_path: Path
) -> None:
    side = Side(function, *([tmp_path] if function is functions.dier else []), most=1)
    with side.beside.until_the_end():
        side.take(*((str(number), 1) for number in range(2 * DEATHS_IN_A_ROW)))
        side.look_until(lambda: side.said)
        side.take(("more", 0))
        assert side.beside.look() == []
    how = "exit code 7" if function is functions.dies_at_start else "SIGKILL"
    assert side.said == [f"its processes end ({how})"]
    assert len(side.started) == DEATHS_IN_A_ROW and not side.found


def test_who_cannot_be_started_is_told_once() -> None:
    side = Side(functions.doubler)

    def start() -> Worker[Any]:
        raise PoolError("it is not there")

    side.beside.start = start
    side.take(1, 2)
    for _ in range(3):
        assert side.beside.look() == []
    assert side.said == ["it is not there"]


def test_a_pool_wakes_for_it(tmp_path: Path) -> None:
    """Also while its own task waits, and for nothing else."""
    side = Side(functions.doubler, most=1)
    side.take(*range(5))

    def look() -> list[Connection]:
        pipes = side.beside.look()
        if len(side.found) == 5:
            (tmp_path / "enough").touch()
        return pipes

    with Interrupt() as interrupt, side.beside.until_the_end():
        pairs = list(
            run(["task"], functions.waiter, (tmp_path,), lambda: 1, interrupt, beside=look)
        )
    assert pairs == [("task", "enough")]
