"""The VM without a hypervisor: it lives, dies, keeps its disk, and leaves nothing behind."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from rig.cloud.fixtures import skipped_where_unavailable
from rig.cloud.leftovers import Leftovers
from rig.cloud.network import Network
from rig.cloud.unavailable import RigUnavailable, require_programs
from rig.cloud.vm import Vm
from rig.command import wait_until

TESTS = Path(__file__).parents[2]


@pytest.fixture
def vm(tmp_path: Path) -> Iterator[Vm]:
    with skipped_where_unavailable(), Leftovers() as leftovers:
        leftovers.folder(tmp_path / "vm")
        machine = Vm(Network(leftovers), leftovers, tmp_path / "vm", "dots")
        machine.boot()
        yield machine
        machine.kill()


def test_it_is_another_computer(vm: Vm) -> None:
    vm.wait_for_boot()
    assert vm.run("systemctl is-system-running").stdout == "running\n"
    assert vm.run("hostname").stdout == "dots\n"
    assert vm.run("ls /root /home /srv /opt | xargs").stdout == "/home: /opt: /root: /srv:\n"
    assert not vm.run(f"ls -d {TESTS}", check=False).stdout
    processes = vm.run("ps -e -o comm=").stdout.split()
    assert "sshd" in processes
    assert "dockerd" in processes
    assert "pytest" not in processes
    memory = "nvidia-smi --query-gpu=name,memory.used,memory.total --format=csv,noheader,nounits"
    assert vm.run(memory).stdout == "NVIDIA L4, 4, 23034\n"


def test_its_disk_lasts_through_a_halt_and_a_power_cut(vm: Vm) -> None:
    vm.set_keys({"rig": []})
    vm.run("echo home >/home/rig/note; echo root >/etc/note; echo docker >/var/lib/docker/note")
    first_address = vm.address
    for end in (vm.halt, vm.kill):
        end()
        assert not vm.is_on
        assert vm.path("/home/rig/note").read_text() == "home\n"
        assert vm.boot() != first_address  # an ephemeral address, as on Compute Engine
        kept = vm.run("cat /home/rig/note /etc/note /var/lib/docker/note; id -un 'rig'").stdout
        assert kept.split() == ["home", "root", "docker", "rig"]
    assert not Path("/etc/note").exists()


@pytest.mark.parametrize("command", ["poweroff", "shutdown -h now", "sudo systemctl poweroff"])
def test_it_can_end_itself(vm: Vm, command: str) -> None:
    ended: list[bool] = []
    vm.on_end = lambda: ended.append(True)
    vm.wait_for_boot()
    vm.run(command, check=False)
    wait_until(lambda: bool(ended))
    assert not vm.is_on


def test_a_reboot_is_no_end(vm: Vm) -> None:
    vm.on_end = lambda: pytest.fail("it ended")
    vm.wait_for_boot()
    before, address = vm._init_pid, vm.address
    vm.run("reboot", check=False)
    wait_until(lambda: vm._init_pid != before)
    vm.wait_for_ssh()
    assert vm.address == address


def test_timers_run_and_are_there_after_the_next_boot(vm: Vm) -> None:
    vm.wait_for_boot()
    units = vm.path("/etc/systemd/system")
    (units / "idle.service").write_text(
        "[Service]\nType=oneshot\nExecStart=/bin/sh -c 'echo fired >>/var/log/idle'\n"
    )
    (units / "idle.timer").write_text(
        "[Timer]\nOnBootSec=1\nOnUnitInactiveSec=1\nAccuracySec=100ms\n"
        "[Install]\nWantedBy=timers.target\n"
    )
    vm.run("systemctl daemon-reload && systemctl enable --now idle.timer")
    log = vm.path("/var/log/idle")
    wait_until(lambda: log.exists() and len(log.read_text().split()) >= 2)
    vm.halt()
    log.unlink()
    vm.boot()
    wait_until(log.exists)
    assert vm.run("systemctl is-active idle.timer").stdout == "active\n"


def test_a_cut_cable_is_silence_and_comes_back(vm: Vm) -> None:
    vm.wait_for_ssh()
    with socket.create_connection((vm.address, 22), timeout=60) as connection:
        assert connection.recv(100).startswith(b"SSH-2.0")
        vm.cut()
        connection.sendall(b"SSH-2.0-test\r\n")
        connection.settimeout(0.5)
        with pytest.raises(TimeoutError):
            connection.recv(100)
        with pytest.raises(TimeoutError):
            socket.create_connection((vm.address, 22), timeout=0.5)
        vm.uncut()
        connection.settimeout(10)
        assert connection.recv(4000)  # the same connection continues
    vm.wait_for_ssh()


def test_a_slow_line(vm: Vm) -> None:
    program = (
        "import socket; s = socket.create_server(('', 9)); s.accept()[0].sendall(bytes(2**20))"
    )
    vm.rate("8mbit")
    sender = subprocess.Popen(
        ["nsenter", f"--target={vm._init_pid}", "--all", "/usr/bin/python3", "-c", program],
        env={},
    )
    wait_until(lambda: ":9 " in vm.run("ss -ltn").stdout)
    began_s = time.monotonic()
    with socket.create_connection((vm.address, 9)) as connection:
        while connection.recv(65536):
            pass
    assert time.monotonic() - began_s > 0.8  # a megabyte at a megabyte a second
    sender.wait(60)
    vm.rate(None)


def test_what_is_missing_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(RigUnavailable, match="needs no-such-program: docker"):
        require_programs("no-such-program", package="docker.io")
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    with pytest.raises(RigUnavailable, match="needs root: "):
        Network(Leftovers())


KILLED = """
import signal, sys, pathlib
sys.path.insert(0, sys.argv[2])
from rig.cloud.cloud import Cloud
with Cloud(pathlib.Path(sys.argv[1])) as cloud:
    vm = cloud.add_vm("dots")
    vm.boot()
    vm.wait_for_boot()
    print(cloud.network.name, vm._init_pid, cloud.gcs.url, flush=True)
    signal.pause()
"""


def traces(name: str, folder: Path) -> list[str]:
    """What a rig left behind: links, groups, mounts, processes."""
    found = [path.name for path in Path("/sys/class/net").glob(f"{name}*")]
    groups = [Path(path) for path, _, _ in os.walk("/sys/fs/cgroup")]
    found += [str(path) for path in groups if path.name.startswith(f"{name}-")]
    found += [line for line in Path("/proc/mounts").read_text().splitlines() if str(folder) in line]
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            if str(folder) in path.read_text():
                found.append(f"{path}: {path.read_text()}")
        except (FileNotFoundError, ProcessLookupError):
            continue  # the process has just ended
    return found


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
def test_nothing_is_left_when_the_tests_are_killed(tmp_path: Path, number: signal.Signals) -> None:
    with skipped_where_unavailable(), Leftovers() as leftovers:
        Network(leftovers)  # skips the test where the rig cannot run
    folder = tmp_path / "killed"
    command = [sys.executable, "-c", KILLED, str(folder), str(TESTS)]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    ) as one:
        try:
            assert one.stdout is not None
            name, init_pid, _ = one.stdout.readline().split()
            assert len(traces(name, folder)) > 5
            one.send_signal(number)
            one.wait(60)
        finally:
            one.kill()
    wait_until(lambda: not traces(name, folder))
    wait_until(lambda: not Path(f"/proc/{init_pid}").exists())
    wait_until(lambda: not (folder / "vms").exists())
