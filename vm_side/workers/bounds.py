"""Bounds on the CPU time and memory that a page may take. The kernel enforces them on the process.

The bound is CPU time, since on a busy machine a page may take longer. Beyond it the process is
killed, and its exit code says why. Beyond the memory an allocation fails, and the page with it.
"""

import contextlib
import os
import resource
import signal
from collections.abc import Iterator
from contextlib import AbstractContextManager
from pathlib import Path

from picture.limits import MEMORY_MIB

WAITING_MIB = 64  # what a worker takes, at most, while the model answers; mostly 15 to 40
FILES = 4  # files that the parent holds open for each worker, and a few to spare
CGROUP = (  # where a container's memory limit is: on new systems, and on old ones
    Path("/sys/fs/cgroup/memory.max"),
    Path("/sys/fs/cgroup/memory/memory.limit_in_bytes"),
)
LOWEST_PRIORITY = 19
TOO_LONG = -signal.SIGPROF  # exit code of a process that passed its CPU time


def limit_memory() -> None:
    """Limit this process to MEMORY_MIB; a Mac's kernel does not enforce it."""
    _, most = resource.getrlimit(resource.RLIMIT_DATA)
    wanted = MEMORY_MIB << 20
    wanted = wanted if most == resource.RLIM_INFINITY else min(wanted, most)
    resource.setrlimit(resource.RLIMIT_DATA, (wanted, most))


def memory_mib(cgroup: tuple[Path, ...] = CGROUP) -> int:
    """Return the memory of this machine, or the part of it that this container may take."""
    whole = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    limits = (path.read_text(encoding="ascii").strip() for path in cgroup if path.exists())
    return min([whole, *(int(limit) for limit in limits if limit.isdecimal())]) >> 20


def most_workers(memory_mib: int) -> int:
    """Return how many workers fit into half of the memory; the other half is for drawing pages."""
    return max(1, memory_mib // 2 // WAITING_MIB)


def allow_files(workers: int) -> None:
    """Let this process open the files that so many workers need, as far as the system allows."""
    now, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = FILES * workers if most == resource.RLIM_INFINITY else min(FILES * workers, most)
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(now, wanted), most))


def give_way() -> None:
    """Let other processes compute first."""
    os.nice(LOWEST_PRIORITY)


def use_idle_cores_alone() -> None:
    """Compute only on cores that nobody else uses, not even other containers.

    Our priority has no effect on other containers, but Linux treats a core that runs only such a
    process as idle. A Mac has nothing like it.
    """
    if hasattr(os, "SCHED_IDLE"):
        with contextlib.suppress(PermissionError):
            os.sched_setscheduler(0, os.SCHED_IDLE, os.sched_param(0))


@contextlib.contextmanager
def within(turn: AbstractContextManager[object], cpu_s: float) -> Iterator[None]:
    """Take a turn. The process is killed if it computes longer than cpu_s in it."""
    with turn:
        signal.setitimer(signal.ITIMER_PROF, cpu_s)
        try:
            yield
        finally:
            signal.setitimer(signal.ITIMER_PROF, 0)


def last_words(cpu_s: float, verb: str = "draw") -> dict[int, str]:
    """Return what an exit code of a worker says about the page that it held."""
    return {TOO_LONG: f"took longer than {cpu_s:g} s to {verb}"}
