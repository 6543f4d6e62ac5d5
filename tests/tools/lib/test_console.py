"""How a verb ends: its exit code, its children, and signals at any moment."""

import errno
import io
import os
import pty
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from lib import console
from lib.console import Failure, Interrupted

PYTHON = sys.executable
IN_A_FINALIZER = """
import os, signal, time
import click
from lib import console

class Held:
    def __del__(self):
        os.kill(os.getpid(), signal.SIGTERM)
        time.sleep(0)

@click.command()
def main():
    held = Held()
    del held
    time.sleep(30)

console.run(main)
"""
SLEEP = [PYTHON, "-c", "import time; time.sleep(60)"]


@pytest.fixture(autouse=True)
def handlers_as_before() -> Iterator[None]:
    """Restore the handlers, which belong to the process; pytest needs its own again."""
    hook = sys.unraisablehook
    before = {number: signal.getsignal(number) for number in console.STOP_SIGNALS}
    yield
    sys.unraisablehook = hook
    for number, handler in before.items():
        signal.signal(number, handler)


def code_of(error: BaseException | None = None, returns: int | None = None) -> int:
    """The exit code of a verb that ends so."""

    @click.command()
    def command() -> int | None:
        if error is not None:
            raise error
        return returns

    with pytest.raises(SystemExit) as end:
        console.run(command)
    assert isinstance(end.value.code, int)
    return end.value.code


@pytest.fixture
def argv(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "argv", ["verb"])


@pytest.mark.usefixtures("argv")
@pytest.mark.parametrize(
    ("error", "returns", "code"),
    [
        (None, None, 0),
        (None, 3, 3),
        (Failure("it failed"), None, 1),
        (OSError(28, "No space left on device", "/disk/a.md"), None, 1),
        (click.UsageError("no such knob"), None, 2),
        (Interrupted(), None, 130),
        (KeyboardInterrupt(), None, 130),
    ],
)
def test_the_exit_code_says_how_it_ended(
    error: BaseException | None, returns: int | None, code: int
) -> None:
    assert code_of(error, returns) == code


@pytest.mark.usefixtures("argv")
def test_an_error_says_what_failed_and_what_to_type(capsys: pytest.CaptureFixture[str]) -> None:
    code_of(Failure("the disk is full", "make clean"))
    assert capsys.readouterr() == ("", "Error: the disk is full\n  → make clean\n")
    code_of(OSError(28, "No space left on device", "/disk/a.md"))
    assert capsys.readouterr().err == (
        "Error: [Errno 28] No space left on device: '/disk/a.md'\n"
        "  → make room on that disk, then type the same again\n"
    )


@pytest.mark.parametrize(
    ("number", "remedy"),
    [
        (errno.ENOSPC, "make room"),
        (errno.EDQUOT, "make room"),
        (errno.EROFS, "the right to write there"),
        (errno.EACCES, "the right to write there"),
        (errno.EIO, ""),
    ],
)
def test_what_the_system_refuses_has_a_next_step(number: int, remedy: str) -> None:
    said = console.refusal(OSError(number, os.strerror(number), "/out/report.html"))
    assert ("→" in said, remedy in said) == (bool(remedy), True)


@pytest.mark.usefixtures("argv")
@pytest.mark.parametrize(
    ("error", "alarm", "lines"),
    [
        (Failure("quota: none", "ask"), "", ["Error: quota: none", "  → ask", "  see {}#quota"]),
        # reported again, by code that knows more
        (Failure("quota: none"), "", ["Error: quota: none"]),
        (
            click.UsageError("BUDGET=1: nothing is rented"),
            "it BILLS",
            ["Error: BUDGET=1: nothing is rented", "  see {}#nothing-is-rented", "it BILLS"],
        ),
    ],
    ids=["failure", "no next step", "usage: the alarm stays last"],
)
def test_an_error_says_where_it_is_explained(
    error: click.ClickException, alarm: str, lines: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    @click.command()
    def command() -> None:
        raise error

    with pytest.raises(SystemExit):
        console.run(command, lambda: alarm)
    expected = [line.format("docs/troubleshooting.md") for line in lines]
    assert capsys.readouterr().err.splitlines()[-len(expected) :] == expected


@pytest.mark.usefixtures("argv")
def test_an_error_of_ours_is_not_hidden() -> None:
    with pytest.raises(ZeroDivisionError):
        code_of(ZeroDivisionError())


def test_a_child_s_code_is_handed_on() -> None:
    assert console.run_child([PYTHON, "-c", "raise SystemExit(3)"]) == 3
    assert console.run_apart([PYTHON, "-c", "raise SystemExit(3)"]) == 3


def test_something_happens_while_a_child_runs(tmp_path: Path) -> None:
    """For example, a lock is renewed. If that fails, no child process is left behind."""
    gate, pid = tmp_path / "gate", tmp_path / "pid"
    wait = ["bash", "-c", f"echo $$ >{pid}; until [ -e {gate} ]; do sleep 0.01; done"]
    assert console.run_child(wait, meanwhile=gate.touch, every_s=0.01) == 0
    gate.unlink()
    pid.unlink()
    with pytest.raises(ZeroDivisionError):
        console.run_child(wait, meanwhile=lambda: pid.exists() and 1 / 0, every_s=0.01)
    with pytest.raises(ProcessLookupError):
        os.kill(int(pid.read_text()), 0)


def test_a_child_that_was_killed_failed(capsys: pytest.CaptureFixture[str]) -> None:
    script = "import os; os.kill(os.getpid(), 9)"
    assert console.run_child([PYTHON, "-c", script]) == 1
    assert "was ended by SIGKILL" in capsys.readouterr().err


class Interrupting(subprocess.Popen[bytes]):
    """A child process; we get a signal in its first moment."""

    pids: list[int]

    def __init__(self, *arguments: object, **options: object) -> None:
        super().__init__(*arguments, **options)  # type: ignore[call-overload]
        self.pids.append(self.pid)
        signal.raise_signal(signal.SIGTERM)


def test_a_signal_while_a_child_starts_ends_it_too(monkeypatch: pytest.MonkeyPatch) -> None:
    Interrupting.pids = []
    monkeypatch.setattr(subprocess, "Popen", Interrupting)
    console.set_handlers(console.interrupt)
    with pytest.raises(Interrupted):
        console.run_child(SLEEP)
    (pid,) = Interrupting.pids
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)


def test_a_child_that_does_not_want_to_end_is_killed(monkeypatch: pytest.MonkeyPatch) -> None:
    Interrupting.pids = []
    monkeypatch.setattr(subprocess, "Popen", Interrupting)
    monkeypatch.setattr(console, "LONGEST_END_S", 0.2)
    monkeypatch.setattr(Interrupting, "terminate", lambda child: None)
    console.set_handlers(console.interrupt)
    with pytest.raises(Interrupted):
        console.run_child(SLEEP)
    with pytest.raises(ProcessLookupError):
        os.kill(Interrupting.pids[0], 0)


def test_the_first_signal_interrupts_and_the_others_do_not() -> None:
    console.set_handlers(console.interrupt)
    with pytest.raises(Interrupted):
        signal.raise_signal(signal.SIGHUP)
    for number in console.STOP_SIGNALS:
        signal.raise_signal(number)


def test_a_deferred_signal_comes_when_the_block_has_ended() -> None:
    console.set_handlers(console.interrupt)
    steps = []
    with pytest.raises(Interrupted), console.signals_deferred():
        signal.raise_signal(signal.SIGTERM)
        signal.raise_signal(signal.SIGINT)
        steps.append("done")
    assert steps == ["done"]


def test_a_shielded_verb_starts_programs_that_hear_signals() -> None:
    """If signals were ignored, the programs would ignore them, too."""
    console.shield()
    script = "import signal as s; print([s.getsignal(n) for n in (1, 15)] == [s.SIG_DFL] * 2)"
    assert subprocess.check_output([PYTHON, "-c", script]) == b"True\n"


def test_notes_are_for_a_terminal_alone(tmp_path: Path) -> None:
    script = "from lib.console import note, say; note('a note'); say('an error')"
    command = [PYTHON, "-c", script]
    environment = {**os.environ, "PYTHONPATH": str(Path(console.__file__).parents[1])}
    quiet = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    assert (quiet.stdout, quiet.stderr) == ("", "an error\n")
    ours, theirs = pty.openpty()
    subprocess.run(command, env=environment, stderr=theirs, check=True)
    os.close(theirs)
    assert os.read(ours, 1000).decode().split("\r\n") == ["a note", "an error", ""]
    os.close(ours)


DEAF = """
import click
from lib import console
from lib.console import Away, ExitCode, say
import stop

failures = [Away("no network"), Away("no network")]
def attempt():
    if failures:
        raise failures.pop()

stop.PAUSES_S = (0.0,)
stop.insist(attempt, 60, (Away,))
say("a line")
console.run(click.Command("verb", callback=lambda: ExitCode.PAGES_FAILED))
"""


def test_a_stop_goes_on_trying_where_nobody_reads_what_it_says() -> None:
    """As in `make all 2>&1 | tee log`: Ctrl-C ends tee, too."""
    ours, theirs = os.pipe()
    os.close(ours)
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path), "PYTHONUNBUFFERED": ""}
    done = subprocess.run([PYTHON, "-c", DEAF], env=environment, stderr=theirs, check=False)
    os.close(theirs)
    assert done.returncode == console.ExitCode.PAGES_FAILED


def test_what_comes_from_elsewhere_cannot_steer_the_terminal() -> None:
    said = {"log": "a\tb\n\x1b[2J한글", "pages": 3, "names": ["\x07x"], "none": None}
    cleaned = {"log": "a\tb\n\ufffd[2J한글", "pages": 3, "names": ["\ufffdx"], "none": None}
    assert console.printable(said) == cleaned


def test_a_signal_while_an_object_is_taken_away_is_not_lost() -> None:
    """Python drops an exception that is raised there: the verb would go on and ignore signals."""
    paths = os.pathsep.join(sys.path)
    done = subprocess.run(
        [PYTHON, "-c", IN_A_FINALIZER],
        env={**os.environ, "PYTHONPATH": paths},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert (done.returncode, done.stderr) == (130, "interrupted\n")


PLAYS = "\x1b]0;owned\x07\x1b[2J\x9b31m\u202e.png"  # a title, a cleared screen, red, right to left


@pytest.mark.usefixtures("argv")
@pytest.mark.parametrize(
    "error", [Failure(PLAYS, PLAYS), OSError(2, PLAYS, PLAYS), click.UsageError(f"no {PLAYS}")]
)
def test_what_comes_from_elsewhere_does_not_play_with_the_terminal(
    error: BaseException, capsys: pytest.CaptureFixture[str]
) -> None:
    code_of(error)
    console.say(f"upload: 한글\t{PLAYS}\n  → next")
    console.show_table({PLAYS: PLAYS, "other": 1})
    said = "".join(capsys.readouterr())
    assert not set(PLAYS) & set(said) - set("0;owned2J31m[].pg")
    assert "upload: 한글\t" in said and "\n  → next" in said


@pytest.mark.parametrize(("said", "expected"), [("y\n", True), ("n\n", False), ("\n", False)])
def test_a_question_is_answered(monkeypatch: pytest.MonkeyPatch, said: str, expected: bool) -> None:
    monkeypatch.setattr(sys, "stdin", io.StringIO(said))
    assert console.is_confirmed("Delete it?") is expected


def test_a_question_that_nobody_answers_is_no_interruption(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(sys, "stdin", io.StringIO(""))
    with pytest.raises(Failure, match="nobody is here to answer\n  → with YES=1"):
        console.is_confirmed("Delete it?")
