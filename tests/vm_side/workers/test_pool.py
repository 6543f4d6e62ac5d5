"""The process pool: whatever happens to a worker, all other tasks are done, and all end."""

from __future__ import annotations

import gc
import os
import signal
import threading
from collections.abc import Callable, Generator, Iterator
from pathlib import Path
from typing import Any

import pytest

from rig import worker_functions as functions
from rig.command import processes, wait_until
from workers.interrupt import STOP_SIGNALS, Interrupt
from workers.pool import Crash, PoolError, describe_exit, run

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
    """It gets a task that it never takes: another worker gets the task."""
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
        os.kill(os.getpid(), number)  # a second signal changes nothing

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
    """Otherwise Ctrl-C would kill workers, and the parent would think that they crashed."""
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
        for _ in range(10_000):  # the wake-up socket fills up, without harm
            signal.raise_signal(signal.SIGINT)
        assert results(interrupt, [1], functions.doubler) == []
    assert [signal.getsignal(number) for number in STOP_SIGNALS] == before
    assert signal.pthread_sigmask(signal.SIG_BLOCK, []) == mask


def test_the_environment_is_left_as_it_was(
    interrupt: Interrupt, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTHONPATH", "/elsewhere")
    monkeypatch.delenv("GLIBC_TUNABLES", raising=False)
    before = dict(os.environ)
    results(interrupt, [1], functions.doubler)
    assert os.environ == before


def test_workers_ask_for_huge_pages(interrupt: Interrupt) -> None:
    ((_, value),) = results(interrupt, ["GLIBC_TUNABLES"], functions.variable)
    assert value == "glibc.malloc.hugetlb=1"


def test_no_file_is_left_open(interrupt: Interrupt, tmp_path: Path) -> None:
    results(interrupt, [1], functions.doubler)  # the fork server is started once and stays
    gc.collect()  # remove what other tests left
    before = len(list(Path("/proc/self/fd").iterdir()))
    results(interrupt, [("killer", 9), ("b", 1), ("c", 0)], functions.dier, tmp_path)
    with pytest.raises(PoolError):
        results(interrupt, [1], functions.dies_at_start)
    assert len(list(Path("/proc/self/fd").iterdir())) <= before


@pytest.mark.parametrize(
    ("code", "words"), [(-9, "SIGKILL"), (-11, "SIGSEGV"), (3, "exit code 3"), (None, "exit code")]
)
def test_ends_have_names(code: int | None, words: str) -> None:
    assert words in describe_exit(code)


def test_that_no_worker_can_be_started_is_told_with_what_to_do(
    interrupt: Interrupt, monkeypatch: pytest.MonkeyPatch
) -> None:
    """For example, /tmp cannot be written to, and the fork server needs a socket there."""

    def fails(module: str) -> None:
        raise FileNotFoundError(2, "No usable temporary directory found")

    monkeypatch.setattr("workers.pool.start_forkserver", fails)
    with pytest.raises(PoolError, match=r"No usable temporary directory.* TMPDIR"):
        results(interrupt, [1], functions.doubler)
