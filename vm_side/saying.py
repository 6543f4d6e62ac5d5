"""What a command says to people, and its own exit code at the end, whoever still reads it.

Nobody may: a closed terminal, a `tee` that got the same Ctrl-C, a full disk. The work goes on then.
"""

import contextlib
import io
import os
import sys
from collections.abc import Mapping
from typing import Any, NoReturn

import click

from contract import ExitCode

LAST_STREAM = 2  # the number of stderr; stdin's is 0


def beside_bar(progress: Mapping[str, Any]) -> dict[str, str]:
    """What stands beside a progress bar: pages that failed, USD so far, and probably at the end."""
    shown = {}
    if isinstance(failed := progress.get("failed"), int) and failed:
        shown["failed"] = f"{failed:,}"
    if isinstance(usd := progress.get("usd"), float):
        shown["USD"] = f"{usd:.2f}"
        if isinstance(at_end := progress.get("usd_at_end"), float):
            shown["USD"] += f" of {at_end:.2f}"
    return shown


def printable(said: Any) -> Any:
    """Text from elsewhere, or JSON of it, without the characters that a terminal obeys: controls,
    and marks that turn the direction of what is read.
    """
    if isinstance(said, dict):
        return {printable(name): printable(value) for name, value in said.items()}
    if isinstance(said, list):
        return [printable(value) for value in said]
    if isinstance(said, str):
        return "".join(c if c.isprintable() or c in "\n\t" else "\ufffd" for c in said)
    return said


def say_above_bar(text: str) -> None:
    """Lines for people, above the progress bar if there is one."""
    from tqdm import tqdm  # noqa: PLC0415 - 60 ms, and most commands have no bar

    with contextlib.suppress(OSError):
        tqdm.write(printable(text), file=sys.stderr)


def show_line(text: str) -> None:
    """A line of the result, on stdout; the work goes on where `head` has read enough."""
    with contextlib.suppress(BrokenPipeError):
        click.echo(text)


def shown(error: click.ClickException) -> str:
    """What click would print of an error."""
    text = io.StringIO()
    error.show(text)
    return text.getvalue().rstrip("\n")


def run(command: click.Command) -> NoReturn:
    """Run a command and end the process with its exit code: its own, or that of what went wrong."""
    stand_in_for_closed_streams()
    try:
        command.main(standalone_mode=False)
        code: int = ExitCode.OK
    except click.ClickException as error:
        say_above_bar(shown(error))
        code = error.exit_code
    except OSError as error:  # a full disk, a missing right: its text names the file
        say_above_bar(f"Error: {error}")
        code = ExitCode.FAILED
    except click.Abort:
        code = ExitCode.INTERRUPTED
    finally:
        let_go_of_streams()
    sys.exit(code)


def stand_in_for_closed_streams() -> None:
    """Open nowhere in place of a stream that was closed from the start.

    Else the next file of ours gets its number, and what a library or a child says goes into that.
    """
    while (nowhere := os.open(os.devnull, os.O_RDWR)) <= LAST_STREAM:
        os.set_inheritable(nowhere, True)
    os.close(nowhere)
    sys.stdin = sys.stdin or os.fdopen(0, encoding="utf-8", closefd=False)
    sys.stdout = sys.stdout or os.fdopen(1, "w", encoding="utf-8", closefd=False)
    sys.stderr = sys.stderr or os.fdopen(2, "w", encoding="utf-8", closefd=False)


def let_go_of_streams() -> None:
    """Send what could not be written to nowhere.

    Else Python tries it once more at its end, fails, and exits with 120.
    """
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except OSError:
            nowhere = os.open(os.devnull, os.O_WRONLY)
            os.dup2(nowhere, stream.fileno())
            os.close(nowhere)
