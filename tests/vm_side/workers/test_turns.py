"""Turns on the CPU, between real processes."""

import select
import signal
import subprocess
import sys
from pathlib import Path

from workers import turns

VM_SIDE = Path(turns.__file__).parents[1]
HOLD = """
import sys, time
from pathlib import Path
from workers.turns import Turns
with Turns(Path(sys.argv[1]), int(sys.argv[2])).taken("large" in sys.argv):
    print("mine", flush=True)
    sys.stdin.readline()
"""


def holder(path: Path, count: int, kind: str = "") -> "subprocess.Popen[str]":
    """A process that takes a turn, says so, and keeps it until it is told to stop."""
    pipe = subprocess.PIPE
    command = [sys.executable, "-c", HOLD, str(path), str(count), kind]
    return subprocess.Popen(command, cwd=VM_SIDE, stdin=pipe, stdout=pipe, text=True)


def has_turn(process: "subprocess.Popen[str]") -> bool:
    """Wait until it says that it has a turn."""
    assert process.stdout is not None
    return process.stdout.readline() == "mine\n"


def waits(process: "subprocess.Popen[str]", for_s: float = 0.3) -> bool:
    """Whether it says nothing for a time."""
    return not select.select([process.stdout or 0], [], [], for_s)[0]


def test_as_many_as_there_are_and_the_next_one_waits(tmp_path: Path) -> None:
    path = tmp_path / "new" / "turns"
    with holder(path, 2) as first, holder(path, 2) as second:
        assert has_turn(first) and has_turn(second)
        with holder(path, 2) as third:
            assert waits(third)
            first.communicate("\n")
            second.communicate("\n")
            assert has_turn(third)
            third.communicate("\n")
    assert path.read_bytes() == b""


def test_nobody_goes_before_a_turn_is_free(tmp_path: Path) -> None:
    path = tmp_path / "turns"
    with holder(path, 1) as first:
        assert has_turn(first)
        with holder(path, 1) as second:
            assert waits(second)
            first.communicate("\n")
            assert has_turn(second)
            second.communicate("\n")


def test_the_turn_of_a_dead_worker_is_free(tmp_path: Path) -> None:
    path = tmp_path / "turns"
    with holder(path, 1) as first:
        assert has_turn(first)
        first.send_signal(signal.SIGKILL)
        first.wait()
        with holder(path, 1) as second:
            assert has_turn(second)
            second.communicate("\n")


def test_of_large_pages_there_is_one_at_a_time_and_who_waits_holds_no_turn(tmp_path: Path) -> None:
    path = tmp_path / "turns"
    with holder(path, 2, "large") as first:
        assert has_turn(first)
        with holder(path, 2, "large") as second:
            assert waits(second)
            with holder(path, 2) as small:
                assert has_turn(small) and waits(second)
                small.communicate("\n")
            first.communicate("\n")
            assert has_turn(second)
            second.communicate("\n")
