"""Check the make line: a name that no script reads would be ignored, and a limit with it."""

import os
from collections.abc import Collection

from contract import SECRETS
from lib.config import refuse_unknown

VARIABLE = "MAKE_LINE"  # here the Makefile lists the names on the make line
ELSE = "a variable for another program goes before make"
NO_KNOBS = ("CONFIG", *SECRETS, "PYTHON", "PY", "VENV", "SHELL", "MAKEFLAGS")


def check(known: Collection[str], needed: Collection[str] | None) -> None:
    """Raise click.UsageError for a name on the make line that is not known, as for config.env."""
    names = {*known, *NO_KNOBS}
    for name in os.environ.get(VARIABLE, "").split():
        if name not in names:
            refuse_unknown("the make line", name, names, needed, ELSE)
