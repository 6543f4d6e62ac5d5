"""The door of a model server: how many requests of this computer may be there at once.

A page in hand is not yet a request: it is drawn first, and may wait for a turn to be. So requests
are counted here, when they are sent. Who prepared more than the server has room for waits outside.
"""

import fcntl
import os
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from multiprocessing.sharedctypes import RawValue
from pathlib import Path

POLL_S = 0.02  # between two looks of the one who is next


class Door:
    """Shared by the processes and threads that ask one server, by way of a folder of their own.

    Whoever is inside holds a lock on a file there. The kernel gives it back when its holder dies.
    Who is next holds that on the folder itself: the others wait for it without a look.
    """

    def __init__(self, folder: Path, places: int) -> None:
        self._folder = folder
        self._places = RawValue("i", places)

    def open_for(self, places: int) -> None:
        """Let so many be inside from now on. More that are there already may stay."""
        self._places.value = places

    @contextmanager
    def passed(self) -> Iterator[None]:
        """Wait until there is room, and be inside for a block."""
        first = os.open(self._folder, os.O_RDONLY)
        try:
            fcntl.flock(first, fcntl.LOCK_EX)
            while self.inside() >= self._places.value:
                time.sleep(POLL_S)
            mine, name = tempfile.mkstemp(dir=self._folder)
            fcntl.flock(mine, fcntl.LOCK_EX)
        finally:
            os.close(first)
        try:
            yield
        finally:
            Path(name).unlink(missing_ok=True)
            os.close(mine)

    def inside(self) -> int:
        """How many are inside now."""
        return sum(is_locked(path) for path in self._folder.iterdir())


def is_locked(path: Path) -> bool:
    """Whether somebody holds the lock of a file."""
    try:
        file = os.open(path, os.O_RDONLY)
    except FileNotFoundError:  # he has just gone
        return False
    try:
        fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    else:
        return False
    finally:
        os.close(file)
