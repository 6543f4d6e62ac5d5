"""A server in the background that outlives the verb which started it.

It holds a lock as long as it lives, so a later verb knows whether it runs, also after a crash or
a reboot, and never signals another process that happens to have its number.
"""

import contextlib
import fcntl
import json
import os
import signal
import subprocess
import time
from collections.abc import Sequence
from pathlib import Path

from lib.console import Failure, signals_deferred
from lib.files import write_whole

POLITE_END_S = 10.0


class Server:
    """The background server of a folder; its log is server.log in it."""

    def __init__(self, folder: Path) -> None:
        self._lock = folder / "server.lock"
        self._state = folder / "server.json"
        self.log = folder / "server.log"

    def start(self, command: Sequence[str], cwd: Path, endpoint: str) -> None:
        """Start it, with a log of its own, away from our terminal."""
        with self._lock.open("a") as lock, self.log.open("w") as log:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise Failure("the model server is being started by someone else") from None
            # a server that ended by itself has left its number here, which is no longer true
            self._state.unlink(missing_ok=True)
            with signals_deferred():
                process = subprocess.Popen(
                    command,
                    cwd=cwd,
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=subprocess.STDOUT,
                    start_new_session=True,  # a Ctrl-C in our terminal is not meant for it
                    pass_fds=[lock.fileno()],
                )
                state = {"pid": process.pid, "endpoint": endpoint, "since": time.time()}
                write_whole(self._state, json.dumps(state))

    def is_running(self) -> bool:
        """Whether it lives."""
        try:
            with self._lock.open("r+") as lock:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except FileNotFoundError:
            return False
        except BlockingIOError:
            return True
        return False

    def was_started(self) -> bool:
        """Whether it was started and not stopped since; it may have ended by itself."""
        return self._state.exists()

    def endpoint(self) -> str:
        """The URL at which it was started; nothing if it was not."""
        return str(self._read_state().get("endpoint", ""))

    def stop(self) -> None:
        """End it and wait until it has. Raises Failure if it lives on."""
        pid = self._read_state().get("pid")
        for number in (signal.SIGTERM, signal.SIGKILL):
            if not self.is_running():
                break
            if not isinstance(pid, int):
                raise Failure(
                    f"a model server runs, but {self._state} does not say which process it is",
                    f"end the process that holds {self._lock} (fuser {self._lock})",
                )
            with contextlib.suppress(ProcessLookupError):
                os.killpg(pid, number)
            self._wait_for_end()
        if self.is_running():
            raise Failure(f"the model server, process {pid}, cannot be ended")
        self._state.unlink(missing_ok=True)

    def log_tail(self, lines: int) -> str:
        """The last lines of its log."""
        try:
            text = self.log.read_text(encoding="utf-8", errors="replace")
        except FileNotFoundError:
            return ""
        return "\n".join(text.rstrip().split("\n")[-lines:])

    def _wait_for_end(self) -> None:
        deadline = time.monotonic() + POLITE_END_S
        while self.is_running() and time.monotonic() < deadline:
            time.sleep(0.05)

    def _read_state(self) -> dict[str, object]:
        try:
            state = json.loads(self._state.read_text(encoding="utf-8"))
        except (FileNotFoundError, ValueError, RecursionError):
            return {}
        return state if isinstance(state, dict) else {}
