"""A real vLLM in a process of its own: started, waited for, asked, ended with its children."""

from __future__ import annotations

import contextlib
import http.client
import os
import signal
import socket
import subprocess
import time
from pathlib import Path
from types import TracebackType
from typing import Self

START_TIMEOUT_S = 600.0  # it takes a minute or two, alone on the machine
LOOK_S = 0.2
PROC = Path("/proc")
ALONE = {
    "VLLM_NO_USAGE_STATS": "1",
    "DO_NOT_TRACK": "1",
    "HF_HUB_OFFLINE": "1",
    "TRANSFORMERS_OFFLINE": "1",
}
ON_CPU = {"VLLM_TARGET_DEVICE": "cpu", "VLLM_CPU_KVCACHE_SPACE": "1"}


class VllmProcess:
    """The server process and its engine; as a context manager it starts and ends.

    A subclass says how to start it: the command and the environment.
    """

    def __init__(self, log: Path) -> None:
        self.log = log
        self.port = free_port()
        self.starts: list[float] = []
        """Seconds from each start to the first healthy answer."""
        self._process: subprocess.Popen[bytes] | None = None
        self._began_s = 0.0

    def command(self) -> list[str]:
        raise NotImplementedError

    def environment(self) -> dict[str, str]:
        raise NotImplementedError

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def pid(self) -> int:
        """The pid of the started process."""
        assert self._process is not None
        return self._process.pid

    def __enter__(self) -> Self:
        self.start()
        try:
            self.wait_until_ready()
        except BaseException:  # also for pytest's timeout: nobody else would end the process
            self.kill()
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.kill()

    def start(self) -> None:
        """Start it, and do not wait until it is ready."""
        assert self._process is None
        self._began_s = time.monotonic()
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                self.command(),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env=self.environment(),
                start_new_session=True,
            )

    def wait_until_ready(self) -> None:
        """Return once it is healthy; raises RuntimeError, with the end of its log, if it fails."""
        while not self.is_healthy():
            ended = self._process is None or self._process.poll() is not None
            if ended or time.monotonic() - self._began_s > START_TIMEOUT_S:
                end = self.log.read_text(encoding="utf-8", errors="replace")[-4000:]
                raise RuntimeError(f"vLLM did not start:\n{end}")
            time.sleep(LOOK_S)
        self.starts.append(time.monotonic() - self._began_s)

    def is_healthy(self) -> bool:
        """Whether it answers at all."""
        with contextlib.suppress(OSError):
            return self.get("/health")[0] == 200
        return False

    def get(self, path: str) -> tuple[int, bytes]:
        """GET over a connection of its own. Raises OSError."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        try:
            connection.request("GET", path)
            response = connection.getresponse()
            return response.status, response.read()
        finally:
            connection.close()

    def kill(self) -> None:
        """End all its processes, and wait until none is left."""
        if self._process is None:
            return
        end_session(self._process)
        self._process = None


def members_of(session: int) -> dict[int, str]:
    """pid -> title of every living process of a session."""
    found = {}
    for folder in PROC.glob("[0-9]*"):
        with contextlib.suppress(OSError):
            state, _, _, its_session = (folder / "stat").read_text().rpartition(")")[2].split()[:4]
            if int(its_session) == session and state not in "ZX":
                found[int(folder.name)] = (folder / "cmdline").read_text()
    return found


def end_session(first: subprocess.Popen[bytes]) -> None:
    """End every process of the session that `first` began; return when none is left."""
    while members := members_of(first.pid):
        for pid in members:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        first.poll()
        time.sleep(0.05)
    first.wait()


def free_port() -> int:
    """A port on which nobody listens."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
