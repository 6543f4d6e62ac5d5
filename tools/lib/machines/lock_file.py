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
    """A file that keeps the line of lib.machines.lock; the first line makes its folder, too."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._held: int | None = None  # the descriptor of the file that we keep locked

    def read(self) -> str:
        """Return the line of a holder that is alive; nothing if there is none. Raises Failure."""
        if not self._path.exists():
            return ""
        with self._alone():
            return self._line()

    def swap(self, old: str, new: str) -> bool:
        """Replace the line `old` by `new`; False if it is no longer `old`. Raises Failure."""
        with self._alone():
            if self._line() != old:
                return False
            if new:
                return self._write(new.encode())
            self._path.unlink(missing_ok=True)  # another's, too: its open file is no lock any more
            self._let_go()
            return True

    @contextlib.contextmanager
    def _alone(self) -> Iterator[None]:
        folder = self._path.parent
        try:
            with closed.to_all():  # this may make the machine's folder
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
        # opened for writing, too: else NFS does not say whether it is locked
        with self._path.open("r+", encoding="utf-8", errors="replace") as file:
            return "" if not self._is_held() and is_ours(file.fileno()) else file.read()

    def _write(self, line: bytes) -> bool:
        """Write the line; return False if another process keeps the file locked."""
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
        """Whether the file that is there now is the one that we keep locked."""
        if self._held is None or not self._path.exists():
            return False
        return os.path.samestat(os.fstat(self._held), self._path.stat())
