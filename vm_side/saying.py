"""What a command says to people, and its own exit code at the end, whoever still reads it.

Nobody may: a closed terminal, a `tee` that got the same Ctrl-C, a full disk. The work goes on then.
"""

import contextlib
import io
import os
import sys
from typing import NoReturn

import click
from tqdm import tqdm

from contract import ExitCode, printable


def say_above_bar(text: str) -> None:
    """Lines for people, above the progress bar if there is one."""
    with contextlib.suppress(OSError):
        tqdm.write(printable(text), file=sys.stderr)


def shown(error: click.ClickException) -> str:
    """What click would print of an error."""
    text = io.StringIO()
    error.show(text)
    return text.getvalue().rstrip("\n")


def run(command: click.Command) -> NoReturn:
    """Run a command and end the process with its exit code: its own, or that of what went wrong."""
    try:
        command.main(standalone_mode=False)
        code: int = ExitCode.OK
    except click.ClickException as error:
        say_above_bar(shown(error))
        code = error.exit_code
    except click.Abort:
        code = ExitCode.INTERRUPTED
    finally:
        let_go_of_streams()
    sys.exit(code)


def let_go_of_streams() -> None:
    """Send what could not be written to nowhere.

    Else Python tries it once more at its end, fails, and exits with 120.
    """
    for stream in (sys.stdout, sys.stderr):
        try:
            if stream is not None:  # it was closed from the start
                stream.flush()
        except OSError:
            nowhere = os.open(os.devnull, os.O_WRONLY)
            os.dup2(nowhere, stream.fileno())
            os.close(nowhere)
