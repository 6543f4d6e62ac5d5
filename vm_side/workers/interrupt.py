"""The signals that stop a batch: only the parent acts on them, and a wait ends at once."""

import contextlib
import math
import signal
import socket
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from types import FrameType, TracebackType
from typing import Any

STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


@dataclass
class Interrupt:
    """SIGINT, SIGTERM and SIGHUP as a flag that also wakes a wait(); a context manager.

    until_s is a time of time.monotonic() at which the flag is set without a signal.

    set_wakeup_fd writes the byte that wakes, whichever thread gets the signal. A handler in Python
    runs only in the main thread, which may be about to wait, or may already wait.
    """

    signal: int = 0
    until_s: float = math.inf
    _sockets: tuple[socket.socket, socket.socket] = field(default_factory=socket.socketpair)
    _before: dict[int, Any] = field(default_factory=dict)
    _wakeup_before: int = -1

    def __enter__(self) -> "Interrupt":
        for end in self._sockets:
            end.setblocking(False)
        self._wakeup_before = signal.set_wakeup_fd(
            self._sockets[1].fileno(), warn_on_full_buffer=False
        )
        for number in STOP_SIGNALS:
            self._before[number] = signal.signal(number, self._on_signal)
        return self

    @property
    def is_set(self) -> bool:
        """Whether the batch must end now."""
        return bool(self.signal) or time.monotonic() >= self.until_s

    def _on_signal(self, number: int, frame: FrameType | None) -> None:
        self.signal = number

    def fileno(self) -> int:
        """Return a file descriptor that is readable once a signal came."""
        return self._sockets[0].fileno()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)
        signal.set_wakeup_fd(self._wakeup_before)
        for end in self._sockets:
            end.close()


@contextlib.contextmanager
def signals_held() -> Iterator[None]:
    """Block the stop signals. Processes started in the block, and their children, never get them.

    A terminal sends its signals to the whole group, but only the parent must act on them.
    """
    before = signal.pthread_sigmask(signal.SIG_BLOCK, STOP_SIGNALS)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
