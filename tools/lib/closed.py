"""Copies of private scans stay private: whom INPUT keeps out, what is made of it keeps out, too."""

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path

READ, ENTER = 0o444, 0o111
OTHERS = (0o070, 0o007)  # the group, and all


def closed_to(path: Path) -> int:
    """The rights that others do not have at what lies there, as a umask. Raises OSError."""
    path = path.resolve()
    own, above = path.stat().st_mode, [folder.stat().st_mode for folder in path.parents]
    return sum(
        who
        for who in OTHERS
        if not own & who & READ or not all(mode & who & ENTER for mode in above)
    )


def as_closed_as(path: Path) -> None:
    """From here on, this process makes nothing that is open to whom this path is closed to."""
    before = os.umask(0o077)
    try:
        closed = closed_to(path)
    except OSError:  # it is not there, which its verb will say
        closed = 0
    os.umask(before | closed)


@contextlib.contextmanager
def to_all() -> Iterator[None]:
    """Meanwhile nothing is made that is open to anybody else."""
    before = os.umask(0o077)
    try:
        yield
    finally:
        os.umask(before)
