"""A real vLLM that serves the tiny model on a port that stays, and can be ended as machines do."""

from __future__ import annotations

import os
import signal
import subprocess
from pathlib import Path
from typing import Any

from rig.vllm_ages import NEWEST, age_of
from rig.vllm_process import ALONE, ON_CPU, VllmProcess, members_of

ROOT = Path(__file__).parents[2]
AGE = age_of(os.environ.get("VLLM") or NEWEST.version)
PYTHON = ROOT / f".venv-vllm-{AGE.version}" / "bin" / "python"
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


class VllmServer(VllmProcess):
    """The server process and its engine; as a context manager it starts and ends.

    Flags are given as the names in FLAGS; they come on top of those.
    """

    def __init__(self, model: Path, log: Path, flags: dict[str, str | None] | None = None) -> None:
        super().__init__(log)
        self.model = model
        self.flags = FLAGS | (flags or {})
        self.script: Path | None = None
        """A launch script in the place of `vllm serve`; it is given the flags as VLLM_FLAGS."""

    def command(self) -> list[str]:
        if self.script is None:
            vllm = [str(PYTHON.with_name("vllm")), "serve", str(self.model), *self._words()]
        else:
            vllm = [str(self.script)]
        return ["nice", "-n", str(NICENESS), *vllm]

    def environment(self) -> dict[str, str]:
        knobs = {"MODEL_DIR": str(self.model), "VLLM_FLAGS": " ".join(self._words())}
        path = f"{PYTHON.parent}:{os.environ['PATH']}"
        return {**os.environ, **ALONE, **ON_CPU, **knobs, "PATH": path}

    def _words(self) -> list[str]:
        """The flags as they are said."""
        words = ["--host", "127.0.0.1", "--port", str(self.port)]
        for name, value in self.flags.items():
            words += [f"--{name}"] if value is None else [f"--{name}", value.replace(" ", "")]
        return words

    def metric(self, name: str, **labels: str) -> float:
        """The value of vllm:NAME with these labels among its own."""
        for line in self.get("/metrics")[1].decode().splitlines():
            wanted = (f'{label}="{value}"' for label, value in labels.items())
            if line.startswith(f"vllm:{name}{{") and all(part in line for part in wanted):
                return float(line.rpartition(" ")[2])
        raise KeyError(name)

    def terminate(self) -> None:
        """SIGTERM to the server's own process, as a container's stop does."""
        os.kill(self.pid, signal.SIGTERM)

    def kill_server(self) -> None:
        """SIGKILL to the API server; the engine is a process of its own and ends by itself."""
        os.kill(self.pid, signal.SIGKILL)

    def kill_engine(self) -> None:
        """SIGKILL to the process that computes."""
        os.kill(self.engine(), signal.SIGKILL)

    def engine(self) -> int:
        """The pid of the process that computes."""
        for pid, name in members_of(self.pid).items():
            if "EngineCore" in name:
                return pid
        raise LookupError("no engine")

    def restart(self) -> None:
        """End all of it and start again, without waiting until it is ready."""
        self.kill()
        self.start()


def build_model(folder: Path, *options: str) -> Path:
    """Build the tiny model with vLLM's own interpreter."""
    script = Path(__file__).with_name("tiny_model.py")
    command: list[Any] = ["nice", "-n", str(NICENESS), PYTHON, script, folder, *options]
    subprocess.run(command, check=True)
    return folder
