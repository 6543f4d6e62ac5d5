"""A VM without a hypervisor: namespaces of its own, its own disk and address, a real systemd.

    with Leftovers() as leftovers:
        vm = Vm(Network(leftovers), leftovers, tmp_path / "dots", "dots")
        address = vm.boot()

The parts inside are real: systemd with its timers and journal, sshd on port 22, sudo, and dockerd
(see vm_disk.py). `sudo poweroff` in the guest ends it, and its disk is kept for the next boot. It
has no route to anywhere but the rig's own network.
"""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from threading import RLock, Thread
from typing import IO

from rig.cloud.cgroups import make_groups
from rig.cloud.leftovers import Leftovers, remove_cgroup
from rig.cloud.network import Cable, Network
from rig.cloud.unavailable import RigUnavailable, require_programs, require_root
from rig.cloud.vm_disk import LASTING, STARTUP_SCRIPT, make_disk

BOOT_SCRIPT = Path(__file__).with_name("vm_boot.sh")
BOOT_TIMEOUT_S = 120.0  # long enough for a busy machine
POWER_BUTTON = signal.SIGRTMIN + 4  # systemd's: start poweroff.target
REBOOTED = -signal.SIGHUP  # how the kernel ends the first process of a PID namespace
PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
# like the guest agent: the account, its right to sudo, and the keys from stdin
ACCOUNT_SCRIPT = """
set -eu
if ! id "$1" >/dev/null 2>&1; then
    groupadd --system --force google-sudoers
    groups=$(getent group google-sudoers adm docker video plugdev | cut -d: -f1 | paste -sd,)
    useradd --create-home --shell /bin/bash --password '*' --groups "$groups" "$1"
fi
home=$(getent passwd "$1" | cut -d: -f6)
install -d -m 700 -o "$1" -g "$1" "$home/.ssh"
cat >"$home/.ssh/authorized_keys.new"
chown "$1:" "$home/.ssh/authorized_keys.new"
chmod 600 "$home/.ssh/authorized_keys.new"
mv "$home/.ssh/authorized_keys.new" "$home/.ssh/authorized_keys"
"""


class Vm:
    """A Machine for GceServer. Its folder must be on a file system that overlayfs can write."""

    def __init__(self, network: Network, leftovers: Leftovers, folder: Path, hostname: str) -> None:
        require_root()
        require_programs(
            "unshare", "nsenter", "setpriv", "ssh-keygen", "sshd", "sudo", "journalctl"
        )
        if not Path("/lib/systemd/systemd").exists():
            raise RigUnavailable("needs systemd on this machine's disk, though not running")
        self.on_end: Callable[[], None] | None = None
        self.hostname = hostname
        self._network, self._leftovers, self._folder = network, leftovers, folder
        self._users: set[str] = set()
        self._lock = RLock()
        self._process: subprocess.Popen[str] | None = None
        self._watcher: Thread | None = None
        self._init_pid = 0
        self._is_ending = False
        self._cable: Cable | None = None
        self._boots = 0
        before = os.umask(0o022)  # a verb that runs in this process may have changed it
        try:
            folder.mkdir(parents=True)
            make_disk(folder, hostname)
        finally:
            os.umask(before)

    # --- power -----------------------------------------------------------------------------

    @property
    def is_on(self) -> bool:
        return self._process is not None and self._process.poll() is None

    @property
    def address(self) -> str:
        """The address of this boot; each call of `boot()` gives a new one."""
        return self.cable.address

    @property
    def cable(self) -> Cable:
        if self._cable is None:
            raise RuntimeError(f"{self.hostname} is off")
        return self._cable

    def boot(self, startup_script: str = "") -> str:
        """Start it, and return its address. Its sshd answers about half a second later.

        The script is written to its disk, where a unit runs it, as the guest agent does.
        """
        with self._lock:
            if not self.is_on:
                self._join_watcher()
                self.path(STARTUP_SCRIPT).write_text(startup_script)
                self._start(self._network.new_address())
            return self.address

    def halt(self, timeout_s: float = 30.0) -> None:
        """Shut down in order, like the power button; after the time, cut the power."""
        process = self._end_with(POWER_BUTTON)
        if process is not None:
            try:
                process.wait(timeout_s)
            except subprocess.TimeoutExpired:
                self._end_with(signal.SIGKILL)
        self._join_watcher()

    def kill(self) -> None:
        """Cut the power: no process in it runs another instruction."""
        self._end_with(signal.SIGKILL)
        self._join_watcher()

    # --- the cable -------------------------------------------------------------------------

    def cut(self) -> None:
        self.cable.cut()

    def uncut(self) -> None:
        self.cable.uncut()

    def rate(self, rate: str | None) -> None:
        """Limit both directions, for example `20mbit`; None removes the limit."""
        self.cable.rate(rate)

    # --- the guest -------------------------------------------------------------------------

    def run(
        self,
        script: str,
        *arguments: str,
        stdin: str | IO[bytes] = "",
        check: bool = True,
        timeout_s: float = 180.0,
    ) -> subprocess.CompletedProcess[str]:
        """Run a bash script as root inside, without ssh and the cable. For tests, not for tools."""
        if not self.is_on:
            raise RuntimeError(f"{self.hostname} is off")
        inside = ["nsenter", f"--target={self._init_pid}", "--all"]
        clean = ["env", "-i", "--chdir=/", f"PATH={PATH}"]
        text = stdin if isinstance(stdin, str) else None
        done = subprocess.run(
            [*inside, *clean, "bash", "-c", script, "bash", *arguments],
            input=text,
            stdin=None if isinstance(stdin, str) else stdin,
            capture_output=True,
            text=True,
            timeout=timeout_s,
            check=False,
        )
        if check and done.returncode:
            raise RuntimeError(f"{script!r} on {self.hostname}: {done.returncode}\n{done.stderr}")
        return done

    def set_keys(self, keys: dict[str, list[str]]) -> None:
        """Make these users, with sudo, and accept only these keys."""
        if not self.is_on:
            return
        users: dict[str, list[str]] = {**{user: [] for user in self._users}, **keys}
        for user, lines in users.items():
            try:
                self.run(ACCOUNT_SCRIPT, user, stdin="".join(f"{line}\n" for line in lines))
            except RuntimeError:
                if self.is_on and not self._is_ending:
                    raise
                return  # it ended in between; its next boot makes them
        self._users |= keys.keys()

    def wait_for_boot(self, timeout_s: float = 180.0) -> None:
        """Wait until systemd has started everything, dockerd included."""
        deadline_s = time.monotonic() + timeout_s
        ask = "systemctl is-system-running --wait"
        while (state := self.run(ask, check=False).stdout.strip()) not in ("running", "degraded"):
            if time.monotonic() > deadline_s:
                raise TimeoutError(f"{self.hostname} is {state!r} after {timeout_s} s")
            time.sleep(0.05)  # offline: systemd does not answer yet

    def wait_for_ssh(self, timeout_s: float = 120.0) -> None:
        deadline_s = time.monotonic() + timeout_s
        while True:
            try:
                with socket.create_connection((self.address, 22), timeout=1) as connection:
                    if connection.recv(4) == b"SSH-":
                        return
            except OSError:
                if time.monotonic() > deadline_s:
                    raise
            time.sleep(0.02)

    def console(self) -> str:
        """The guest's journal of all its boots."""
        journal = ["journalctl", f"--directory={self._folder / 'upper/var/log/journal'}"]
        show = [*journal, "--no-pager", "--quiet", "--output=short"]
        return subprocess.run(show, capture_output=True, text=True, check=False).stdout

    def path(self, guest_path: str) -> Path:
        """The path on this machine of a file that the guest wrote; the guest may be off."""
        inside = guest_path.lstrip("/")
        lasting = self._folder / "lasting" / inside
        is_lasting = any(f"{inside}/".startswith(f"{name}/") for name in LASTING)
        return lasting if is_lasting else self._folder / "upper" / inside

    # --- inside ----------------------------------------------------------------------------

    def _start(self, address: str) -> None:
        self._boots += 1
        groups = make_groups(f"{self._network.name}-{self.hostname}-{self._boots}")
        for group in groups.values():
            self._leftovers.cgroup(group)
        (self._folder / "cgroups").write_text("".join(f"{names}\n" for names in groups))
        join = 'for group; do echo $$ >"$group/cgroup.procs"; done; exec "${command[@]}"'
        unshare = "unshare --net --mount --pid --uts --ipc --cgroup --fork --kill-child"
        command = f'command=({unshare} bash "$1" "$2" "$3"); shift 3; {join}'
        words = ("bash", BOOT_SCRIPT, self._folder, self.hostname, *groups.values())
        with (self._folder / "boot.log").open("w") as log:
            process = subprocess.Popen(
                ["bash", "-c", command, *map(str, words)],
                env={"PATH": PATH},  # not the environment of a verb that runs in this process
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=log,
                start_new_session=True,
                text=True,
            )
        self._leftovers.process(process.pid)
        self._process, self._is_ending = process, False
        self._watcher = Thread(target=self._watch, args=(process, list(groups.values())))
        self._watcher.start()
        self._init_pid = self._wait_for_init(process)
        self._leftovers.process(self._init_pid)
        self._cable = self._network.plug(process.pid, address)
        assert process.stdin is not None
        with suppress(BrokenPipeError), process.stdin:
            process.stdin.write(f"{address} {self._network.gateway}\n")
        self._wait(process, lambda: _read(f"/proc/{self._init_pid}/comm") == "systemd\n")

    def _wait_for_init(self, process: subprocess.Popen[str]) -> int:
        """The pid, on this machine, of the first process in the new namespaces."""
        children = f"/proc/{process.pid}/task/{process.pid}/children"
        self._wait(process, lambda: _read(f"/proc/{process.pid}/comm") == "unshare\n")
        self._wait(process, lambda: _read(children) != "")
        return int(_read(children))

    def _wait(self, process: subprocess.Popen[str], condition: Callable[[], bool]) -> None:
        deadline_s = time.monotonic() + BOOT_TIMEOUT_S
        while not condition():
            if process.poll() is not None or time.monotonic() > deadline_s:
                self._is_ending = True
                process.kill()
                log = (self._folder / "boot.log").read_text()
                raise RigUnavailable(f"needs namespaces and overlayfs: the boot failed: {log}")
            time.sleep(0.002)

    def _end_with(self, number: int) -> subprocess.Popen[str] | None:
        """Send the signal to the guest's first process; None if it is off."""
        with self._lock:
            if not self.is_on:
                return None
            self._is_ending = True
            with suppress(ProcessLookupError):
                os.kill(self._init_pid, number)
            return self._process

    def _join_watcher(self) -> None:
        if self._watcher is not None:
            self._watcher.join()

    def _watch(self, process: subprocess.Popen[str], groups: list[Path]) -> None:
        """In a thread: react when the guest has ended, by itself or not."""
        code = process.wait()
        deadline_s = time.monotonic() + 5
        while not all(map(remove_cgroup, groups)) and time.monotonic() < deadline_s:
            time.sleep(0.005)
        with self._lock:
            if self._is_ending:
                return
            if code == REBOOTED:
                self._start(self.address)
                return
        if self.on_end is not None:
            self.on_end()


def _read(path: str) -> str:
    try:
        return Path(path).read_text()
    except (FileNotFoundError, ProcessLookupError):
        return ""
