"""Never leave a machine on because of us without saying so."""

import contextlib
import os
from collections.abc import Iterator

from lib.console import ExitCode, say
from lib.machines.lock import TOKEN_VARIABLE, Held
from lib.machines.machine import Machine


def left(machine: Machine, if_seen: bool) -> str:
    """Return what is left on; nothing within `make all`, which turns it off next.

    if_seen: also nothing if nobody has looked at the machine, or it was off. Then we do not look
    either, because a command that needs no machine must not ask for one.
    """
    if os.environ.get(TOKEN_VARIABLE) or (if_seen and machine.on_since() is None):
        return ""
    return machine.left_on()


@contextlib.contextmanager
def told(machine: Machine, if_seen: bool = False) -> Iterator[None]:
    """Add what is left on to each error or interrupt in the block.

    But not if another run holds the machine: that run stops it.
    """
    try:
        yield
    except Held:
        raise
    except BaseException as error:
        if text := left(machine, if_seen):
            error.add_note(text)
        raise


def ended(machine: Machine, code: int, if_seen: bool = False) -> int:
    """Return the code with which a verb ends. If it is not 0, say last what is left on.

    make goes no further after such a code, so a stop behind this verb does not come.
    """
    if code != ExitCode.OK and (text := left(machine, if_seen)):
        say(text)
    return code
