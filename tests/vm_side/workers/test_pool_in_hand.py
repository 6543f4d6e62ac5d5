"""The process pool: how many tasks are in hand at once, and a late task at the end."""

from __future__ import annotations

import math
import threading
from collections.abc import Generator, Iterator
from pathlib import Path
from typing import Any

import pytest

from rig import worker_functions as functions
from rig.command import processes, wait_until
from workers.interrupt import Interrupt
from workers.pool import LATE_S, LATE_TIMES, Crash, late_after_s, run

Results = Generator[tuple[Any, Any], None, None]


@pytest.fixture
def interrupt() -> Iterator[Interrupt]:
    with Interrupt() as interrupt:
        yield interrupt


def is_alive(pid: int) -> bool:
    return any(pid == living for living, _, _ in processes())


def test_no_more_tasks_in_hand_than_the_limit(interrupt: Interrupt, tmp_path: Path) -> None:
    pairs: Results = run(list(range(12)), functions.crowd, (tmp_path,), lambda: 3, interrupt)
    assert max(count for _, count in pairs) <= 3


def test_a_limit_that_falls_holds_tasks_back(interrupt: Interrupt, tmp_path: Path) -> None:
    """First four at once, then one: from the fifth task on, each is alone."""
    limits, counts = [4], {}
    pool = run(list(range(12)), functions.crowd, (tmp_path,), lambda: limits[-1], interrupt)
    for task, count in pool:
        counts[task] = count
        limits.append(1)
    assert [counts[task] for task in range(5, 12)] == [1] * 7


def test_a_limit_that_rises_starts_workers(interrupt: Interrupt, tmp_path: Path) -> None:
    """The second task waits for the third one's mark, so two must be at work."""
    tasks = [(), ("wait here",), ("mark here",)]
    limits, seen = [1], []
    for task, _ in run(tasks, functions.actor, (tmp_path,), lambda: limits[-1], interrupt):
        seen.append(task)
        limits.append(2)
    assert sorted(seen) == sorted(tasks)


# --- a task that is late -------------------------------------------------------------------


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("workers.pool.LATE_S", 0)
    monkeypatch.setattr("workers.pool.LATE_TIMES", 0)
    monkeypatch.setattr("workers.pool.LOOK_S", 0.01)


def with_twin(
    interrupt: Interrupt, folder: Path, task: tuple[str, ...], twin: tuple[str, ...]
) -> list[tuple[Any, Any]]:
    """Run a quick task, so that the other one is late, and the other one with its twin."""
    twins = {task: twin}
    pool = run([(), task], functions.actor, (folder,), lambda: 2, interrupt, twins.pop)
    first, *others = pool
    assert first == ((), ()) and not twins
    return others


def pid_at(mark: Path) -> int:
    return int(mark.read_text())


@pytest.mark.usefixtures("impatient")
def test_a_late_task_is_overtaken_by_its_twin(interrupt: Interrupt, tmp_path: Path) -> None:
    """The loser is dead before the result is returned, so its files may now be replaced."""
    task, twin = ("mark loser", "hang"), ("wait loser",)
    pool: Results = run(
        [(), task], functions.actor, (tmp_path,), lambda: 2, interrupt, lambda late: twin
    )
    next(pool)
    assert next(pool) == (twin, twin)
    assert not is_alive(pid_at(tmp_path / "loser"))
    pool.close()


@pytest.mark.usefixtures("impatient")
def test_a_late_task_may_still_win(interrupt: Interrupt, tmp_path: Path) -> None:
    task, twin = ("wait twin",), ("mark twin", "hang")
    assert with_twin(interrupt, tmp_path, task, twin) == [(task, task)]
    assert not is_alive(pid_at(tmp_path / "twin"))


@pytest.mark.usefixtures("impatient")
def test_a_twin_that_dies_changes_nothing(interrupt: Interrupt, tmp_path: Path) -> None:
    task, twin = ("wait twin", "wait buried"), ("mark twin", "die")

    def bury() -> None:
        wait_until((tmp_path / "twin").exists)
        wait_until(lambda: not is_alive(pid_at(tmp_path / "twin")))
        (tmp_path / "buried").touch()

    thread = threading.Thread(target=bury)
    thread.start()
    assert with_twin(interrupt, tmp_path, task, twin) == [(task, task)]
    thread.join()


@pytest.mark.usefixtures("impatient")
def test_a_twin_goes_on_alone(interrupt: Interrupt, tmp_path: Path) -> None:
    task, twin = ("wait twin", "mark first", "die"), ("mark twin", "wait first")
    assert with_twin(interrupt, tmp_path, task, twin) == [(twin, twin)]


@pytest.mark.usefixtures("impatient")
def test_a_task_and_its_twin_that_die_are_two_deaths(interrupt: Interrupt, tmp_path: Path) -> None:
    task, twin = ("wait twin", "mark first", "die"), ("mark twin", "wait first", "die")
    ((given, crash),) = with_twin(interrupt, tmp_path, task, twin)
    assert given == task and crash == Crash("its worker died 2 times (SIGKILL)")


@pytest.mark.usefixtures("impatient")
def test_no_twin_without_room(interrupt: Interrupt, tmp_path: Path) -> None:
    def twin_of(task: int) -> int:
        raise AssertionError("one too many")

    pool = run([1, 2, 3], functions.crowd, (tmp_path,), lambda: 1, interrupt, twin_of)
    assert list(pool) == [(1, 1), (2, 1), (3, 1)]


@pytest.mark.parametrize(
    ("taken_s", "late_s"),
    [
        ([], math.inf),
        ([1.0], LATE_S),
        ([1.0, 2.0, LATE_S], LATE_S),
        ([LATE_S, LATE_S * 2, LATE_S * 9], LATE_S * 2 * LATE_TIMES),
    ],
)
def test_what_is_late(taken_s: list[float], late_s: float) -> None:
    assert late_after_s(taken_s) == late_s
