"""A machine that is only a network namespace: an address, and a cable that can be cut."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

from rig.cloud.leftovers import Leftovers
from rig.cloud.network import Network
from rig.cloud.unavailable import require_programs
from rig.command import wait_until

GPU_SIM = Path(__file__).parents[2] / "bench" / "gpu_sim.py"


class Island:
    """Used as a context manager. Put `prefix` before a command to run it on this machine."""

    def __init__(self, network: Network, leftovers: Leftovers) -> None:
        require_programs("unshare", "nsenter", package="util-linux")
        self._network, self._leftovers = network, leftovers
        self.address = network.new_address()

    def __enter__(self) -> Self:
        self._holder = subprocess.Popen(["unshare", "--net", "sleep", "infinity"])
        pid = self._holder.pid
        self._leftovers.process(pid)
        space, own = (Path(f"/proc/{each}/ns/net") for each in (pid, "self"))
        wait_until(lambda: space.readlink() != own.readlink())
        self.prefix = ("nsenter", f"--target={pid}", "--net")
        self.cable = self._network.plug(pid, self.address)
        for words in (
            ("addr", "add", f"{self.address}/24", "dev", "eth0"),
            ("link", "set", "eth0", "up"),
            ("link", "set", "lo", "up"),
        ):
            subprocess.run([*self.prefix, "ip", *words], check=True)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._holder.kill()
        self._holder.wait()
        self.cable.unplug()

    def start_gpu(self, record: Path, *options: str) -> tuple[subprocess.Popen[str], str]:
        """Start a simulated L4 that only this machine reaches; return its process and its URL."""
        command: Sequence[str] = (*self.prefix, sys.executable, str(GPU_SIM), "--port", "0")
        record.touch()
        process = subprocess.Popen(
            [*command, "--record", str(record), *options], stdout=subprocess.PIPE, text=True
        )
        self._leftovers.process(process.pid)
        assert process.stdout is not None
        return process, process.stdout.readline().strip()
