"""The machine turns itself off when nothing has happened for IDLE_MINUTES, and only then."""

from __future__ import annotations

import subprocess
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from lib.machines.machine import Moved
from lib.machines.ssh import shell as shells
from lib.machines.ssh.transfer import fetch, mirror_up
from rig.cloud.ssh_toolkit import SshToolkit, model_in
from rig.cloud.vm import Vm
from rig.command import wait_until
from rig.model_server import Reply
from rig.toolkit import ROOT

WORKED, SEEN = "/run/dots-ocr-worked", "/home/rig/.dots-ocr/seen"
MINUTES = 15


class Watchdog:
    """idle.sh in the machine, with a shutdown that only says so."""

    def __init__(self, vm: Vm) -> None:
        self.vm = vm
        script = (ROOT / "vm_side/machine/idle.sh").read_text()
        vm.run("mkdir -p /root/stub; cat >/root/idle.sh", stdin=script)
        stub = "#!/bin/sh\necho off >/root/off\n"
        vm.run("cat >/root/stub/shutdown; chmod +x /root/stub/shutdown", stdin=stub)
        vm.run(f"rm -f {WORKED}; mkdir -p /home/rig/.dots-ocr; touch {SEEN}")

    def turns_off(self) -> bool:
        """Whether one look would turn the machine off."""
        idle = f"sh /root/idle.sh /home/rig {MINUTES} http://127.0.0.1:8000"
        look = f"rm -f /root/off; PATH=/root/stub:$PATH {idle}; cat /root/off 2>/dev/null || :"
        return self.vm.run(look).stdout == "off\n"

    def age(self, minutes: int, *paths: str) -> None:
        """What has happened last was so long ago."""
        for path in paths or (WORKED, SEEN):
            self.vm.run(f"touch -d '{minutes} minutes ago' {path}")


@pytest.fixture
def watchdog(box: Vm) -> Watchdog:
    """Of a machine that has been up for a while."""
    one = Watchdog(box)
    assert not one.turns_off()
    return one


@pytest.fixture
def desk(box: Vm, tmp_path: Path) -> Iterator[SshToolkit]:
    """A client's computer; the machine's cable is whole again at the end."""
    kit = SshToolkit(box, tmp_path)
    kit.clear()
    yield kit
    box.uncut()


def test_it_waits_for_its_minutes(watchdog: Watchdog) -> None:
    for minutes, is_over in ((MINUTES - 1, False), (MINUTES + 1, True)):
        watchdog.age(minutes)
        assert watchdog.turns_off() is is_over
    watchdog.age(MINUTES - 1, SEEN)  # a client looked in, while the model was loading, say
    assert not watchdog.turns_off()
    watchdog.age(MINUTES + 1)
    watchdog.vm.run(f"rm {WORKED}")  # it was off, and was turned on just now
    assert not watchdog.turns_off()


def test_a_job_keeps_it_on_and_counts_from_its_end(watchdog: Watchdog) -> None:
    lock = "/home/rig/.dots-ocr/job.lock"
    watchdog.age(MINUTES + 1)
    watchdog.vm.run(f"touch {lock}; setsid flock {lock} sleep 60 >/dev/null 2>&1 & sleep 0.2")
    assert not watchdog.turns_off()
    watchdog.age(MINUTES + 1, SEEN)
    watchdog.vm.run("pkill -x sleep; pkill -x flock; :")
    assert not watchdog.turns_off()
    watchdog.age(MINUTES + 1)
    assert watchdog.turns_off()


def test_a_request_keeps_it_on_and_an_idle_model_does_not(watchdog: Watchdog, box: Vm) -> None:
    goes = threading.Event()
    options = "--endpoint http://127.0.0.1:8000 --container none --ask"
    ask = f"python3 /home/rig/vm_side/machine/status.py {options} >/dev/null 2>&1 &"
    with model_in(box) as model:
        watchdog.age(MINUTES + 1)
        assert watchdog.turns_off()
        model.script = lambda request: Reply() if goes.wait(30) else Reply(fault="close")
        box.run(ask)
        wait_until(lambda: model.in_flight)
        assert not watchdog.turns_off()
        goes.set()
        wait_until(lambda: not model.in_flight)
        watchdog.age(MINUTES + 1)
        assert watchdog.turns_off()


def test_a_terminal_keeps_it_on_while_somebody_types(watchdog: Watchdog, desk: SshToolkit) -> None:
    command = [str(desk.bin / "ssh"), "-tt", "box", "tty; exec cat"]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True) as terminal:
        assert terminal.stdout is not None
        name = terminal.stdout.readline().strip()
        watchdog.age(MINUTES + 1)
        assert not watchdog.turns_off()
        watchdog.age(MINUTES + 1, name)
        assert watchdog.turns_off()
        desk.vm.cut()  # the client is gone, and its connection looks alive
        assert watchdog.turns_off()
        assert name.startswith("/dev/pts/")
        terminal.kill()


def test_files_on_their_way_keep_it_on(
    watchdog: Watchdog, desk: SshToolkit, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", f"{desk.bin}:/usr/bin:/bin")
    monkeypatch.setattr(shells, "SEEN_INTERVAL_S", 0.0)
    names = desk.write_pages(3)
    shell = shells.Shell(["ssh", "box"], "box")
    transfers: tuple[Callable[[], Moved], ...] = (
        lambda: mirror_up(shell, desk.input, names, "input"),
        lambda: fetch(shell, "input", names, tmp_path / "back"),
    )
    for transfer in transfers:
        watchdog.age(MINUTES + 1)
        assert transfer().new == 3
        assert not watchdog.turns_off()
    shell.close()
