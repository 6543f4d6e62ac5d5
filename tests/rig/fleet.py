"""A Dask fleet on this computer: a scheduler and nodes, as processes that can be killed.

They speak TLS, set by our own dask.yaml. So does this process while the fleet is there.

    with FleetRig(tmp_path) as fleet:
        node = fleet.add_node(threads=2, endpoint=server.url)
        batch.run("--scheduler", fleet.url)
"""

from __future__ import annotations

import contextlib
import itertools
import json
import os
import signal
import ssl
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import dask.config
import pytest
from distributed import Client, Security

from rig.command import SCRIPT, processes, wait_until
from rig.tls import Certificate, connections_are_mixed_up

START_TIMEOUT_S = 120.0
MACHINE = SCRIPT.parent / "machine"
# Without --no-dashboard it loads bokeh; without an address its web server is open to all.
NO_DASHBOARD = ("--dashboard-address", "127.0.0.1:0", "--no-dashboard")
# the code of the page function, and of the tests
CODE = f"{SCRIPT.parent}:{Path(__file__).parents[1]}"


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
        """Send a signal to all its processes. SIGKILL is like the end of a machine."""
        for pid in self.members():
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, number)
        if number == signal.SIGKILL:
            self._process.wait()

    def terminate(self) -> None:
        """Ask it to end, as a preemption does."""
        self._process.terminate()


class Node(Process):
    """A `dask worker`, and the file which says that the batch sent it away."""

    def __init__(
        self, command: Sequence[str], log: Path, environment: dict[str, str], leave_file: Path
    ) -> None:
        super().__init__(command, log, environment)
        self.leave_file = leave_file

    @property
    def was_sent_away(self) -> bool:
        """Whether the batch had no more work for it."""
        return self.leave_file.exists()


class FleetRig:
    """The scheduler, on this host's address, and the nodes; all end together."""

    def __init__(self, folder: Path, host: str = "127.0.0.1") -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._folder, self._host = folder, host
        self._stack = contextlib.ExitStack()
        self._numbers = itertools.count()
        self.nodes: list[Node] = []

    def __enter__(self) -> Self:
        self._stack.enter_context(let_in(make_certificate(self._folder)))
        self._check_tls()
        try:
            self.start_scheduler()
        except TimeoutError:
            self.scheduler.kill()
            self._stack.close()
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._stack.close()
        for process in (*self.nodes, self.scheduler):
            process.kill()

    def _check_tls(self) -> None:
        """Skip the test if this Python's TLS mixes up connections; in CI, fail instead."""
        pem = self._folder / "home" / ".dots-ocr" / "fleet.pem"
        if connections_are_mixed_up(Certificate(pem, pem)):
            self._stack.close()
            reason = f"python/cpython#148594: TLS connections get mixed up ({ssl.OPENSSL_VERSION})"
            if os.environ.get("CI") == "true":
                pytest.fail(reason)
            pytest.skip(reason)

    def start_scheduler(self) -> None:
        """Start a scheduler and set `url` to its address."""
        file = self._folder / "scheduler.json"
        file.unlink(missing_ok=True)
        command = python("distributed.cli.dask_scheduler", "--host", self._host, "--port", "0")
        command += ["--protocol", "tls", "--scheduler-file", str(file), *NO_DASHBOARD]
        environment = {**os.environ, "PYTHONPATH": CODE}
        self.scheduler = Process(command, self._folder / "scheduler.log", environment)
        wait_until(
            lambda: file.exists() and file.read_text().rstrip().endswith("}"), START_TIMEOUT_S
        )
        self.url: str = json.loads(file.read_text())["address"]

    def clear(self) -> None:
        """Kill all nodes, and wait until the scheduler has seen it."""
        if not self.nodes:
            return
        for node in self.nodes:
            node.kill()
        self.nodes.clear()
        with Client(self.url, set_as_default=False) as client:
            wait_until(lambda: not client.scheduler_info()["workers"], START_TIMEOUT_S)

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
        workers: int = 1,
    ) -> Node:
        """Start a node without waiting for it. `prefix` goes before its command line.

        The scheduler sees several workers as several nodes; to start them costs less than nodes do.
        """
        number = next(self._numbers)
        leave_file = self._folder / f"node{number}.leave"
        command = [*prefix, *python("distributed.cli.dask_worker", self.url, "--nthreads")]
        command += [str(threads), "--nworkers", str(workers), "--name", f"node{number}"]
        command += ["--local-directory", str(self._folder)]
        command += ["--host", f"tls://{host or self._host}", *NO_DASHBOARD]
        environment = {**os.environ, "PYTHONPATH": code, "ENDPOINT": endpoint}
        environment |= {"LEAVE_FILE": str(leave_file)} if leaves else {}
        log = self._folder / f"node{number}.log"
        node = Node(command, log, environment, leave_file)
        self.nodes.append(node)
        return node


def make_certificate(folder: Path) -> Path:
    """Make a fleet's certificate with our own script; return the path of its dask.yaml.

    The script's home folder is below this folder.
    """
    home = folder / "home"
    home.mkdir(parents=True, exist_ok=True)
    environment = {**os.environ, "HOME": str(home)}
    subprocess.run(
        ["bash", str(MACHINE / "certificate.sh")], env=environment, check=True, capture_output=True
    )
    config = folder / "dask.yaml"
    text = (MACHINE / "dask.yaml").read_text()
    config.write_text(text.replace("/fleet.pem", str(home / ".dots-ocr/fleet.pem")))
    return config


@contextlib.contextmanager
def let_in(config: Path) -> Iterator[None]:
    """Let this process, and those it starts, use this dask.yaml for a time."""
    said = dask.config.merge(dask.config.config, dask.config.collect([str(config)]))
    with pytest.MonkeyPatch.context() as patch, dask.config.set(said):
        patch.setenv("DASK_CONFIG", str(config))
        yield


class Stranger(Security):
    """Trusts any server, and shows it this certificate, or none."""

    def __init__(self, pem: Path | None = None, key: Path | None = None) -> None:
        super().__init__()  # type: ignore[no-untyped-call]  # Dask's
        self._shown = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        self._shown.check_hostname, self._shown.verify_mode = False, ssl.CERT_NONE
        if pem:
            self._shown.load_cert_chain(pem, key)

    def get_connection_args(self, role: str) -> dict[str, Any]:
        """The arguments with which Dask connects."""
        return {"ssl_context": self._shown, "require_encryption": False, "extra_conn_args": {}}


def python(module: str, *arguments: str) -> list[str]:
    """The command line of a module."""
    return [sys.executable, "-m", module, *arguments]
