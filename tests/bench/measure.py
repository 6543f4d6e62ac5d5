"""What a command costs: CPU time and memory of the whole tree of its processes (Linux)."""

import contextlib
import ctypes
import os
import resource
import subprocess
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

PR_SET_CHILD_SUBREAPER = 36
QUIET_S = 0.5  # when no orphan ends for so long, none is left
SAMPLE_S = 2.0  # reading the memory of 66 processes takes a tenth of a second
PROC = Path("/proc")


@dataclass(frozen=True)
class Cost:
    """`cpu_s` counts user and system time; the peaks are bytes of all processes together.

    If n processes share memory, pss counts an n-th part for each of them, and rss all of it.
    """

    stdout: str
    seconds: float
    cpu_s: float
    peak_pss: int
    peak_rss: int


def run(command: list[str], stdin: str, log: Path, memory: bool = False) -> Cost:
    """Run a command until it and all its processes have ended; its stderr goes to the log.

    Raises RuntimeError if it fails. This process must have called adopt_orphans().
    """
    before = cpu_of_children()
    peak = Peak()
    with log.open("w") as stderr:
        started = time.monotonic()
        process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=stderr,
            encoding="utf-8",
            errors="replace",  # threads of the reference mix their output
            env=plain_environment(),
        )
        with peak.watched() if memory else contextlib.nullcontext():
            stdout, _ = process.communicate(stdin)
        seconds = time.monotonic() - started
        wait_for_orphans()
    if process.returncode:
        raise RuntimeError(f"{command} ended with {process.returncode}:\n{log.read_text()[-2000:]}")
    return Cost(stdout, seconds, cpu_of_children() - before, peak.pss, peak.rss)


def plain_environment() -> dict[str, str]:
    """An environment without the knobs that a client would use."""
    return {"PATH": os.environ["PATH"], "LANG": "C.UTF-8", "HOME": os.environ["HOME"]}


class Peak:
    """The most memory that the processes below this one took; earlier ones do not count."""

    def __init__(self) -> None:
        self.pss = self.rss = 0
        self._not_counted = descendants(os.getpid())
        self._end = threading.Event()

    @contextlib.contextmanager
    def watched(self) -> Iterator[None]:
        """Look every SAMPLE_S while the body runs."""
        watcher = threading.Thread(target=self._watch)
        watcher.start()
        try:
            yield
        finally:
            self._end.set()
            watcher.join()

    def _watch(self) -> None:
        while not self._end.wait(SAMPLE_S):
            sums = [memory_of(pid) for pid in descendants(os.getpid()) - self._not_counted]
            self.pss = max(self.pss, sum(pss for pss, _ in sums))
            self.rss = max(self.rss, sum(rss for _, rss in sums))


def descendants(root: int) -> set[int]:
    """All processes below this one."""
    children: dict[int, list[int]] = {}
    for entry in PROC.iterdir():
        if entry.name.isdecimal():
            with contextlib.suppress(OSError):  # the process has just ended
                parent = int((entry / "stat").read_text().rpartition(")")[2].split()[1])
                children.setdefault(parent, []).append(int(entry.name))
    found: set[int] = set()
    front = [root]
    while front:
        front = [child for pid in front for child in children.get(pid, [])]
        found.update(front)
    return found


def memory_of(pid: int) -> tuple[int, int]:
    """(PSS, RSS) of a process in bytes; zeros for one that has ended."""
    try:
        lines = (PROC / str(pid) / "smaps_rollup").read_text().splitlines()[1:]
    except OSError:
        return 0, 0
    kib = {line.split(":")[0]: int(line.split()[1]) for line in lines}
    return kib.get("Pss", 0) << 10, kib.get("Rss", 0) << 10


def cpu_of_children() -> float:
    """CPU seconds, user and system, of all children that have ended."""
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def adopt_orphans() -> None:
    """Become the parent of orphans below us, so that their CPU time is counted too."""
    ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def wait_for_orphans() -> None:
    """Reap processes that live a little longer than the command, like the workers' fork server."""
    quiet_since = time.monotonic()
    while time.monotonic() - quiet_since < QUIET_S:
        pid, _ = os.waitpid(-1, os.WNOHANG)  # the stub is also a child, and lives
        if pid:
            quiet_since = time.monotonic()
        time.sleep(0.02)
