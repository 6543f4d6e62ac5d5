"""A shell on a bare VM, over its real sshd: no docker image, no commands of ours, no gcloud."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from lib.machines.ssh.shell import Shell
from rig.cloud.leftovers import Leftovers
from rig.cloud.network import Network
from rig.cloud.vm import Vm

USER = "rig"


@dataclass(frozen=True)
class Login:
    """The VM, our shell on it, and the path of its home on this computer."""

    vm: Vm
    shell: Shell

    @property
    def home(self) -> Path:
        return self.vm.path(f"/home/{USER}")


@contextmanager
def bare_vm(folder: Path) -> Iterator[Login]:
    """A running VM that accepts our login, without anything else."""
    with Leftovers() as leftovers, ExitStack() as stack:
        leftovers.folder(folder)
        vm = Vm(Network(leftovers), leftovers, folder / "vm", "bare")
        stack.callback(vm.kill)
        key = folder / "key"
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(key)], check=True)
        vm.boot()
        vm.wait_for_ssh()
        vm.set_keys({USER: [Path(f"{key}.pub").read_text().strip()]})
        options = ("StrictHostKeyChecking=no", "UserKnownHostsFile=/dev/null")
        words = [word for option in options for word in ("-o", option)]
        shell = Shell(["ssh", "-F", "none", *words, "-i", str(key), f"{USER}@{vm.address}"], "bare")
        stack.callback(shell.close)
        yield Login(vm, shell)
