"""A machine that is on because of us is never left so without a word."""

import contextlib
import os
from collections.abc import Iterator

from lib.machines.lock import TOKEN_VARIABLE
from lib.machines.machine import Machine


@contextlib.contextmanager
def told(machine: Machine) -> Iterator[None]:
    """Whatever fails or is interrupted in here, it ends with what is left on.

    But within `make all`, which turns it off next.
    """
    try:
        yield
    except BaseException as error:
        if not os.environ.get(TOKEN_VARIABLE) and (left := machine.left_on()):
            error.add_note(left)
        raise
