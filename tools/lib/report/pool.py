"""Work on all cores, with a progress bar for who watches."""

import os
import signal
import sys
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from typing import TypeVar

from tqdm import tqdm

from lib.console import say

Job = TypeVar("Job")
Result = TypeVar("Result")


def each(
    function: Callable[[Job], Result], jobs: Sequence[Job], what: str
) -> Iterator[tuple[Job, Result]]:
    """(job, what the function made of it) of all jobs, in order.

    A job that kills its process, as a damaged file may, is left out; so are the jobs around it.
    """
    workers = min(len(jobs), os.cpu_count() or 1)
    bar = tqdm(total=len(jobs), desc=what, dynamic_ncols=True, disable=not sys.stderr.isatty())
    with bar:
        if workers < 2:
            for job in jobs:
                yield job, function(job)
                bar.update()
            return
        pool = ProcessPoolExecutor(workers, initializer=leave_signals_to_parent)
        done = 0
        try:
            for job, result in zip(jobs, pool.map(function, jobs), strict=True):
                yield job, result
                done += 1
                bar.update()
        except BrokenProcessPool:
            say(f"report: {what}: a process died near {jobs[done]!r:.200}; the rest is left out")
        finally:
            pool.shutdown(cancel_futures=True)


def leave_signals_to_parent() -> None:
    """A Ctrl-C reaches the workers too; they end when the parent says so."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_DFL)
