"""Programs with output that is limited, or passed on as text that a terminal may show."""

import io
import signal
import subprocess
import sys
import time

import pytest

from lib.console import STOP_SIGNALS, Interrupted, interrupt
from lib.machines.ssh import bounded


def test_what_goes_in_and_comes_out() -> None:
    """More than a pipe can hold, in both directions at the same time."""
    content = bytes(range(256)) * 4096
    done = bounded.run(["sh", "-c", "tee /dev/stderr; exit 3"], content[:500_000])
    assert (done.stdout, done.stderr) == (content[:500_000],) * 2
    assert done.returncode == 3
    assert bounded.run(["true"], content).returncode == 0  # this program reads nothing


@pytest.mark.parametrize("to", ["", ">&2"])
def test_a_flood_ends_it(to: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bounded, "LARGEST_ANSWER_BYTES", 1000)
    monkeypatch.setattr(bounded, "LARGEST_ERRORS_BYTES", 1000)
    with pytest.raises(bounded.TooMuch, match="more than 1,000 bytes"):
        bounded.run(["sh", "-c", f"exec yes {to}"], b"")


def test_what_is_passed_on_is_printable() -> None:
    """Line by line, also where a progress would overwrite its line. A letter may come in halves."""
    script = r"printf 'a\033[2J\r10%%\r\n\355'; sleep 0.2; printf '\225\234'; printf 'b\a' >&2"
    out, errors = io.StringIO(), io.StringIO()
    assert bounded.follow(["bash", "-c", f"{script}; exit 5"], out, errors) == 5
    assert out.getvalue() == "a\ufffd[2J\n10%\n한"
    assert errors.getvalue() == "b\ufffd"


def test_who_follows_may_leave() -> None:
    """After Ctrl-C the program ends, and nobody waits for it."""
    before = signal.signal(signal.SIGUSR1, interrupt)
    kept = {number: signal.getsignal(number) for number in STOP_SIGNALS}
    try:
        killer = subprocess.Popen(
            [sys.executable, "-c", "import os, time; time.sleep(1); os.kill(os.getppid(), 10)"]
        )
        began = time.monotonic()
        with pytest.raises(Interrupted):
            bounded.follow(["sleep", "60"], io.StringIO(), io.StringIO())
        assert time.monotonic() - began < 30
        killer.wait()
    finally:
        signal.signal(signal.SIGUSR1, before)
        for number, handler in kept.items():
            signal.signal(number, handler)
