"""Work in processes that can be killed: a bad job affects only itself."""

from __future__ import annotations

import multiprocessing
import os
import select
import signal
import time

import pytest

from lib.console import Interrupted, interrupt
from lib.pool import each

Job = tuple[str, int]


def do(job: Job) -> int:
    """Do what the job's word says; without a word, return twice its number."""
    word, number = job
    if word == "dies":
        os.kill(os.getpid(), signal.SIGKILL)
    elif word == "raises":
        raise ArithmeticError("no such page")
    elif word == "hoards":
        return len(bytes(1 << 44))
    elif word == "computes":
        while True:
            number += 1
    elif word == "naps":
        time.sleep(number)
    return 2 * number


def halves(job: Job) -> list[Job]:
    word, number = job
    return [("", number), (word, 0)] if number > 1 else []


def made(*jobs: Job, cpu_s: float = 60) -> list[tuple[Job, int]]:
    return sorted(each(do, jobs, "work", cpu_s))


def test_all_jobs_are_done() -> None:
    jobs = [("", number) for number in range(200)]
    assert made(*jobs) == [(job, 2 * job[1]) for job in jobs]
    assert made() == []


@pytest.mark.parametrize(
    ("word", "why"),
    [
        ("dies", "its process died (SIGKILL)"),
        ("raises", "unexpected ArithmeticError: no such page"),
        ("hoards", "needs more than 4,096 MiB of memory"),
        ("computes", "took longer than 0.5 s"),
    ],
)
@pytest.mark.parametrize("others", [0, 9])
def test_a_bad_job_costs_itself_alone(
    capsys: pytest.CaptureFixture[str], word: str, why: str, others: int
) -> None:
    """Also if it is the only job: no job is done in this process."""
    good = [("", number) for number in range(others)]
    assert made((word, 1), *good, cpu_s=0.5) == [(job, 2 * job[1]) for job in good]
    assert f"work: {why}; left out: ('{word}', 1)" in capsys.readouterr().err


def test_what_a_bad_job_can_be_split_into_is_tried(capsys: pytest.CaptureFixture[str]) -> None:
    assert list(each(do, [("raises", 4)], "work", split=halves)) == [(("", 4), 8)]
    assert "left out: ('raises', 0)" in capsys.readouterr().err


def test_time_is_that_of_the_cpu() -> None:
    assert made(("naps", 1), cpu_s=0.3) == [(("naps", 1), 2)]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_it_whatever_it_computes(number: int) -> None:
    before = signal.signal(number, interrupt)
    try:
        with pytest.raises(Interrupted):
            for _ in each(do, [("", 1), ("computes", 1)], "work"):
                os.kill(os.getpid(), number)
    finally:
        signal.signal(number, before)


def begin(pipe: int) -> None:
    """Start workers, send a byte, and wait for the end."""
    for _ in each(do, [("", 1)] * 3, "work"):
        os.write(pipe, b"x")
        signal.pause()


def test_no_worker_outlives_a_parent_that_is_killed(monkeypatch: pytest.MonkeyPatch) -> None:
    """They would hold what they inherited, such as a lock, for ever."""
    monkeypatch.setattr(os, "cpu_count", lambda: 3)
    ours, theirs = os.pipe()
    parent = multiprocessing.get_context("fork").Process(target=begin, args=(theirs,))
    parent.start()
    os.close(theirs)
    assert os.read(ours, 1) == b"x"
    parent.kill()
    parent.join()
    assert select.select([ours], [], [], 15.0)[0] and os.read(ours, 1) == b"", "all have closed it"
    os.close(ours)
