"""Run a verb in the test's own process, which has already loaded what the verb needs.

Its steps, if it has some as `make all` has, run here too, and so does the command that reads the
pages on this computer. Everything else that it starts is a process of its own, and its output is
recorded too. The command's workers come from a fork server that may be older than the test: they
have that server's umask and environment.
"""

from __future__ import annotations

import os
import runpy
import signal
import sys
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, chdir, contextmanager, redirect_stderr, redirect_stdout
from pathlib import Path
from tempfile import TemporaryFile
from typing import IO
from unittest.mock import patch

import pytest

from lib import steps
from lib.console import STOP_SIGNALS
from lib.machines import local

Timer = Callable[..., object]
# the test process has a server's threads; a verb's own process has not
FORK = "This process .* is multi-threaded"
PROCESSES = ((steps, "run_child"), (steps, "run_apart"), (local, "run_child"))


def run_verb(
    script: Path, options: Sequence[str], environment: Mapping[str, str], folder: Path
) -> tuple[int, str, str]:
    """Run it in this folder; return its exit code, its stdout and its stderr.

    The output of its children is included.
    """
    with ExitStack() as stack:
        out, err = (stack.enter_context(in_place_of(number)) for number in (1, 2))
        stack.enter_context(redirect_stdout(out))
        stack.enter_context(redirect_stderr(err))
        nothing = stack.enter_context(Path(os.devnull).open())
        stack.enter_context(patch.object(sys, "stdin", nothing))
        stack.enter_context(chdir(folder))
        for module, name in PROCESSES:
            stack.enter_context(patch.object(module, name, run_child))
        code = run_script([str(script), *options], environment)
        return code, whole(out), whole(err)


def run_child(command: Sequence[str], environment: Mapping[str, str], *_: object) -> int:
    """Run here what would be a Python process of its own."""
    assert command[0] == sys.executable
    return run_script(command[1:], environment)


def run_script(command: Sequence[str], environment: Mapping[str, str]) -> int:
    """Run it as the main program and return its exit code. Then restore the process's state."""
    with ExitStack() as stack:
        stack.enter_context(patch.dict(os.environ, environment, clear=True))
        stack.enter_context(patch.object(sys, "argv", list(command)))
        stack.enter_context(patch.object(sys, "unraisablehook"))
        stack.callback(os.umask, umask := os.umask(0))
        os.umask(umask)
        for number in STOP_SIGNALS:
            stack.callback(signal.signal, number, signal.getsignal(number))
        stack.enter_context(patch.object(signal, "setitimer", set_timer))
        stack.enter_context(warnings.catch_warnings())
        warnings.filterwarnings("ignore", FORK, DeprecationWarning)
        with pytest.raises(SystemExit) as end:
            runpy.run_path(command[0], run_name="__main__")
    return int(end.value.code or 0)


def set_timer(which: int, *seconds: float, set_it: Timer = signal.setitimer) -> object:
    """Set a verb's timer, but not the alarm: pytest-timeout needs it to end a test that hangs."""
    return set_it(which, *seconds) if which != signal.ITIMER_REAL else None


@contextmanager
def in_place_of(number: int) -> Iterator[IO[str]]:
    """A file that receives what this process and its children write to this stream."""
    kept = os.dup(number)
    with TemporaryFile("w+", buffering=1, encoding="utf-8") as file:
        os.dup2(file.fileno(), number)
        try:
            yield file
        finally:
            os.dup2(kept, number)
            os.close(kept)


def whole(file: IO[str]) -> str:
    """All that was written to it."""
    file.seek(0)
    return file.read()
