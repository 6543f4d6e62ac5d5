"""Who uses a machine: `make all` holds it from start to stop, so that no other run stops it.

The lock is a line of JSON that the machine keeps, also while it is off. A holder that is gone
leaves it behind; then it is stale, and the next one takes it.
"""

import contextlib
import getpass
import json
import os
import socket
import time
import uuid
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Protocol

from lib.console import Failure, say

TOKEN_VARIABLE = "DOTS_OCR_LOCK"  # make all hands it to its verbs
LONGEST_HOLD_H = 24.0


class Held(Failure):
    """Another run that lives uses the machine."""


class Keeper(Protocol):
    """What can keep a lock: a machine."""

    def read_lock(self) -> str:
        """The line it keeps; nothing if none."""

    def swap_lock(self, old: str, new: str) -> bool:
        """Put new in place of old; False if old is no longer there."""


@dataclass(frozen=True)
class Holder:
    """A run that holds a machine; since is Unix time."""

    token: str
    user: str
    host: str
    pid: int
    since: float

    def __str__(self) -> str:
        since = time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(self.since))
        return f"{self.user}@{self.host} (process {self.pid}) since {since}"


def read_holder(line: str) -> Holder | None:
    """The holder in a lock's line; None if nobody or nonsense stands there."""
    try:
        return Holder(**json.loads(line))
    except (ValueError, TypeError):
        return None


def is_stale(holder: Holder, host: str, now: float, longest_h: float, lives: bool) -> bool:
    """Whether a holder is gone: its process here is dead, or it holds longer than a VM may run.

    lives tells whether a process of the holder's number runs on this host.
    """
    if now - holder.since > (longest_h or LONGEST_HOLD_H) * 3600:
        return True
    return holder.host == host and not lives


def refuse_if_held(keeper: Keeper, longest_h: float) -> None:
    """Raise Failure, with who and since when, if another run holds the machine."""
    holder = read_holder(keeper.read_lock())
    if holder is None or holder.token == os.environ.get(TOKEN_VARIABLE):
        return
    if is_stale(holder, socket.gethostname(), time.time(), longest_h, runs(holder.pid)):
        return
    raise Held(
        f"the machine is held by {holder}",
        "wait for its end; make stop FORCE=1 stops the machine all the same",
    )


def refuse_if_lost(line: str) -> None:
    """Raise Failure if we are a verb of a run that held the machine, and this lock is not its."""
    token = os.environ.get(TOKEN_VARIABLE)
    holder = read_holder(line)
    if token and (holder is None or holder.token != token):
        raise Failure("the machine was taken from this run: make stop FORCE=1 did", "make all")


@contextlib.contextmanager
def hold(keeper: Keeper, longest_h: float) -> Iterator[str]:
    """Hold the machine; gives the token by which our own verbs are let in."""
    refuse_if_held(keeper, longest_h)
    before = keeper.read_lock()
    ours = Holder(
        uuid.uuid4().hex, getpass.getuser(), socket.gethostname(), os.getpid(), time.time()
    )
    line = json.dumps(asdict(ours))
    if not keeper.swap_lock(before, line):
        refuse_if_held(keeper, longest_h)
        raise Failure("somebody else took the machine just now", "make status")
    try:
        yield ours.token
    finally:
        try:
            keeper.swap_lock(line, "")
        except Failure as error:  # whether the machine is off matters more
            say(f"the machine's lock could not be given back: {error.message}")


def runs(pid: int) -> bool:
    """Whether a process of this number runs here."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
