"""The door of a model server: how many requests of this computer may be there at once.

A page in hand is not yet a request: it is drawn first, and may wait for its turn to be drawn. So
requests are counted here, when they are sent. Requests that find no room wait outside.
"""

import fcntl
import math
import os
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from multiprocessing.sharedctypes import RawValue
from pathlib import Path

POLL_S = 0.02  # between two looks by the one who is next
CLEAR_S = 0.5  # between two searches for the dead; each search takes as long as twenty looks


class Door:
    """A door for the processes and threads that ask one server; they share a folder of its own.

    Whoever is inside holds a lock on a file there. The kernel releases it if its holder dies.
    Whoever is next holds a lock on the folder itself, and the others wait for it without a look.
    So nobody comes in while the next one counts the files, and removes those of the dead.
    """

    def __init__(self, folder: Path, places: int) -> None:
        self._folder = folder
        self._places = RawValue("i", places)

    def open_for(self, places: int) -> None:
        """Let so many be inside from now on. If more are inside already, they may stay."""
        self._places.value = places

    @contextmanager
    def passed(self) -> Iterator[None]:
        """Wait until there is room, then be inside during the block."""
        self._make_folder()
        first = os.open(self._folder, os.O_RDONLY)
        try:
            fcntl.flock(first, fcntl.LOCK_EX)
            self._wait()
            mine, name = tempfile.mkstemp(dir=self._folder)
            fcntl.flock(mine, fcntl.LOCK_EX)
        finally:
            os.close(first)
        try:
            yield
        finally:
            Path(name).unlink(missing_ok=True)
            os.close(mine)

    def _wait(self) -> None:
        """Return when there is room. Only the one who is next may call this."""
        cleared_s = -math.inf
        while len(files := self._files()) >= self._places.value:
            if time.monotonic() - cleared_s < CLEAR_S:
                time.sleep(POLL_S)
                continue
            for path in files:
                if not is_locked(path):
                    path.unlink(missing_ok=True)
            cleared_s = time.monotonic()

    def inside(self) -> int:
        """Return how many are inside now."""
        return sum(map(is_locked, self._files()))

    def _files(self) -> list[Path]:
        """Return the files of those who are inside, and of the dead."""
        self._make_folder()
        return list(self._folder.iterdir())

    def _make_folder(self) -> None:
        """Make the folder, perhaps again: if a node is idle for long, its /tmp may be tidied up."""
        self._folder.mkdir(mode=0o700, exist_ok=True)


def is_locked(path: Path) -> bool:
    """Whether somebody holds the lock of a file."""
    try:
        file = os.open(path, os.O_RDONLY)
    except FileNotFoundError:  # its holder has just gone
        return False
    try:
        fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    else:
        return False
    finally:
        os.close(file)
