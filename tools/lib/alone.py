"""Lock a folder, so that one command does not undo what another has just written."""

import contextlib
import errno
import fcntl
import os
import time
from collections.abc import Iterator
from pathlib import Path

from lib.console import Failure, note

PATIENCE_S = 600.0  # the longest wait for another command: our machine may be on, and bill
STEP_S = 0.1
SILENT_S = 2.0  # after this wait, say why nothing happens
NO_LOCKS = {errno.EBADF, errno.EINVAL, errno.ENOLCK, errno.ENOSYS, errno.ENOTSUP, errno.EOPNOTSUPP}


@contextlib.contextmanager
def alone_in(folder: Path, patience_s: float | None = None) -> Iterator[None]:
    """Wait until no other command is in the folder, then keep others out.

    The lock ends when our process ends. A disk that has no locks for folders (some network disks)
    keeps nobody out. Raises Failure if another command stays for too long.
    """
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        began, is_told = time.monotonic(), False
        while not is_ours(descriptor):
            waited_s = time.monotonic() - began
            if waited_s >= (PATIENCE_S if patience_s is None else patience_s):
                raise Failure(f"another command is at work in {folder}", "wait for its end")
            if waited_s >= SILENT_S and not is_told:
                note(f"another command is at work in {folder}; waiting for its end …")
                is_told = True
            time.sleep(STEP_S)
        yield
    finally:
        os.close(descriptor)


def is_ours(descriptor: int) -> bool:
    """Take the lock of an open folder or file; False if another has it. Raises OSError."""
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError as error:
        if error.errno not in NO_LOCKS:
            raise
    return True
