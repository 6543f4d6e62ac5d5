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
from pathlib import Path

from picture.limits import MEMORY_MIB

WAITING_MIB = 64  # that a worker takes, at most, while the model answers; mostly it is 15 to 40
FILES = 4  # that the parent holds open for each worker, and a few more
CGROUP = (  # what a container may take: as new systems say it, and old ones
    Path("/sys/fs/cgroup/memory.max"),
    Path("/sys/fs/cgroup/memory/memory.limit_in_bytes"),
)
LOWEST_PRIORITY = 19
TOO_LONG = -signal.SIGPROF  # exit code of a process that passed its CPU time


def limit_memory() -> None:
    """Hold this process to MEMORY_MIB; a Mac's kernel does not."""
    _, most = resource.getrlimit(resource.RLIMIT_DATA)
    wanted = MEMORY_MIB << 20
    wanted = wanted if most == resource.RLIM_INFINITY else min(wanted, most)
    resource.setrlimit(resource.RLIMIT_DATA, (wanted, most))


def memory_mib(cgroup: tuple[Path, ...] = CGROUP) -> int:
    """The memory of this machine, or the part of it that this container may take."""
    whole = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    limits = (path.read_text(encoding="ascii").strip() for path in cgroup if path.exists())
    return min([whole, *(int(limit) for limit in limits if limit.isdecimal())]) >> 20


def most_workers(memory_mib: int) -> int:
    """How many workers fit half of the memory; the other half is for the pages that are drawn."""
    return max(1, memory_mib // 2 // WAITING_MIB)


def allow_files(workers: int) -> None:
    """Let this process hold open what so many workers need, as far as it may."""
    now, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = FILES * workers if most == resource.RLIM_INFINITY else min(FILES * workers, most)
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(now, wanted), most))


def give_way() -> None:
    """Let other processes compute first."""
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
