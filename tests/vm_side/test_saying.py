"""A command ends with its own exit code, also if nobody can read its output."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from reading import say
from rig.toolkit import ROOT
from saying import beside_bar, printable

SAYS = """
import sys
import click
from {module} import run, say_above_bar, show_line

@click.command()
def main():
    say_above_bar("a line")
    print("not flushed", end="")
    print("not flushed", end="", file=sys.stderr)
    {end}

run(main)
"""
SCRIPTS = (  # the script, and a wrong way to call it
    ("process_all_images.py", "--processes=none"),
    ("check_results.py", "--to=/nowhere"),
    ("write_corrected.py", "--told=/nowhere"),
)


def buffered() -> dict[str, str]:
    """An environment in which Python buffers its output, as it does for a user."""
    kept = {name: value for name, value in os.environ.items() if name != "PYTHONUNBUFFERED"}
    return {**kept, "PYTHONPATH": os.pathsep.join(sys.path)}


@contextmanager
def deaf(kind: str) -> Iterator[int]:
    """A file that accepts nothing: the pipe has no reader, or the disk is full."""
    ours, theirs = os.pipe()
    os.close(ours)
    if kind == "full":
        os.close(theirs)
        theirs = os.open("/dev/full", os.O_WRONLY)
    try:
        yield theirs
    finally:
        os.close(theirs)


def code_of(command: list[str], file: int) -> int:
    """The exit code of a command with this file as stdout and stderr."""
    done = subprocess.run(
        [sys.executable, *command], env=buffered(), stdout=file, stderr=file, check=False
    )
    return done.returncode


@pytest.mark.parametrize("module", ["saying", "lib.console"])
@pytest.mark.parametrize(
    ("kind", "end", "code"),
    [
        ("pipe", "sys.exit(3)", 3),
        ("full", "sys.exit(3)", 3),
        ("pipe", "show_line('a result'); sys.exit(3)", 3),
        ("full", "show_line('a result'); sys.exit(3)", 1),  # the result is lost
        ("pipe", "raise click.UsageError('no')", 2),
        ("pipe", "raise click.Abort", 130),
        ("full", "raise OSError(28, 'No space left on device')", 1),
    ],
)
def test_the_code_is_its_own(module: str, kind: str, end: str, code: int) -> None:
    with deaf(kind) as file:
        assert code_of(["-c", SAYS.format(module=module, end=end)], file) == code


@pytest.mark.parametrize("module", ["saying", "lib.console"])
def test_a_full_disk_is_told_in_a_line(module: str) -> None:
    script = SAYS.format(module=module, end="raise OSError(28, 'No space left', 'told.jsonl')")
    command = [sys.executable, "-c", script]
    done = subprocess.run(command, env=buffered(), capture_output=True, text=True, check=False)
    assert done.returncode == 1 and "Traceback" not in done.stderr
    assert "Error: [Errno 28] No space left: 'told.jsonl'\n" in done.stderr


@pytest.mark.parametrize(("script", "wrong"), SCRIPTS)
def test_the_scripts_end_so(script: str, wrong: str) -> None:
    with deaf("pipe") as file:
        assert code_of([str(ROOT / "vm_side" / script), wrong], file) == 2


CLOSED = """import os
    assert sys.stdin is not None and not sys.stderr.isatty()
    with open(os.devnull) as file:
        assert file.fileno() > 2
    child = "import os; os.fstat(0); os.fstat(1); os.fstat(2)"
    assert not os.spawnv(os.P_WAIT, sys.executable, [sys.executable, "-c", child])
    sys.exit(3)"""


@pytest.mark.parametrize("module", ["saying", "lib.console"])
@pytest.mark.parametrize("closed", [">&-", "2>&-", "<&- >&- 2>&-"])
def test_a_stream_that_was_closed_from_the_start(module: str, closed: str) -> None:
    """None of our files takes its place: the output of a child would go into that file."""
    script = SAYS.format(module=module, end=CLOSED)
    shell = ["sh", "-c", f'exec "$0" -c "$1" {closed}', sys.executable, script]
    assert subprocess.run(shell, env=buffered(), check=False, capture_output=True).returncode == 3


@pytest.mark.parametrize(
    ("said", "told"),
    [
        ("쪽 1.png\tok\n", "쪽 1.png\tok\n"),
        ("\x1b]0;owned\x07.png", "\ufffd]0;owned\ufffd.png"),
        ("\x9b2J\x7f\r", "\ufffd2J\ufffd\ufffd"),
        ("\u202egnp.exe", "\ufffdgnp.exe"),  # it would be shown from right to left
        ("\udcff.png", "\ufffd.png"),  # a byte of a name that is not text
        ({"a\x1b": ["b\x1b", 1, None]}, {"a\ufffd": ["b\ufffd", 1, None]}),
    ],
)
def test_what_a_terminal_would_obey_is_not_told(said: object, told: object) -> None:
    assert printable(said) == told


def test_the_batch_says_names_so(capsys: pytest.CaptureFixture[str]) -> None:
    say("failed: \x1b[2J.png: no picture")
    assert capsys.readouterr().err == "failed: \ufffd[2J.png: no picture\n"


@pytest.mark.parametrize(
    ("progress", "shown"),
    [
        ({"pages": 4, "done": 2, "failed": 0}, {}),
        ({"failed": 3}, {"failed": "3"}),
        ({"usd": 1.234}, {"USD": "1.23"}),
        ({"usd": 1.0, "usd_at_end": 2.0}, {"USD": "1.00 of 2.00"}),
        ({"failed": "many", "usd": "\x1b[2J", "usd_at_end": 2.0}, {}),
    ],
)
def test_what_stands_beside_the_bar(progress: dict[str, object], shown: dict[str, str]) -> None:
    assert beside_bar(progress) == shown
