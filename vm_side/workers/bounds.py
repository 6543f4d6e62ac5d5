"""Bounds on what a page may take of a worker. The kernel holds the process to them, wherever it is.

CPU time, not time: on a busy machine a page may take longer. Beyond it the process is killed, and
its exit code says why. Beyond the memory an allocation fails, and the page with it.
"""

import contextlib
import os
import resource
import signal
from collections.abc import Iterator
from contextlib import AbstractContextManager

from picture.limits import MEMORY_MIB

LOWEST_PRIORITY = 19
TOO_LONG = -signal.SIGPROF  # exit code of a process that passed its CPU time


def limit_memory() -> None:
    """Hold this process to MEMORY_MIB; a Mac's kernel does not."""
    _, most = resource.getrlimit(resource.RLIMIT_DATA)
    wanted = MEMORY_MIB << 20
    wanted = wanted if most == resource.RLIM_INFINITY else min(wanted, most)
    resource.setrlimit(resource.RLIMIT_DATA, (wanted, most))


def give_way() -> None:
    """Let whoever else wants to compute do so first."""
    os.nice(LOWEST_PRIORITY)


def use_idle_cores_alone() -> None:
    """Compute where nobody else does, also in other containers, where no priority of ours counts.

    Linux takes a core that runs only such a process for an idle one; a Mac has no such thing.
    """
    if hasattr(os, "SCHED_IDLE"):
        with contextlib.suppress(PermissionError):
            os.sched_setscheduler(0, os.SCHED_IDLE, os.sched_param(0))


@contextlib.contextmanager
def within(turn: AbstractContextManager[object], cpu_s: float) -> Iterator[None]:
    """Take a turn; the process is killed if it computes longer than this in it."""
    with turn:
        signal.setitimer(signal.ITIMER_PROF, cpu_s)
        try:
            yield
        finally:
            signal.setitimer(signal.ITIMER_PROF, 0)


def last_words(cpu_s: float, verb: str = "draw") -> dict[int, str]:
    """What an exit code of a worker says of the page it held."""
    return {TOO_LONG: f"took longer than {cpu_s:g} s to {verb}"}
