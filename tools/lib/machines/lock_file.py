"""The lock of a machine that is a folder of this computer: a file that its holder keeps locked.

The system unlocks it when the holder's process ends, however it ends. A disk that has no locks
keeps nobody out: see lib.alone.
"""

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path

from lib import closed
from lib.alone import alone_in, is_ours
from lib.console import Failure


class LockFile:
    """What keeps the line of lib.machines.lock; its folder is made with the first line."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._held: int | None = None  # the descriptor of the file that we keep locked

    def read(self) -> str:
        """The line of a holder that lives; nothing if there is none. Raises Failure."""
        if not self._path.exists():
            return ""
        with self._alone():
            return self._line()

    def swap(self, old: str, new: str) -> bool:
        """Put new in place of old; False if old is no longer there. Raises Failure."""
        with self._alone():
            if self._line() != old:
                return False
            if new:
                return self._write(new.encode())
            self._path.unlink(missing_ok=True)  # if it is another's: what that one has open is none
            self._let_go()
            return True

    @contextlib.contextmanager
    def _alone(self) -> Iterator[None]:
        folder = self._path.parent
        try:
            with closed.to_all():  # it is the machine's folder, and this makes it
                folder.mkdir(parents=True, exist_ok=True)
            with alone_in(folder):
                yield
        except OSError as error:
            raise Failure(
                f"the machine's lock in {folder} cannot be used: {error.strerror or error}",
                "correct that, or give the machine another folder: MACHINE_DIR=…",
            ) from error

    def _line(self) -> str:
        if not self._path.exists():
            return ""
        # to be written, too: else NFS does not say whether it is locked
        with self._path.open("r+", encoding="utf-8", errors="replace") as file:
            return "" if not self._is_held() and is_ours(file.fileno()) else file.read()

    def _write(self, line: bytes) -> bool:
        """False if another keeps it locked."""
        if self._held is None or not self._is_held():
            self._let_go()
            self._held = os.open(self._path, os.O_WRONLY | os.O_CREAT, 0o600)
            if not is_ours(self._held):
                self._let_go()
                return False
        os.pwrite(self._held, line, 0)
        os.ftruncate(self._held, len(line))
        return True

    def _let_go(self) -> None:
        if self._held is not None:
            os.close(self._held)
        self._held = None

    def _is_held(self) -> bool:
        """Whether the file that stands there is the one that we keep locked."""
        if self._held is None or not self._path.exists():
            return False
        return os.path.samestat(os.fstat(self._held), self._path.stat())
