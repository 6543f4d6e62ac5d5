"""A server in the background: what a later command knows about it, and how it ends it."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from lib import console
from lib.console import Failure, Interrupted
from lib.machines import server as server_module
from lib.machines.server import Server
from rig.command import processes, wait_until

SLEEP = "import time; print('awake', flush=True); time.sleep(60)"
DEAF = f"import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); {SLEEP}"
PARENT = f"import subprocess as s; print(s.Popen(['sleep', '60']).pid, end=' '); {SLEEP}"
URL = "http://127.0.0.1:1"


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    """A server's folder; at the end, whatever runs there is killed."""
    server = Server(tmp_path)
    yield server
    server.stop()
    with suppress(ChildProcessError):
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass


def start(server: Server, folder: Path, script: str = SLEEP) -> int:
    """Start it, wait until it says so, and return its pid."""
    server.start([sys.executable, "-c", script], cwd=folder, endpoint=URL)
    wait_until(lambda: "awake" in server.log_tail(1))
    pid = server._read_state()["pid"]
    assert isinstance(pid, int)
    return pid


# A server that is our own child stays a zombie until we wait for it. A zombie keeps no lock.
pytestmark = pytest.mark.filterwarnings("ignore:subprocess .* is still running:ResourceWarning")


def test_from_never_started_to_stopped(server: Server, tmp_path: Path) -> None:
    assert not server.is_running()
    assert not server.was_started()
    assert server.endpoint() == ""
    start(server, tmp_path)
    assert server.is_running()
    assert server.was_started()
    assert server.endpoint() == URL
    server.stop()
    assert not server.is_running()
    assert not server.was_started()
    server.stop()


def test_another_command_sees_it_too(server: Server, tmp_path: Path) -> None:
    start(server, tmp_path)
    later = Server(tmp_path)
    assert later.is_running()
    later.stop()
    assert not server.is_running()


def test_a_server_that_ended_by_itself_was_started(server: Server, tmp_path: Path) -> None:
    pid = start(server, tmp_path)
    os.kill(pid, signal.SIGKILL)
    wait_until(lambda: not server.is_running())
    assert server.was_started()
    assert server.log_tail(5) == "awake"


def test_a_second_one_is_refused(server: Server, tmp_path: Path) -> None:
    pid = start(server, tmp_path)
    with pytest.raises(Failure, match="being started by someone else"):
        start(server, tmp_path)
    assert server._read_state()["pid"] == pid


def test_one_that_does_not_hear_is_killed(
    server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(server_module, "POLITE_END_S", 0.2)
    start(server, tmp_path, DEAF)
    server.stop()
    assert not server.is_running()


def test_its_own_children_end_with_it(server: Server, tmp_path: Path) -> None:
    start(server, tmp_path, PARENT)
    child = int(server.log_tail(1).split()[0])
    assert child in {pid for pid, _, _ in processes()}
    server.stop()
    wait_until(lambda: child not in {pid for pid, _, _ in processes()})


def test_the_note_of_an_earlier_server_is_gone_before_the_next_one_runs(
    server: Server, tmp_path: Path
) -> None:
    """Otherwise a stop at that moment could signal a pid that belongs to another process."""
    os.kill(start(server, tmp_path), signal.SIGKILL)
    wait_until(lambda: not server.is_running())
    with pytest.raises(FileNotFoundError):
        server.start(["/no/such/program"], cwd=tmp_path, endpoint=URL)
    assert not server.was_started()


def test_a_signal_while_it_starts_waits_until_it_is_noted(
    server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Otherwise nobody could stop it."""
    before = {number: signal.getsignal(number) for number in console.STOP_SIGNALS}

    class Interrupting(subprocess.Popen[bytes]):
        def __init__(self, *arguments: object, **options: object) -> None:
            super().__init__(*arguments, **options)  # type: ignore[call-overload]
            signal.raise_signal(signal.SIGTERM)

    monkeypatch.setattr(subprocess, "Popen", Interrupting)
    console.set_handlers(console.interrupt)
    try:
        with pytest.raises(Interrupted):
            start(server, tmp_path)
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
    assert server.is_running()
    assert server.endpoint() == URL


def test_the_end_of_the_log(server: Server, tmp_path: Path) -> None:
    assert server.log_tail(3) == ""
    (tmp_path / "server.log").write_bytes("하나\n둘\n셋\n".encode() + b"\xff torn\n\n")
    assert server.log_tail(2) == "셋\n\ufffd torn"


@pytest.mark.parametrize("state", ["", "{", "[1]", '{"pid": "x"}', "null"])
def test_a_damaged_note_is_no_note(server: Server, tmp_path: Path, state: str) -> None:
    (tmp_path / "server.json").write_text(state)
    assert server.endpoint() == ""
    server.stop()  # nothing runs, so nothing is lost
    assert not server.was_started()
