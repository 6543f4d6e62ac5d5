"""How a verb speaks and ends: exit codes, errors with a next step, child processes, tables."""

import contextlib
import errno
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Any, NoReturn

import click

from contract import ExitCode as ExitCode
from saying import beside_bar as beside_bar
from saying import let_go_of_streams, shown, stand_in_for_closed_streams
from saying import printable as printable
from saying import say_above_bar as say_above_bar
from saying import show_line as show_line
from troubles import place

if TYPE_CHECKING:
    from tqdm import tqdm

STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
LONGEST_END_S = 60  # for a child that was told to end
SOON_S = 0.05
ROOM = "make room on that disk, then type the same again"
RIGHT = "give yourself the right to write there, or name another place"
REMEDIES = {
    **dict.fromkeys((errno.ENOSPC, errno.EDQUOT), ROOM),
    **dict.fromkeys((errno.EACCES, errno.EPERM, errno.EROFS), RIGHT),
}


class Failure(click.ClickException):
    """The verb failed. The message says what, why, what to type next, and where to read more."""

    exit_code = ExitCode.FAILED

    def __init__(self, what: str, next_step: str = "") -> None:
        told = [what]
        if next_step:
            told += [f"  → {next_step}", *seen_at(what)]
        super().__init__(printable("\n".join(told)))


def seen_at(message: str) -> list[str]:
    """A line that says where a message is explained, if it is."""
    return [f"  see {where}"] if (where := place(message)) else []


class Away(Failure):
    """A service does not answer, or is busy: the same request may work in a minute."""


class NoLogin(Failure):
    """A service does not know who we are: somebody must log in."""


class Interrupted(BaseException):
    """A signal, with its number, asked the verb to end. Like KeyboardInterrupt, not an error."""


def run(command: click.Command, alarm: Callable[[], str] = str) -> NoReturn:
    """Run a verb and end the process with its exit code: what it returns, or what went wrong.

    alarm gives the last line if the verb could not even begin (wrong options or config.env). An
    error that came later has such lines as its notes.
    """
    stand_in_for_closed_streams()
    set_handlers(interrupt)
    sys.unraisablehook = interrupt_again
    try:
        code = command.main(prog_name=typed(sys.orig_argv), standalone_mode=False) or ExitCode.OK
    except click.ClickException as error:
        say(shown(error))
        code = error.exit_code
        if isinstance(error, click.UsageError):
            for line in (*seen_at(error.message), alarm()):
                if line:
                    say(line)
        say_notes(error)
    except OSError as error:  # a full disk, a missing right: its text names the file
        say(refusal(error))
        code = ExitCode.FAILED
        say_notes(error)
    except (Interrupted, click.Abort) as error:
        say("interrupted")
        code = ExitCode.INTERRUPTED
        say_notes(error)
    finally:
        let_go_of_streams()
    sys.exit(code)


def typed(words: Sequence[str]) -> str:
    """Return how this verb is called, for its usage: with the Python that has our packages."""
    return " ".join(words[:2])


def refusal(error: OSError) -> str:
    """Return what the system refuses, and what to do about it, if we know that."""
    remedy = REMEDIES.get(error.errno or 0)
    return f"Error: {error}" + (f"\n  → {remedy}" if remedy else "")


def say_notes(error: BaseException) -> None:
    """Say what was added to the error when it came, such as that a machine is on."""
    for text in getattr(error, "__notes__", ()):
        say(text)


def interrupt(number: int, frame: FrameType | None) -> NoReturn:
    """The signal handler of all verbs: the first signal ends the verb, later ones do nothing."""
    shield()
    raise Interrupted(number)


def shield() -> None:
    """Let no signal interrupt the process any more, until set_handlers is called again."""
    set_handlers(disregard)
    signal.setitimer(signal.ITIMER_REAL, 0)


def interrupt_again(lost: "sys.UnraisableHookArgs") -> None:
    """Repeat an interrupt that Python dropped, because it came while an object was destroyed."""
    if not isinstance(lost.exc_value, Interrupted):
        sys.__unraisablehook__(lost)
        return
    (number,) = lost.exc_value.args
    signal.signal(signal.SIGALRM, lambda _, frame: interrupt(number, frame))
    signal.setitimer(signal.ITIMER_REAL, SOON_S)


def disregard(number: int, frame: FrameType | None) -> None:
    """Do nothing. SIG_IGN in its place would be inherited by the programs that we start."""


def set_handlers(handler: Callable[[int, FrameType | None], None]) -> None:
    """Set this handler for all signals that end a verb."""
    for number in STOP_SIGNALS:
        signal.signal(number, handler)


@contextlib.contextmanager
def signals_deferred() -> Iterator[None]:
    """Hold signals back until the block ends, so that no program starts without our knowing it."""
    came: list[int] = []
    before = {
        number: signal.signal(number, lambda number, frame: came.append(number))
        for number in STOP_SIGNALS
    }
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
    if came:
        signal.raise_signal(came[0])


def run_child(
    arguments: Sequence[str],
    environment: Mapping[str, str] | None = None,
    meanwhile: Callable[[], object] = lambda: None,
    every_s: float | None = None,
) -> int:
    """Run a program in the foreground and return its exit code; end it when we are interrupted.

    meanwhile is called every `every_s` seconds while it runs.
    """
    child = None
    try:
        with signals_deferred():
            child = subprocess.Popen(arguments, env=environment)
        while (code := waited(child, every_s)) is None:
            meanwhile()
    except BaseException:
        if child is not None:
            child.terminate()
            try:
                child.wait(LONGEST_END_S)
            except subprocess.TimeoutExpired:
                child.kill()
                child.wait()
        raise
    if code < 0:
        say(f"{Path(arguments[1]).name} was ended by {signal.Signals(-code).name}")
        return ExitCode.FAILED
    return code


def waited(child: "subprocess.Popen[Any]", seconds: float | None) -> int | None:
    """Return the child's exit code; None if it still runs after these seconds."""
    try:
        return child.wait(seconds)
    except subprocess.TimeoutExpired:
        return None


def run_apart(arguments: Sequence[str], environment: Mapping[str, str] | None = None) -> int:
    """Run a program that a Ctrl-C in our terminal does not reach; return its exit code."""
    return subprocess.run(
        arguments, env=environment, start_new_session=True, check=False
    ).returncode


def say(text: str) -> None:
    """Print a line for people on stderr, made printable.

    If nobody can read it any more (a closed terminal, a `tee` that got the same Ctrl-C, a full
    disk), the work goes on. Above all the stop must go on: before it tries again, it says so.
    """
    with contextlib.suppress(OSError):
        click.echo(printable(text), err=True)


def is_confirmed(question: str) -> bool:
    """Whether a person answers yes to the question. Raises Failure if nobody is there."""
    try:
        return click.confirm(question, err=True)
    except click.Abort:  # the end of stdin; a Ctrl-C is our own Interrupted
        raise Failure("nobody is here to answer", "with YES=1 nothing is asked") from None


def is_watched() -> bool:
    """Whether a person watches, rather than cron."""
    return sys.stderr.isatty()


def note(text: str) -> None:
    """Print a line for a person who watches; under cron, print nothing."""
    if is_watched():
        say(text)


def bar(size_bytes: int, verb: str) -> "tqdm[NoReturn]":
    """A progress bar of bytes, on a terminal only."""
    from tqdm import tqdm  # noqa: PLC0415 - 60 ms, and most commands have no bar

    return tqdm(
        total=size_bytes,
        desc=verb,
        unit="B",
        unit_scale=True,
        dynamic_ncols=True,
        disable=not is_watched(),
    )


def show_table(rows: Mapping[str, object] | Sequence[tuple[str, object]]) -> None:
    """Print two columns on stdout, made printable."""
    pairs = list(rows.items() if isinstance(rows, Mapping) else rows)
    width = max(len(name) for name, _ in pairs)
    for name, value in pairs:
        show_line(printable(f"{name:<{width}}  {value}"))


def aligned(rows: Sequence[tuple[str, ...]], head: tuple[str, ...] = ()) -> list[str]:
    """Return rows as lines of text; all columns but the last are right-aligned."""
    lines = [head, *rows] if head and rows else list(rows)
    widths = (
        [max(len(line[column]) for line in lines) for column in range(len(lines[0]) - 1)]
        if lines
        else []
    )
    return [
        (
            "  ".join(text.rjust(width) for text, width in zip(line, widths, strict=False))
            + f"  {line[-1]}"
        ).rstrip()
        for line in lines
    ]
