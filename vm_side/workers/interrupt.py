"""The signals that stop a batch: noticed by the parent alone, and never in the middle of a wait."""

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
    """SIGINT, SIGTERM and SIGHUP as a flag that also wakes a wait(); as a context manager.

    until_s is a time of time.monotonic() at which the flag is set without a signal.

    The byte that wakes is written by set_wakeup_fd, in whatever thread the signal comes: a handler
    in Python runs in the main thread alone, which may just be about to wait, or waits already.
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
        """Whether the batch is to end now."""
        return bool(self.signal) or time.monotonic() >= self.until_s

    def _on_signal(self, number: int, frame: FrameType | None) -> None:
        self.signal = number

    def fileno(self) -> int:
        """Readable once a signal came."""
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
    """Hold the stop signals back. What is started meanwhile never gets them, nor its children:
    a terminal signals the whole group, and it is the parent that acts.
    """
    before = signal.pthread_sigmask(signal.SIG_BLOCK, STOP_SIGNALS)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
