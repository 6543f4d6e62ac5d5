"""A Dask fleet on this computer: a scheduler and nodes, processes of their own that can be killed.

with FleetRig(tmp_path) as fleet:
    node = fleet.add_node(threads=2, endpoint=server.url)
    batch.run("--scheduler", fleet.url)
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

from distributed import Client

from rig.command import SCRIPT, processes, wait_until

START_TIMEOUT_S = 30.0
CODE = f"{SCRIPT.parent}:{Path(__file__).parents[1]}"  # the page function's, and the tests'


class Process:
    """A command in a session of its own."""

    def __init__(self, command: Sequence[str], log: Path, environment: dict[str, str]) -> None:
        with log.open("w") as output:
            self._process = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                env=environment,
                start_new_session=True,
            )
        self.log = log

    @property
    def has_ended(self) -> bool:
        """Whether its first process has ended."""
        return self._process.poll() is not None

    def members(self) -> list[int]:
        """Its living processes."""
        return [pid for pid, _, session in processes() if session == self._process.pid]

    def kill(self, number: int = signal.SIGKILL) -> None:
        """Send all its processes a signal, as a machine's end does."""
        for pid in self.members():
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, number)
        if number == signal.SIGKILL:
            self._process.wait()

    def terminate(self) -> None:
        """Ask it to end, as a preemption does."""
        self._process.terminate()


class Node(Process):
    """A `dask worker`, and the file that says that it was sent away."""

    def __init__(
        self, command: Sequence[str], log: Path, environment: dict[str, str], leave_file: Path
    ) -> None:
        super().__init__(command, log, environment)
        self.leave_file = leave_file

    @property
    def was_sent_away(self) -> bool:
        """Whether the batch had nothing left for it."""
        return self.leave_file.exists()


class FleetRig:
    """The scheduler, on this host's address, and the nodes; all are ended together."""

    def __init__(self, folder: Path, host: str = "127.0.0.1") -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._folder, self._host = folder, host
        self.nodes: list[Node] = []

    def __enter__(self) -> Self:
        try:
            self.start_scheduler()
        except TimeoutError:
            self.scheduler.kill()
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for process in (*self.nodes, self.scheduler):
            process.kill()

    def start_scheduler(self) -> None:
        """Start a scheduler; its address is url."""
        file = self._folder / "scheduler.json"
        file.unlink(missing_ok=True)
        command = python("distributed.cli.dask_scheduler", "--host", self._host, "--port", "0")
        command += ["--dashboard-address", "127.0.0.1:0", "--scheduler-file", str(file)]
        environment = {**os.environ, "PYTHONPATH": CODE}
        environment |= {"DASK_DISTRIBUTED__SCHEDULER__ALLOWED_FAILURES": "20"}
        self.scheduler = Process(command, self._folder / "scheduler.log", environment)
        wait_until(
            lambda: file.exists() and file.read_text().rstrip().endswith("}"), START_TIMEOUT_S
        )
        self.url: str = json.loads(file.read_text())["address"]

    def wait_for(self, nodes: int) -> None:
        """Wait until so many nodes have joined."""
        with Client(self.url, set_as_default=False) as client:
            client.wait_for_workers(nodes, timeout=START_TIMEOUT_S * nodes)

    def add_node(
        self,
        threads: int = 2,
        endpoint: str = "",
        prefix: Sequence[str] = (),
        host: str = "",
        leaves: bool = True,
        code: str = CODE,
    ) -> Node:
        """Start a node; does not wait for it. prefix is put before its command line."""
        number = len(self.nodes)
        leave_file = self._folder / f"node{number}.leave"
        command = [*prefix, *python("distributed.cli.dask_worker", self.url, "--nthreads")]
        command += [str(threads), "--name", f"node{number}", "--no-dashboard"]
        command += ["--host", host or self._host, "--local-directory", str(self._folder)]
        environment = {**os.environ, "PYTHONPATH": code, "ENDPOINT": endpoint}
        environment |= {"DASK_DISTRIBUTED__WORKER__DAEMON": "False"}  # as dask_worker.sh
        environment |= {"LEAVE_FILE": str(leave_file)} if leaves else {}
        log = self._folder / f"node{number}.log"
        node = Node(command, log, environment, leave_file)
        self.nodes.append(node)
        return node


def python(module: str, *arguments: str) -> list[str]:
    """The command line of a module."""
    return [sys.executable, "-m", module, *arguments]
