"""A real vLLM that serves the tiny model on a port that stays, and can be ended as machines do."""

from __future__ import annotations

import contextlib
import http.client
import os
import signal
import socket
import subprocess
import time
from pathlib import Path
from types import TracebackType
from typing import Any

from rig.vllm_ages import NEWEST, age_of

ROOT = Path(__file__).parents[2]
AGE = age_of(os.environ.get("VLLM") or NEWEST.version)
PYTHON = ROOT / f".venv-vllm-{AGE.version}" / "bin" / "python"
START_TIMEOUT_S = 600.0  # a minute or two, alone on the machine
NICENESS = 10
FLAGS: dict[str, str | None] = {
    "served-model-name": "model",
    "trust-remote-code": None,
    "chat-template-content-format": "string",
    "max-model-len": "8192",
    "enforce-eager": None,
    "dtype": AGE.cpu_dtype,
    "distributed-executor-backend": "uni",
    "no-enable-prefix-caching": None,
    "mm-processor-cache-gb": "0",
    "limit-mm-per-prompt": '{"image": 1}',
    "max-num-seqs": "2",
} | ({"max-num-queued-reqs": "6"} if AGE.bounds_queue else {})
ENVIRONMENT = {
    "VLLM_TARGET_DEVICE": "cpu",
    "VLLM_CPU_KVCACHE_SPACE": "1",
    "VLLM_NO_USAGE_STATS": "1",
    "HF_HUB_OFFLINE": "1",
    "TRANSFORMERS_OFFLINE": "1",
}


class VllmServer:
    """The server process and its engine; as a context manager it starts and ends.

    Flags are given as the names in FLAGS; they come on top of those.
    """

    def __init__(self, model: Path, log: Path, flags: dict[str, str | None] | None = None) -> None:
        self.model = model
        self.log = log
        self.flags = FLAGS | (flags or {})
        self.script: Path | None = None
        """A launch script in the place of `vllm serve`; it is given the flags as VLLM_FLAGS."""
        self.port = free_port()
        self.starts: list[float] = []
        """Seconds from each start to the first healthy answer."""
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def __enter__(self) -> VllmServer:
        self.start()
        try:
            self.wait_until_ready()
        except BaseException:  # an impatient pytest's, too: nobody else would end it
            self.kill()
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.kill()

    def start(self) -> None:
        """Start it, without waiting until it is ready."""
        assert self._process is None
        words = ["--host", "127.0.0.1", "--port", str(self.port)]
        for name, value in self.flags.items():
            words += [f"--{name}"] if value is None else [f"--{name}", value.replace(" ", "")]
        if self.script is None:
            command = [str(PYTHON.with_name("vllm")), "serve", str(self.model), *words]
        else:
            command = [str(self.script)]
        knobs = {"MODEL_DIR": str(self.model), "VLLM_FLAGS": " ".join(words)}
        path = f"{PYTHON.parent}:{os.environ['PATH']}"
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                ["nice", "-n", str(NICENESS), *command],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                env={**os.environ, **ENVIRONMENT, **knobs, "PATH": path},
                start_new_session=True,
            )

    def wait_until_ready(self) -> None:
        """Return once it is healthy; raises RuntimeError, with the end of its log, if it fails."""
        began = time.monotonic()
        while not self.is_healthy():
            ended = self._process is None or self._process.poll() is not None
            if ended or time.monotonic() - began > START_TIMEOUT_S:
                end = self.log.read_text(encoding="utf-8", errors="replace")[-4000:]
                raise RuntimeError(f"vLLM did not start:\n{end}")
            time.sleep(0.2)
        self.starts.append(time.monotonic() - began)

    def is_healthy(self) -> bool:
        """Whether it answers at all."""
        with contextlib.suppress(OSError):
            return self.get("/health")[0] == 200
        return False

    def get(self, path: str) -> tuple[int, bytes]:
        """GET over a connection of its own. Raises OSError."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)
        try:
            connection.request("GET", path)
            response = connection.getresponse()
            return response.status, response.read()
        finally:
            connection.close()

    def metric(self, name: str, **labels: str) -> float:
        """The value of vllm:NAME with these labels among its own."""
        for line in self.get("/metrics")[1].decode().splitlines():
            wanted = (f'{label}="{value}"' for label, value in labels.items())
            if line.startswith(f"vllm:{name}{{") and all(part in line for part in wanted):
                return float(line.rpartition(" ")[2])
        raise KeyError(name)

    def terminate(self) -> None:
        """SIGTERM to the server's own process, as a container's stop does."""
        os.kill(self._pid, signal.SIGTERM)

    def kill_server(self) -> None:
        """SIGKILL to the API server; the engine is a process of its own and ends by itself."""
        os.kill(self._pid, signal.SIGKILL)

    def kill_engine(self) -> None:
        """SIGKILL to the process that computes."""
        os.kill(self.engine(), signal.SIGKILL)

    def engine(self) -> int:
        """The pid of the process that computes."""
        for pid, name in self._members().items():
            if "EngineCore" in name:
                return pid
        raise LookupError("no engine")

    def restart(self) -> None:
        """End all of it and start again, without waiting until it is ready."""
        self.kill()
        self.start()

    def kill(self) -> None:
        """End every process of it, and wait until none is left."""
        if self._process is None:
            return
        while members := self._members():
            for pid in members:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
            self._process.poll()
            time.sleep(0.05)
        self._process.wait()
        self._process = None

    @property
    def _pid(self) -> int:
        assert self._process is not None
        return self._process.pid

    def _members(self) -> dict[int, str]:
        """pid -> title of every living process of the server's session."""
        found = {}
        for folder in Path("/proc").glob("[0-9]*"):
            with contextlib.suppress(OSError):
                state, _, _, session = (folder / "stat").read_text().rpartition(")")[2].split()[:4]
                if int(session) == self._pid and state not in "ZX":
                    found[int(folder.name)] = (folder / "cmdline").read_text()
        return found


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def build_model(folder: Path, *options: str) -> Path:
    """Build the tiny model with vLLM's own interpreter."""
    script = Path(__file__).with_name("tiny_model.py")
    command: list[Any] = ["nice", "-n", str(NICENESS), PYTHON, script, folder, *options]
    subprocess.run(command, check=True)
    return folder
