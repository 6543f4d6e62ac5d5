"""Work on all cores, in processes that can be killed, with a progress bar on a terminal.

The files that are opened here are not trusted: each job has a limit of CPU time and of memory.
"""

import multiprocessing
import os
import resource
import signal
import sys
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from multiprocessing.util import register_after_fork
from typing import Any, Generic, TypeVar

from lib.console import say

Job = TypeVar("Job")
Result = TypeVar("Result")

CPU_S = 60.0  # for a page's picture
TEXT_CPU_S = 600.0  # for the text of some hundred pages
MEMORY_MIB = 4096  # as in vm_side/picture/limits.py


@dataclass(frozen=True)
class Lost:
    """In place of a result: why there is none."""

    reason: str


@dataclass
class Worker(Generic[Job]):
    """A process, our end of its pipe, and the job that it holds."""

    process: BaseProcess
    pipe: Connection
    job: Job | None = None


def each(
    function: Callable[[Job], Result],
    jobs: Sequence[Job],
    what: str,
    cpu_s: float = CPU_S,
    split: Callable[[Job], Sequence[Job]] = lambda job: (),
) -> Iterator[tuple[Job, Result]]:
    """Yield (job, the function's result) for all jobs, in the order in which they end.

    A job that takes more than cpu_s of CPU time, needs too much memory, raises an error or kills
    its process is split() and tried in parts. If it has no parts, it is left out, and we say so.
    """
    from tqdm import tqdm  # noqa: PLC0415 - 60 ms, and who imports this often has no job

    waiting, workers = deque(jobs), list[Worker[Job]]()
    total = len(jobs)
    bar = tqdm(total=total, desc=what, dynamic_ncols=True, disable=not sys.stderr.isatty())
    with bar:
        try:
            while waiting or any(worker.job is not None for worker in workers):
                hand_out(waiting, workers, function, cpu_s)
                ready = wait([worker.pipe for worker in workers])
                for worker in [worker for worker in workers if worker.pipe in ready]:
                    job, worker.job = worker.job, None
                    result = hear(worker, cpu_s)
                    if worker.process.exitcode is not None:
                        workers.remove(worker)
                    if job is None:  # it died while it had no job
                        continue
                    if not isinstance(result, Lost):
                        yield job, result
                    elif parts := split(job):
                        waiting.extendleft(parts)
                        total += len(parts)
                        bar.total = total
                    else:
                        say(f"{what}: {result.reason}; left out: {job!s:.200}")
                    bar.update()
        finally:
            for worker in workers:
                worker.process.kill()
            for worker in workers:
                worker.process.join()
                worker.pipe.close()


def hand_out(
    waiting: "deque[Job]",
    workers: list[Worker[Job]],
    function: Callable[[Job], Any],
    cpu_s: float,
) -> None:
    """Start the workers that are needed, and give jobs to those that have none."""
    busy = sum(worker.job is not None for worker in workers)
    while len(workers) < min(os.cpu_count() or 1, len(waiting) + busy):
        here, there = multiprocessing.Pipe()
        register_after_fork(here, Connection.close)  # else workers would not see our death
        process = multiprocessing.Process(target=work, args=(function, there, cpu_s), daemon=True)
        process.start()
        there.close()
        workers.append(Worker(process, here))
    for worker in workers:
        if waiting and worker.job is None:
            try:
                worker.pipe.send(waiting[0])
            except ConnectionError:  # it has just died; wait() will say so
                continue
            worker.job = waiting.popleft()


def hear(worker: Worker[Any], cpu_s: float) -> Any:
    """Return a worker's answer; Lost if the worker is dead, and then join it."""
    try:
        return worker.pipe.recv()
    except (EOFError, OSError):
        worker.process.join()
        worker.pipe.close()
        code = worker.process.exitcode or 0
        if code == -signal.SIGPROF:
            return Lost(f"took longer than {cpu_s:g} s")
        return Lost(f"its process died ({signal.Signals(-code).name if code < 0 else code})")


def work(function: Callable[[Any], Any], pipe: Connection, cpu_s: float) -> None:
    """Run as a worker: take a job and send its result, until no more jobs can come."""
    leave_signals_to_parent()
    _, most = resource.getrlimit(resource.RLIMIT_DATA)
    wanted = MEMORY_MIB << 20
    wanted = wanted if most == resource.RLIM_INFINITY else min(wanted, most)
    resource.setrlimit(resource.RLIMIT_DATA, (wanted, most))
    try:
        while True:
            job = pipe.recv()
            signal.setitimer(signal.ITIMER_PROF, cpu_s)
            try:
                result = function(job)
            except MemoryError:
                result = Lost(f"needs more than {MEMORY_MIB:,} MiB of memory")
            except Exception as error:  # noqa: BLE001 - one page's fault must not end the report
                result = Lost(f"unexpected {type(error).__name__}: {error}")
            signal.setitimer(signal.ITIMER_PROF, 0)
            pipe.send(result)
    except (EOFError, ConnectionError):
        return


def leave_signals_to_parent() -> None:
    """Ignore Ctrl-C, which reaches the workers too: they end when the parent ends them."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_DFL)
