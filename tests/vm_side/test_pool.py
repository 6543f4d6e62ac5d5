"""The process pool: whatever happens to a worker, every other task is done, and nobody is left."""

from __future__ import annotations

import math
import os
import signal
import threading
from collections.abc import Callable, Generator, Iterator
from pathlib import Path
from typing import Any

import pytest

from interrupt import STOP_SIGNALS, Interrupt
from pool import LATE_S, LATE_TIMES, Crash, PoolError, describe_exit, late_after_s, run
from rig import worker_functions as functions
from rig.command import processes, wait_until

Results = Generator[tuple[Any, Any], None, None]


@pytest.fixture
def interrupt() -> Iterator[Interrupt]:
    with Interrupt() as interrupt:
        yield interrupt


def results(
    interrupt: Interrupt,
    tasks: list[Any],
    function: Callable[..., Any],
    *arguments: Any,
    workers: int = 2,
) -> list[tuple[Any, Any]]:
    return list(run(tasks, function, arguments, lambda: workers, interrupt))


def is_alive(pid: int) -> bool:
    return any(pid == living for living, _, _ in processes())


def pids_in(folder: Path) -> list[int]:
    return [int(path.name) for path in folder.iterdir()]


def test_every_task_comes_back_with_its_result(interrupt: Interrupt) -> None:
    pairs = results(interrupt, list(range(50)), functions.doubler, workers=3)
    assert sorted(pairs) == [(number, 2 * number) for number in range(50)]


def test_imports_are_paid_once(interrupt: Interrupt) -> None:
    """The workers find their module loaded, by the fork server."""
    pairs = results(interrupt, [1, 2], functions.pid_of_import)
    assert all(importer != pid for _, (importer, pid) in pairs)


def test_no_tasks_start_no_worker(interrupt: Interrupt) -> None:
    assert results(interrupt, [], functions.dies_at_start) == []


def test_no_more_workers_than_tasks(interrupt: Interrupt) -> None:
    pairs = results(interrupt, [1, 2], functions.own_pid, workers=16)
    assert len({pid for _, pid in pairs}) <= 2


def test_an_exception_is_the_result_of_its_task_alone(interrupt: Interrupt) -> None:
    ((task, crash),) = results(interrupt, ["page"], functions.raiser)
    assert task == "page" and isinstance(crash, Crash)
    assert crash.reason.startswith("unexpected ValueError: no page at worker_functions.py:")


def test_a_death_costs_one_retry(interrupt: Interrupt, tmp_path: Path) -> None:
    tasks = [("a", 0), ("b", 1), ("c", 0), ("d", 1), ("e", 0)]
    pairs = results(interrupt, tasks, functions.dier, tmp_path)
    assert sorted(pairs) == [(task, task[0]) for task in tasks]


def test_two_deaths_mark_the_task_alone(interrupt: Interrupt, tmp_path: Path) -> None:
    tasks = [("a", 0), ("killer", 9), ("c", 0), ("other", 9), ("e", 0)]
    found = dict(results(interrupt, tasks, functions.dier, tmp_path))
    reason = "its worker died 2 times (SIGKILL)"
    assert found[("killer", 9)] == found[("other", 9)] == Crash(reason)
    assert [found[task] for task in tasks if not task[1]] == ["a", "c", "e"]
    assert (tmp_path / "killer").read_text() == (tmp_path / "other").read_text() == "xx"


def test_a_batch_of_killers_ends(interrupt: Interrupt, tmp_path: Path) -> None:
    tasks = [(f"k{number}", 9) for number in range(6)]
    pairs = results(interrupt, tasks, functions.dier, tmp_path, workers=3)
    assert sorted(task for task, _ in pairs) == tasks
    assert all(isinstance(result, Crash) for _, result in pairs)


def test_equal_tasks_are_different_tasks(interrupt: Interrupt, tmp_path: Path) -> None:
    """The second of two equal tasks does not inherit the first one's deaths."""
    tasks = [(name, 2) for name in ("twin", "twin")]
    assert tasks[0] is not tasks[1]
    pairs = results(interrupt, tasks, functions.dier, tmp_path, workers=1)
    assert [result for _, result in pairs] == [Crash("its worker died 2 times (SIGKILL)"), "twin"]


def test_a_death_in_the_middle_of_a_result(interrupt: Interrupt, tmp_path: Path) -> None:
    pairs = results(interrupt, [1, 2, 3], functions.torn_sender, tmp_path)
    assert sorted(pairs) == [(1, 1), (2, 2), (3, 3)] and (tmp_path / "torn").exists()


def test_tasks_and_results_larger_than_any_pipe(interrupt: Interrupt) -> None:
    tasks = [bytes([number]) * 3_000_000 for number in range(4)]
    assert sorted(results(interrupt, tasks, functions.echo)) == [(task, task) for task in tasks]


def test_a_result_that_cannot_be_sent_is_a_death(interrupt: Interrupt) -> None:
    pairs = results(interrupt, [1], functions.unpicklable)
    assert pairs == [(1, Crash("its worker died 2 times (exit code 1)"))]


def test_a_worker_that_dies_idle_is_replaced_or_not_missed(interrupt: Interrupt) -> None:
    assert sorted(results(interrupt, [0, 1, 2, 3], functions.dies_idle)) == [
        (task, task) for task in range(4)
    ]


def test_a_worker_killed_between_result_and_next_task(interrupt: Interrupt) -> None:
    """It is given a task that it never takes: the task goes to another one."""
    pool: Results = run(list(range(6)), functions.own_pid, (), lambda: 1, interrupt)
    seen = []
    for task, pid in pool:
        seen.append(task)
        if task in (0, 3):
            os.kill(pid, signal.SIGKILL)
    assert seen == [0, 1, 2, 3, 4, 5]


def test_one_death_at_the_start_is_forgiven(interrupt: Interrupt, tmp_path: Path) -> None:
    pairs = results(interrupt, [1, 2, 3], functions.dies_at_first_start, tmp_path)
    assert sorted(pairs) == [(1, 2), (2, 4), (3, 6)] and (tmp_path / "first").exists()


def test_workers_that_cannot_start_are_an_error(interrupt: Interrupt) -> None:
    with pytest.raises(PoolError, match=r"before they can start \(exit code 7\)"):
        results(interrupt, [1, 2, 3], functions.dies_at_start)


def test_closing_early_ends_the_workers(interrupt: Interrupt) -> None:
    pool: Results = run(list(range(100)), functions.own_pid, (), lambda: 2, interrupt)
    _, pid = next(pool)
    pool.close()
    assert not is_alive(pid)


def test_an_error_of_the_consumer_ends_the_workers(interrupt: Interrupt, tmp_path: Path) -> None:
    pool: Results = run(list(range(4)), functions.own_pid, (), lambda: 2, interrupt)
    _, pid = next(pool)
    with pytest.raises(KeyError):
        pool.throw(KeyError())
    assert not is_alive(pid)


@pytest.mark.parametrize("number", STOP_SIGNALS)
@pytest.mark.parametrize("function", [functions.sleeper, functions.slow_starter])
def test_a_signal_ends_the_wait_and_the_workers(
    interrupt: Interrupt, tmp_path: Path, number: signal.Signals, function: Callable[..., Any]
) -> None:
    def kill_once_all_are_there() -> None:
        functions.wait_for(tmp_path, 2)
        os.kill(os.getpid(), number)
        os.kill(os.getpid(), number)  # a second one changes nothing

    thread = threading.Thread(target=kill_once_all_are_there)
    thread.start()
    assert results(interrupt, [1, 2, 3], function, tmp_path) == []
    thread.join()
    assert interrupt.signal == number
    pids = pids_in(tmp_path)
    assert len(pids) == 2 and not any(map(is_alive, pids))


def test_a_signal_before_the_start_starts_nothing(interrupt: Interrupt) -> None:
    os.kill(os.getpid(), signal.SIGTERM)
    assert results(interrupt, [1, 2], functions.dies_at_start) == []


def test_workers_do_not_hear_the_stop_signals(interrupt: Interrupt, tmp_path: Path) -> None:
    """Else a Ctrl-C would kill workers that the parent then takes for crashed ones."""
    told: list[int] = []

    def shout_then_stop() -> None:
        functions.wait_for(tmp_path, 2)
        for pid in pids_in(tmp_path):
            for number in STOP_SIGNALS:
                os.kill(pid, number)
            told.append(pid)
        assert all(map(is_alive, told))
        os.kill(os.getpid(), signal.SIGINT)

    thread = threading.Thread(target=shout_then_stop)
    thread.start()
    assert results(interrupt, [1, 2], functions.sleeper, tmp_path) == []
    thread.join()
    wait_until(lambda: not any(map(is_alive, told)))
    assert len(told) == 2


def test_handlers_are_put_back() -> None:
    before = [signal.getsignal(number) for number in STOP_SIGNALS]
    mask = signal.pthread_sigmask(signal.SIG_BLOCK, [])
    with Interrupt() as interrupt:
        for _ in range(10_000):  # the wake-up socket fills, and nobody minds
            signal.raise_signal(signal.SIGINT)
        assert results(interrupt, [1], functions.doubler) == []
    assert [signal.getsignal(number) for number in STOP_SIGNALS] == before
    assert signal.pthread_sigmask(signal.SIG_BLOCK, []) == mask


def test_the_environment_is_left_as_it_was(
    interrupt: Interrupt, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTHONPATH", "/elsewhere")
    results(interrupt, [1], functions.doubler)
    assert os.environ["PYTHONPATH"] == "/elsewhere"


def test_no_file_is_left_open(interrupt: Interrupt, tmp_path: Path) -> None:
    results(interrupt, [1], functions.doubler)  # the fork server is started once and stays
    before = len(list(Path("/proc/self/fd").iterdir()))
    results(interrupt, [("killer", 9), ("b", 1), ("c", 0)], functions.dier, tmp_path)
    with pytest.raises(PoolError):
        results(interrupt, [1], functions.dies_at_start)
    assert len(list(Path("/proc/self/fd").iterdir())) == before


@pytest.mark.parametrize(
    ("code", "words"), [(-9, "SIGKILL"), (-11, "SIGSEGV"), (3, "exit code 3"), (None, "exit code")]
)
def test_ends_have_names(code: int | None, words: str) -> None:
    assert words in describe_exit(code)


# --- how many at once ----------------------------------------------------------------------


def test_no_more_tasks_in_hand_than_the_limit(interrupt: Interrupt, tmp_path: Path) -> None:
    pairs = results(interrupt, list(range(12)), functions.crowd, tmp_path, workers=3)
    assert max(count for _, count in pairs) <= 3


def test_a_limit_that_falls_holds_tasks_back(interrupt: Interrupt, tmp_path: Path) -> None:
    """Four at once at first, then one: from the fifth task on, each is alone."""
    limits, counts = [4], {}
    pool = run(list(range(12)), functions.crowd, (tmp_path,), lambda: limits[-1], interrupt)
    for task, count in pool:
        counts[task] = count
        limits.append(1)
    assert [counts[task] for task in range(5, 12)] == [1] * 7


def test_a_limit_that_rises_starts_workers(interrupt: Interrupt, tmp_path: Path) -> None:
    """The second task waits for the third's mark, so that two must be at work."""
    tasks = [(), ("wait here",), ("mark here",)]
    limits, seen = [1], []
    for task, _ in run(tasks, functions.actor, (tmp_path,), lambda: limits[-1], interrupt):
        seen.append(task)
        limits.append(2)
    assert sorted(seen) == sorted(tasks)


# --- a task that is late -------------------------------------------------------------------


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pool.LATE_S", 0)
    monkeypatch.setattr("pool.LATE_TIMES", 0)
    monkeypatch.setattr("pool.LOOK_S", 0.01)


def with_twin(
    interrupt: Interrupt, folder: Path, task: tuple[str, ...], twin: tuple[str, ...]
) -> list[tuple[Any, Any]]:
    """Run a quick task, by which the other is late, and the other with its twin."""
    twins = {task: twin}
    pool = run([(), task], functions.actor, (folder,), lambda: 2, interrupt, twins.pop)
    first, *others = pool
    assert first == ((), ()) and not twins
    return others


def pid_at(mark: Path) -> int:
    return int(mark.read_text())


@pytest.mark.usefixtures("impatient")
def test_a_late_task_is_overtaken_by_its_twin(interrupt: Interrupt, tmp_path: Path) -> None:
    """The loser is dead before the result is told: what it wrote may now be replaced."""
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
