"""What a command says to people, and its own exit code at the end, even if nobody reads it.

The terminal may be closed, a `tee` may have got the same Ctrl-C, the disk may be full. Then the
work goes on.
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
    """Return what a progress bar shows beside it: failed pages, USD so far, USD expected at end."""
    shown = {}
    if isinstance(failed := progress.get("failed"), int) and failed:
        shown["failed"] = f"{failed:,}"
    if isinstance(usd := progress.get("usd"), float):
        shown["USD"] = f"{usd:.2f}"
        if isinstance(at_end := progress.get("usd_at_end"), float):
            shown["USD"] += f" of {at_end:.2f}"
    return shown


def printable(said: Any) -> Any:
    """Replace the characters that a terminal obeys in foreign text, or in JSON with such text.

    These are control characters, and marks that change the direction of the text.
    """
    if isinstance(said, dict):
        return {printable(name): printable(value) for name, value in said.items()}
    if isinstance(said, list):
        return [printable(value) for value in said]
    if isinstance(said, str):
        return "".join(c if c.isprintable() or c in "\n\t" else "\ufffd" for c in said)
    return said


def say_above_bar(text: str) -> None:
    """Print lines for people, above the progress bar if there is one."""
    from tqdm import tqdm  # noqa: PLC0415 - takes 60 ms, and most commands have no bar

    with contextlib.suppress(OSError):
        tqdm.write(printable(text), file=sys.stderr)


def show_line(text: str) -> None:
    """Print a line of the result on stdout. The work goes on if `head` has read enough."""
    with contextlib.suppress(BrokenPipeError):
        click.echo(text)


def shown(error: click.ClickException) -> str:
    """Return what click would print about an error."""
    text = io.StringIO()
    error.show(text)
    return text.getvalue().rstrip("\n")


def run(command: click.Command) -> NoReturn:
    """Run a command and end the process with the exit code of its success or of its error."""
    stand_in_for_closed_streams()
    try:
        command.main(standalone_mode=False)
        code: int = ExitCode.OK
    except click.ClickException as error:
        say_above_bar(shown(error))
        code = error.exit_code
    except OSError as error:  # for example a full disk, or no permission: its text names the file
        say_above_bar(f"Error: {error}")
        code = ExitCode.FAILED
    except click.Abort:
        code = ExitCode.INTERRUPTED
    finally:
        let_go_of_streams()
    sys.exit(code)


def stand_in_for_closed_streams() -> None:
    """Open /dev/null in place of each standard stream that was closed from the start.

    Otherwise the next file that we open gets its number, and a library's or a child's output would
    go into that file.
    """
    while (nowhere := os.open(os.devnull, os.O_RDWR)) <= LAST_STREAM:
        os.set_inheritable(nowhere, True)
    os.close(nowhere)
    sys.stdin = sys.stdin or os.fdopen(0, encoding="utf-8", closefd=False)
    sys.stdout = sys.stdout or os.fdopen(1, "w", encoding="utf-8", closefd=False)
    sys.stderr = sys.stderr or os.fdopen(2, "w", encoding="utf-8", closefd=False)


def let_go_of_streams() -> None:
    """Send to /dev/null what could not be written.

    Otherwise Python tries to write it once more at its end, fails, and exits with 120.
    """
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except OSError:
            nowhere = os.open(os.devnull, os.O_WRONLY)
            os.dup2(nowhere, stream.fileno())
            os.close(nowhere)
