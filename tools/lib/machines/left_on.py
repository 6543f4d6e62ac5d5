"""A machine that is on because of us is never left so without a word."""

import contextlib
import os
from collections.abc import Iterator

from lib.console import ExitCode, say
from lib.machines.lock import TOKEN_VARIABLE, Held
from lib.machines.machine import Machine


def left(machine: Machine, if_seen: bool) -> str:
    """What is left on; nothing within `make all`, which turns it off next.

    if_seen: nor where nobody has looked at it, or it was off: what needs no machine asks for none.
    """
    if os.environ.get(TOKEN_VARIABLE) or (if_seen and machine.on_since() is None):
        return ""
    return machine.left_on()


@contextlib.contextmanager
def told(machine: Machine, if_seen: bool = False) -> Iterator[None]:
    """Whatever fails or is interrupted in here, it ends with what is left on.

    But if another run holds it, which stops it.
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
    """The code with which a verb ends. Of one that is not 0 the same is told, last: make goes no
    further, so that a stop behind it does not come.
    """
    if code != ExitCode.OK and (text := left(machine, if_seen)):
        say(text)
    return code
