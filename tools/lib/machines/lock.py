"""Who uses a machine: `make all` holds it from start to stop, so that no other run stops it.

The lock is a line of JSON that the machine keeps, also while it is off. The holder writes into it
until when it holds the machine, and renews that while it lives. If a holder dies, its lock stays
behind; then it is stale, and the next run takes it.
"""

import contextlib
import getpass
import json
import math
import os
import time
import uuid
from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from typing import Any, Protocol

from lib.console import Failure, printable, say
from lib.machines import here

TOKEN_VARIABLE = "DOTS_OCR_LOCK"  # make all hands it to its verbs
LONGEST_HOLD_H = 24.0  # from the last sign of life, where MAX_HOURS is 0
RENEW_S = 600.0  # between two signs of life
LATEST = 1e11  # a larger number is not a time
LARGEST_PID = 2**31 - 1


class Held(Failure):
    """Another run, which is alive, uses the machine."""


class Keeper(Protocol):
    """A machine, as something that can keep a lock."""

    def read_lock(self) -> str:
        """Return the line that it keeps; nothing if there is none."""

    def swap_lock(self, old: str, new: str) -> bool:
        """Replace the line `old` by `new`; return False if the line is no longer `old`."""


@dataclass(frozen=True)
class Holder:
    """A run that holds a machine; times are Unix time. machine and boot are empty if not known."""

    token: str
    user: str
    host: str
    pid: int
    since: float
    until: float
    machine: str = ""
    boot: str = ""

    def __str__(self) -> str:
        since, until = (
            time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(moment))
            for moment in (self.since, self.until)
        )
        who = printable(f"{self.user}@{self.host}".replace("\n", " "))
        return f"{who} (process {self.pid}) since {since}, until {until} at the latest"


def read_holder(line: str) -> Holder | None:
    """Return the holder in a lock's line; None if the line is empty or nonsense."""
    try:
        entry = json.loads(line)
        entry.setdefault("until", entry["since"] + LONGEST_HOLD_H * 3600)  # older versions had none
        holder = Holder(**entry)
    except (ValueError, TypeError, AttributeError, KeyError, RecursionError, OverflowError):
        return None
    return holder if is_sound(holder) else None


def is_sound(holder: Holder) -> bool:
    """Whether each value is valid: anybody may have written the line."""
    words = (holder.token, holder.user, holder.host, holder.machine, holder.boot)
    return (
        all(isinstance(word, str) for word in words)
        and is_number(holder.pid, LARGEST_PID)
        and isinstance(holder.pid, int)
        and all(is_number(moment, LATEST) for moment in (holder.since, holder.until))
    )


def is_number(value: Any, largest: float) -> bool:
    """Whether a value is a number above 0, and at most `largest`."""
    is_one = isinstance(value, int | float) and not isinstance(value, bool)
    return is_one and math.isfinite(value) and 0 < value <= largest


def is_stale(holder: Holder, me: here.Here, now: float, lives: bool) -> bool:
    """Whether a holder is gone: its own end has passed, or its process here is dead.

    lives tells whether a process of the holder's number runs here. If the process runs elsewhere or
    in another container, we know only its end.
    """
    if now > holder.until:
        return True
    if holder.boot and holder.boot == me.boot:
        return not lives
    # the same computer, started again since
    return bool(me.boot and me.machine and (holder.machine, holder.host) == (me.machine, me.host))


def refuse_if_held(keeper: Keeper) -> None:
    """Raise Failure, with who and since when, if another run holds the machine."""
    refuse_others(keeper.read_lock())


def refuse_others(line: str) -> None:
    """Do the same for the line that a machine keeps."""
    holder = read_holder(line)
    if holder is None or holder.token == os.environ.get(TOKEN_VARIABLE):
        return
    if is_stale(holder, here.look(), time.time(), runs(holder.pid)):
        return
    raise Held(
        f"the machine is held by {holder}",
        "wait for its end; make stop FORCE=1 stops the machine all the same",
    )


def refuse_if_lost(line: str) -> None:
    """Raise Failure if our run held the machine, and this lock is no longer our run's."""
    token = os.environ.get(TOKEN_VARIABLE)
    holder = read_holder(line)
    if token and (holder is None or holder.token != token):
        raise Failure(
            "the machine was taken from this run: make stop FORCE=1 did it, or the lock ran out",
            "make all",
        )


class Hold:
    """A machine that is held by us; its token lets our own verbs in."""

    def __init__(self, keeper: Keeper, ours: Holder, longest_s: float) -> None:
        self.token = ours.token
        self._keeper, self._ours, self._longest_s = keeper, ours, longest_s

    def renew(self) -> None:
        """Say that we are alive, and so hold the machine longer; not if it was taken from us."""
        with contextlib.suppress(Failure):  # no network, say: our last line holds for hours
            self._put(line_of(replace(self._ours, until=end_from(time.time(), self._longest_s))))

    def give_back(self) -> None:
        """Let the next run in. Raises Failure."""
        self._put("")

    def _put(self, line: str) -> None:
        """Change our line, also an older one of ours: the answer to a change may have been lost."""
        before = self._keeper.read_lock()
        holder = read_holder(before)
        if holder and holder.token == self.token:
            self._keeper.swap_lock(before, line)


def line_of(holder: Holder) -> str:
    """Return the line that the machine keeps."""
    return json.dumps(asdict(holder))


def end_from(now: float, longest_s: float) -> float:
    """Return until when a holder that is alive now holds: a VM's longest run, and a bit more."""
    return now + longest_s + 2 * RENEW_S


@contextlib.contextmanager
def hold(keeper: Keeper, longest_h: float) -> Iterator[Hold]:
    """Hold the machine until so many hours after the last sign of life; 0 means a day."""
    before = keeper.read_lock()
    refuse_others(before)
    me, now, longest_s = here.look(), time.time(), (longest_h or LONGEST_HOLD_H) * 3600
    ours = Holder(
        *(uuid.uuid4().hex, user(), me.host, os.getpid()),
        *(now, end_from(now, longest_s), me.machine, me.boot),
    )
    if not keeper.swap_lock(before, line_of(ours)):
        refuse_if_held(keeper)
        raise Failure("somebody else took the machine just now", "make status")
    held = Hold(keeper, ours, longest_s)
    try:
        yield held
    finally:
        try:
            held.give_back()
        except Failure as error:  # whether the machine is off matters more
            say(f"the machine's lock could not be given back: {error.message}")


def user() -> str:
    """Return our user's name, or its number if it has none, as in some containers."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # before Python 3.13, and from it on
        return str(os.getuid())


def runs(pid: int) -> bool:
    """Whether a process of this number runs here."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
