"""The commands in tools/ with TARGET=ssh, against a VM alone; a terminal; a model in the VM.

    with ssh_vm(tmp_path / "vm", image_tar) as vm, model_in(vm) as model:
        kit = SshToolkit(vm, tmp_path / "desk")
        kit.run("start"), kit.run("upload")
        assert kit.run("process").code == 0 and model.requests

The model server is the rig's own and runs in this process, but it listens inside the VM. So tests
see every request and decide every answer, and a cut cable does not separate it from the job.
"""

from __future__ import annotations

import ctypes
import os
import pty
import re
import shutil
import subprocess
import termios
import threading
import time
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Any

from rig.cloud.docker_store import lend_image
from rig.cloud.leftovers import Leftovers
from rig.cloud.light import light_project
from rig.cloud.network import Network
from rig.cloud.toolkit import AS_USER
from rig.cloud.vm import Vm
from rig.command import wait_until
from rig.model_server import ModelServer
from rig.toolkit import MARK, NOT_INHERITED, Toolkit, statuses_in

USER = "rig"
CLONE_NEWNET = 0x40000000
CONTROL = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")


@contextmanager
def ssh_vm(folder: Path, image_tar: Path) -> Iterator[Vm]:
    """A running VM, with the model's image in its docker, and its user."""
    with Leftovers() as leftovers, ExitStack() as stack:
        leftovers.folder(folder)
        vm = Vm(Network(leftovers), leftovers, folder, "box")
        stack.callback(vm.kill)
        lend_image(vm, image_tar)
        vm.boot()
        vm.wait_for_boot()
        vm.set_keys({USER: []})
        yield vm


class SshToolkit(Toolkit):
    """A user's computer that reaches the VM by ssh; nobody reaches the model's container."""

    def __init__(self, vm: Vm, folder: Path, **knobs: str) -> None:
        super().__init__(folder, light_project())
        self.vm = vm
        self.knobs |= {"TARGET": "ssh", "SSH_HOST": "box", "CONTAINER_ARGS": "--network none"}
        self.knobs |= {"READY_TIMEOUT": "60", **knobs}
        key, config, self.bin = folder / "key", folder / "ssh_config", folder / "bin"
        make_key = ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(key)]
        subprocess.run(make_key, check=True)
        vm.set_keys({USER: [Path(f"{key}.pub").read_text().strip()]})
        config.write_text(
            f"Host box\n HostName {vm.address}\n User {USER}\n IdentityFile {key}\n"
            f" IdentitiesOnly yes\n StrictHostKeyChecking no\n UserKnownHostsFile /dev/null\n"
        )
        self.write_ssh(f'exec {shutil.which("ssh")} -F {config} "$@"')

    def write_ssh(self, script: str) -> None:
        """Write the script that the commands run as `ssh`."""
        self.bin.mkdir(exist_ok=True)
        program = self.bin / "ssh"
        program.write_text(f"#!/bin/bash\n{script}\n")
        program.chmod(0o755)

    def environment(self, **more: str) -> dict[str, str]:
        """The caller's environment without its knobs, a home of its own, and our ssh."""
        own = {k: v for k, v in os.environ.items() if k not in NOT_INHERITED}
        places = {"PATH": f"{self.bin}:{own['PATH']}", "HOME": str(self.folder)}
        return {**own, **places, "CONFIG": str(self.config), MARK: self.mark, **more}

    def on_vm(self, script: str) -> str:
        """Run a script as the VM's user in its home; return what it prints."""
        return self.vm.run(AS_USER, script).stdout

    def home(self, name: str) -> Path:
        """The path on this computer of a file in the home of the VM's user."""
        return self.vm.path(f"/home/{USER}/{name}")

    def clear(self) -> None:
        """Remove all pages, results and jobs that a test left on the VM."""
        self.on_vm(
            "docker rm -f dots-ocr-job >/dev/null 2>&1; rm -rf input/* result/* result/.[!.]*"
        )
        self.on_vm("flock --timeout 20 .dots-ocr/job.lock true; rm -f .dots-ocr/job.*")

    def job_runs(self) -> bool:
        """Whether a job holds the job lock."""
        script = "flock --nonblock .dots-ocr/job.lock true || echo held"
        return "held" in self.on_vm(f"[ ! -e .dots-ocr/job.lock ] || {script}")

    def statuses_there(self) -> dict[str, str]:
        """Status by input file, from the machine's manifest."""
        return statuses_in(self.home("result"))

    def wait_for_looks(self, count: int, timeout_s: float = 120.0) -> None:
        """Wait until clients have looked at the machine `count` times."""
        seen = self.home(".dots-ocr/seen")
        deadline_s = time.monotonic() + timeout_s
        for _ in range(count):
            before = seen.stat().st_mtime_ns
            wait_until(  # mypy cannot infer a lambda with a default
                lambda before=before: seen.stat().st_mtime_ns > before,  # type: ignore[misc]
                deadline_s - time.monotonic(),
            )

    def terminal(self, name: str) -> Terminal:
        """Start tools/NAME.py in a terminal of its own."""
        self.start("true").finish()  # writes the config file
        command = [self.python, str(self.root / "tools" / f"{name}.py")]
        return Terminal(command, self.folder, self.environment(TERM="xterm", COLUMNS="100"))


class Terminal:
    """A command in a terminal: what it shows, and what a person types."""

    def __init__(self, command: list[str], folder: Path, environment: Mapping[str, str]) -> None:
        self._master, slave = pty.openpty()
        termios.tcsetwinsize(slave, (40, 100))
        self.process = subprocess.Popen(
            ["setsid", "--ctty", *command],
            cwd=folder,
            env=environment,
            stdin=slave,
            stdout=slave,
            stderr=slave,
        )
        os.close(slave)
        self._bytes = b""
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    @property
    def text(self) -> str:
        """All output so far, without control codes."""
        return CONTROL.sub("", self._bytes.decode("utf-8", "replace"))

    def wait_for(self, text: str, timeout_s: float = 120.0) -> None:
        """Wait until the output contains this."""
        deadline_s = time.monotonic() + timeout_s
        while text not in self.text:
            assert self._reader.is_alive() and time.monotonic() < deadline_s, self.text
            time.sleep(0.02)

    def type(self, text: str) -> None:
        """Type this text; \\x03 is Ctrl-C."""
        os.write(self._master, text.encode())

    def finish(self, timeout_s: float = 240.0) -> int:
        """Wait for the end and return the exit code."""
        try:
            code = self.process.wait(timeout_s)
        except subprocess.TimeoutExpired:
            self.process.kill()
            raise AssertionError(f"does not end: {self.text}") from None
        self._reader.join(2)
        os.close(self._master)
        return code

    def _read(self) -> None:
        with suppress(OSError):  # EIO: nobody has the terminal open any more
            while data := os.read(self._master, 4096):
                self._bytes += data


@contextmanager
def model_in(vm: Vm, **options: Any) -> Iterator[ModelServer]:
    """A model server that listens on 127.0.0.1:8000 of a running VM."""
    server = ModelServer(port=8000, **options)
    with ThreadPoolExecutor(1) as inside:  # each thread can have a network namespace of its own
        inside.submit(_enter_network, vm).result()
        inside.submit(server.__enter__).result()
        try:
            yield server
        finally:
            inside.submit(server.__exit__, None, None, None).result()


def _enter_network(vm: Vm) -> None:
    libc = ctypes.CDLL(None, use_errno=True)
    with Path(f"/proc/{vm._init_pid}/ns/net").open() as network:
        if libc.setns(network.fileno(), CLONE_NEWNET):
            raise OSError(ctypes.get_errno(), "setns")


def wait_for_requests(model: ModelServer, count: int, timeout_s: float = 120.0) -> None:
    """Wait until so many pages were requested; the tiny question before a job does not count."""
    wait_until(lambda: len(page_requests(model)) >= count, timeout_s)


def page_requests(model: ModelServer) -> list[Any]:
    """The requests so far for pages."""
    return [request for request in model.requests if request.size != (28, 28)]
