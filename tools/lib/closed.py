"""Copies of private scans stay private: who cannot read INPUT cannot read what is made from it."""

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path

READ, ENTER = 0o444, 0o111
OTHERS = (0o070, 0o007)  # the group, and all other users


def closed_to(path: Path) -> int:
    """Return the umask for the group and the others who cannot read a path. Raises OSError."""
    path = path.resolve()
    own, above = path.stat().st_mode, [folder.stat().st_mode for folder in path.parents]
    return sum(
        who
        for who in OTHERS
        if not own & who & READ or not all(mode & who & ENTER for mode in above)
    )


def as_closed_as(path: Path) -> None:
    """From now on, close this process's new files to everyone who cannot read this path."""
    before = os.umask(0o077)
    try:
        closed = closed_to(path)
    except OSError:  # it does not exist; the verb will say so
        closed = 0
    os.umask(before | closed)


@contextlib.contextmanager
def to_all() -> Iterator[None]:
    """Within the block, new files are closed to all other users."""
    before = os.umask(0o077)
    try:
        yield
    finally:
        os.umask(before)
