"""The guard turns its machine off after IDLE_MINUTES without any event, or at MAX_HOURS.

Tested look by look, on one machine with a fake shutdown; test_money.py has the guard at work.
"""

from __future__ import annotations

import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from lib.knobs import Knobs
from lib.machines.gcp import guard
from lib.machines.machine import Moved
from lib.machines.ssh import shell as shells
from lib.machines.ssh.transfer import fetch, mirror_up
from rig.cloud.ssh_toolkit import SshToolkit, model_in
from rig.cloud.vm import Vm
from rig.command import wait_until
from rig.model_server import Reply

RUN, SEEN = "/run/dots-ocr", "/home/rig/.dots-ocr/seen"
WORKED, ON, LOOKED = (f"{RUN}/{name}" for name in ("worked", "on", "looked"))
MINUTES = 15
HOUR = 60


class Watchdog:
    """guard.sh on the machine, with a fake shutdown that only leaves a note."""

    def __init__(self, vm: Vm, max_hours: float = 12) -> None:
        self.vm = vm
        script = guard.script(Knobs(idle_minutes=MINUTES, max_hours=max_hours))
        vm.run("mkdir -p /root/stub; cat >/root/guard.sh", stdin=script)
        stub = "#!/bin/sh\necho off >/root/off\n"
        vm.run("cat >/root/stub/shutdown; chmod +x /root/stub/shutdown", stdin=stub)
        vm.run(f"rm -rf {RUN}; mkdir -p /home/rig/.dots-ocr; touch {SEEN}")

    def turns_off(self) -> bool:
        """Whether the machine would be turned off by one look."""
        one = "sh /root/guard.sh look"
        look = f"rm -f /root/off; PATH=/root/stub:$PATH {one}; cat /root/off 2>/dev/null || :"
        return self.vm.run(look).stdout == "off\n"

    def age(self, minutes: int, *paths: str) -> None:
        """Make the last events so many minutes old."""
        for path in paths or (WORKED, SEEN):
            self.vm.run(f"touch -d '{minutes} minutes ago' {path}")


@pytest.fixture
def watchdog(box: Vm) -> Watchdog:
    """The guard of a machine that has been on for a while."""
    one = Watchdog(box)
    assert not one.turns_off()
    return one


@pytest.fixture
def desk(box: Vm, tmp_path: Path) -> Iterator[SshToolkit]:
    """A client's computer; at the end the machine's cable is whole again."""
    kit = SshToolkit(box, tmp_path)
    kit.clear()
    yield kit
    box.uncut()


def test_it_waits_for_its_minutes(watchdog: Watchdog) -> None:
    for minutes, is_over in ((MINUTES - 1, False), (MINUTES + 1, True)):
        watchdog.age(minutes)
        assert watchdog.turns_off() is is_over
    watchdog.age(MINUTES - 1, SEEN)  # a client has looked, for example while the model was loading
    assert not watchdog.turns_off()
    watchdog.age(MINUTES + 1)
    watchdog.vm.run(f"rm -r {RUN}")  # it was off, and was just turned on
    assert not watchdog.turns_off()


def test_one_that_slept_waits_for_its_minutes_again(watchdog: Watchdog) -> None:
    """Its client is coming; the clock continued while the machine slept."""
    watchdog.age(20 * 24 * HOUR, WORKED, SEEN, ON, LOOKED)
    assert not watchdog.turns_off()
    watchdog.age(MINUTES + 1)
    assert watchdog.turns_off()


@pytest.mark.parametrize(
    ("max_hours", "minutes", "is_over"),
    [(12, 12 * HOUR - 1, False), (12, 12 * HOUR + 1, True), (0.1, 7, True), (0, 999_999, False)],
)
def test_whatever_it_does_its_hours_end(
    box: Vm, max_hours: float, minutes: int, is_over: bool
) -> None:
    watchdog = Watchdog(box, max_hours)
    assert not watchdog.turns_off()
    with holding(box, "job.lock"):
        watchdog.age(minutes, ON)
        assert watchdog.turns_off() is is_over


@contextmanager
def holding(vm: Vm, name: str) -> Iterator[None]:
    """Hold the lock of a running job, or of a fetch of pages."""
    lock = f"/home/rig/.dots-ocr/{name}"
    vm.run(f"touch {lock}; setsid flock {lock} sleep 600 >/dev/null 2>&1 & sleep 0.2")
    try:
        yield
    finally:
        vm.run("pkill -x sleep; pkill -x flock; :")


@pytest.mark.parametrize("name", ["job.lock", "input.lock"])
def test_a_job_keeps_it_on_and_counts_from_its_end(watchdog: Watchdog, name: str) -> None:
    """A fetch of pages from the bucket does so too."""
    watchdog.age(MINUTES + 1)
    with holding(watchdog.vm, name):
        assert not watchdog.turns_off()
        watchdog.age(MINUTES + 1, SEEN)
    assert not watchdog.turns_off()
    watchdog.age(MINUTES + 1)
    assert watchdog.turns_off()


def test_a_request_keeps_it_on_and_an_idle_model_does_not(watchdog: Watchdog, box: Vm) -> None:
    goes = threading.Event()
    options = "--endpoint http://127.0.0.1:8000 --container none --ask"
    ask = f"cd /home/rig/vm_side && python3 -m machine.status {options} >/dev/null 2>&1 &"
    with model_in(box) as model:
        watchdog.age(MINUTES + 1)
        assert watchdog.turns_off()
        model.script = lambda request: Reply() if goes.wait(600) else Reply(fault="close")
        box.run(ask)
        wait_until(lambda: model.in_flight)
        assert not watchdog.turns_off()
        watchdog.age(MINUTES + 1)
        assert watchdog.turns_off()  # no progress since then: it is stuck
        goes.set()
        wait_until(lambda: not model.in_flight)
        assert not watchdog.turns_off()
        watchdog.age(MINUTES + 1)
        assert watchdog.turns_off()


@pytest.mark.parametrize(
    ("metrics", "counts"),
    [
        ("vllm:num_requests_running 1.0\n", True),  # nobody can tell whether it makes progress
        ("vllm:num_requests_running 0.0\n", False),
        ("nonsense\n", False),
        ("vllm:num_requests_running 1..0\n", False),
    ],
)
def test_metrics_that_tell_little(watchdog: Watchdog, box: Vm, metrics: str, counts: bool) -> None:
    with model_in(box) as model:
        model.metrics = lambda: metrics  # type: ignore[method-assign]  # only for this server
        watchdog.turns_off()
        watchdog.age(MINUTES + 1)
        assert watchdog.turns_off() is not counts


def test_a_terminal_keeps_it_on_while_somebody_types(watchdog: Watchdog, desk: SshToolkit) -> None:
    # prints like tmux's clock
    prints = "tty; (while sleep 0.1; do echo; done) & exec cat >/dev/null"
    command = [str(desk.bin / "ssh"), "-tt", "box", prints]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True) as terminal:
        assert terminal.stdout is not None and terminal.stdin is not None
        name = terminal.stdout.readline().strip()
        watchdog.age(MINUTES + 1)
        assert not watchdog.turns_off()
        watchdog.age(MINUTES + 1, name)
        for _ in range(5):
            assert terminal.stdout.readline() == "\n"
        assert watchdog.turns_off()  # only a prompt that was left open
        terminal.stdin.write("ls\n")
        terminal.stdin.flush()
        wait_until(lambda: not watchdog.turns_off())
        watchdog.age(MINUTES + 1, name)
        desk.vm.cut()  # the client has gone, but its connection looks alive
        assert watchdog.turns_off()
        assert name.startswith("/dev/pts/")
        terminal.kill()


class Heard(shells.Shell):
    """A shell that counts how often it tells the machine that a client is there."""

    told = 0

    def ask(self, script: str, content: bytes = b"") -> subprocess.CompletedProcess[bytes]:
        self.told += script == f"touch {shells.SEEN}"
        return super().ask(script, content)


def test_files_on_their_way_keep_it_on(
    watchdog: Watchdog, desk: SshToolkit, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Even a few files do, because one file may take an hour."""
    monkeypatch.setenv("PATH", f"{desk.bin}:/usr/bin:/bin")
    monkeypatch.setattr(shells, "SEEN_INTERVAL_S", 0.0)
    (desk.input / "large.pdf").write_bytes(bytes(200_000))
    shell = Heard(["ssh", "box"], "box")
    transfers: tuple[Callable[[], Moved], ...] = (
        lambda: mirror_up(shell, desk.input, ["large.pdf"], "input"),
        lambda: fetch(shell, "input", ["large.pdf"], tmp_path / "back"),
    )
    for transfer in transfers:
        watchdog.age(MINUTES + 1)
        shell.told = 0
        assert transfer().new == 1
        assert shell.told > 2
        assert not watchdog.turns_off()
    shell.close()


def test_who_only_looks_does_not_keep_it_on(watchdog: Watchdog, desk: SshToolkit) -> None:
    watchdog.age(MINUTES + 1)
    assert desk.run_here("status").code == 0
    assert watchdog.turns_off()
