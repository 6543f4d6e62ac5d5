"""Removes what the rig made, also when the test process was killed.

A small separate process learns over a pipe what was made. When the pipe closes, for any reason, it
ends the processes (by pid), and removes links, control groups and folders.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path
from types import TracebackType

END_TIMEOUT_S = 60.0


class Leftovers:
    """Used as a context manager around everything that registers with it."""

    def __enter__(self) -> Leftovers:
        self._cleaner = subprocess.Popen(
            [sys.executable, "-I", __file__],
            stdin=subprocess.PIPE,
            start_new_session=True,  # Ctrl-C in the tests must not end it
            text=True,
        )
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        assert self._cleaner.stdin is not None
        self._cleaner.stdin.close()
        # this wait ends, because the cleaner has its own time limit
        if self._cleaner.wait() and error is None:
            raise RuntimeError("something of the rig was left behind: see stderr")

    def process(self, pid: int) -> None:
        self._tell(f"process {pid} {_started(pid)}")

    def link(self, name: str) -> None:
        self._tell(f"link {name}")

    def cgroup(self, folder: Path) -> None:
        self._tell(f"cgroup {folder}")

    def folder(self, folder: Path) -> None:
        self._tell(f"folder {folder}")

    def _tell(self, line: str) -> None:
        assert self._cleaner.stdin is not None
        self._cleaner.stdin.write(line + "\n")
        self._cleaner.stdin.flush()


def _started(pid: int) -> str:
    """When the process began, in ticks; '' if it has gone. Needed because pids are used again."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return ""
    return "" if fields[0] == "Z" else fields[19]


def _end_process(pid: int, started: str) -> None:
    if started and _started(pid) == started:
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)


def remove_cgroup(folder: Path) -> bool:
    """Remove a group and those inside it; False while a process is still in one."""
    for inner, _, _ in os.walk(folder, topdown=False):
        with suppress(OSError):
            Path(inner).rmdir()
    return not folder.exists()


def _clean(lines: list[list[str]]) -> list[str]:
    """Remove everything; return what could not be removed."""

    def of(kind: str) -> list[list[str]]:
        return [rest for first, *rest in lines if first == kind][::-1]

    for pid, *started in of("process"):
        _end_process(int(pid), "".join(started))
    deadline_s = time.monotonic() + END_TIMEOUT_S
    while True:
        left = [f"process {pid}" for pid, *start in of("process") if start == [_started(int(pid))]]
        left += [f"cgroup {path}" for (path,) in of("cgroup") if not remove_cgroup(Path(path))]
        if not left or time.monotonic() > deadline_s:
            break
        time.sleep(0.01)
    for (name,) in of("link"):
        if Path(f"/sys/class/net/{name}").exists():
            subprocess.run(["ip", "link", "del", name], check=False)
    for (path,) in of("folder"):
        shutil.rmtree(path, ignore_errors=True)
        if Path(path).exists():
            left.append(f"folder {path}")
    return left


if __name__ == "__main__":
    remaining = _clean([line.split() for line in sys.stdin])
    for text in remaining:
        print(f"left behind: {text}", file=sys.stderr)
    sys.exit(bool(remaining))
