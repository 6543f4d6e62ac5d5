"""Turns on the CPU: of many workers, only as many compute at once as there are cores.

If all workers compute at once, all of them finish late, and together. In turns, one page after
another is sent as early as possible, and few pictures are in memory at a time.
"""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path


class Turns:
    """Turns that processes share if they name the same file. Each process opens the file once.

    A turn is a lock on one byte of the file; the kernel frees it when its holder dies. The byte
    behind them is the lock of the large pages: only one of these is computed at a time.
    """

    def __init__(self, path: Path, count: int = 0) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._file = path.open("ab")
        self._count: int = count or os.cpu_count() or 1

    @contextmanager
    def taken(self, is_large: bool = False) -> Iterator[None]:
        """Wait for a turn, and hold it during the block. Not for use from two threads."""
        if is_large:  # first, so that it waits without a turn
            fcntl.lockf(self._file, fcntl.LOCK_EX, 1, self._count)
        place = self._take()
        try:
            yield
        finally:
            fcntl.lockf(self._file, fcntl.LOCK_UN, 1, place)
            if is_large:
                fcntl.lockf(self._file, fcntl.LOCK_UN, 1, self._count)

    def _take(self) -> int:
        first = os.getpid()  # so that not all wait for the same one
        for step in range(self._count):
            place = (first + step) % self._count
            with suppress(BlockingIOError, PermissionError):  # another process has it
                fcntl.lockf(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB, 1, place)
                return place
        place = first % self._count
        fcntl.lockf(self._file, fcntl.LOCK_EX, 1, place)
        return place
