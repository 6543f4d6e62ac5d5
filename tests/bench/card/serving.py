"""The model server by the project's own serve.sh: with the vLLM of this machine, or of an image.

May import: rig.vllm_process.
"""

import json
import os
import re
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from rig.vllm_process import ALONE, VllmProcess

ROOT = Path(__file__).resolve().parents[3]
SERVE = ROOT / "vm_side" / "container" / "serve.sh"
BUILDER = ROOT / "tests" / "vllm" / "told_model.py"
LOADER = ROOT / "tests" / "vllm" / "told_loader.py"
SLOTS, ENGINES = "max_num_seqs", "data_parallel_size"
CONTAINER = "bench-card"
IMAGE_CACHE = "/root/.cache/vllm"


class Place(Protocol):
    """The place where vLLM is installed."""

    def command(self, words: list[str], given: dict[str, str]) -> list[str]:
        """The command line that runs these words there; `given` goes into their environment."""

    def python(self) -> str:
        """The Python that has vLLM."""

    def pid(self, started: int) -> int:
        """The pid of vLLM's first process; `started` is the pid of the process that we started."""

    def end(self) -> None:
        """End what remains when the started process is killed."""


@dataclass(frozen=True)
class Installed:
    """vLLM on this machine, as this command. Its compile cache is kept in the folder."""

    vllm: Path
    folder: Path

    def command(self, words: list[str], given: dict[str, str]) -> list[str]:
        path = f"{self.vllm.parent}:{os.environ['PATH']}"
        ours = {"PATH": path, "VLLM_CACHE_ROOT": str(self.folder / "cache")}
        return ["env", *(f"{name}={value}" for name, value in (ours | given).items()), *words]

    def python(self) -> str:
        beside = self.vllm.with_name("python3")
        return str(beside) if beside.exists() else "python3"

    def pid(self, started: int) -> int:
        return started  # env and bash have become it by exec

    def end(self) -> None:
        """Nothing remains."""


@dataclass(frozen=True)
class Image:
    """vLLM in a docker image. What the bench needs has the same paths inside."""

    name: str
    folder: Path

    def command(self, words: list[str], given: dict[str, str]) -> list[str]:
        command = ["docker", "run", "--rm", "--name", CONTAINER, "--gpus", "all", "--ipc=host"]
        command += ["--network", "host", "-v", f"{self.folder / 'cache'}:{IMAGE_CACHE}"]
        command += ["-v", f"{self.folder}:{self.folder}", "-v", f"{ROOT}:{ROOT}:ro"]
        for name, value in given.items():
            command += ["-e", f"{name}={value}"]
        return [*command, "--entrypoint", words[0], self.name, *words[1:]]

    def python(self) -> str:
        return "python3"

    def pid(self, started: int) -> int:  # `started` is docker's own command
        command = ["docker", "inspect", "--format", "{{.State.Pid}}", CONTAINER]
        done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
        return int(done.stdout)

    def end(self) -> None:
        subprocess.run(["docker", "rm", "--force", CONTAINER], capture_output=True, check=False)


class CardServer(VllmProcess):
    """vLLM on this machine's card. `flags` go to VLLM_FLAGS, `given` to its environment."""

    def __init__(
        self, place: Place, log: Path, model: Path, flags: str, given: dict[str, str]
    ) -> None:
        super().__init__(log)
        self.place = place
        flags = f"--host 127.0.0.1 --port {self.port} {flags}".strip()
        self._given = {**ALONE, **given, "MODEL_DIR": str(model), "VLLM_FLAGS": flags}

    def command(self) -> list[str]:
        return self.place.command(["bash", str(SERVE)], self._given)

    def environment(self) -> dict[str, str]:
        return dict(os.environ)

    @property
    def server_pid(self) -> int:
        """The pid of the API server; the engine is below it."""
        return self.place.pid(self.pid)

    def slots(self) -> int:
        """The most requests in the batches of all its engines, by its log. Raises RuntimeError."""
        return slots_told(self.log.read_text(errors="replace"))

    def version(self) -> str:
        """The version of vLLM. Raises OSError."""
        return str(json.loads(self.get("/version")[1])["version"])

    def start(self) -> None:
        self.place.end()  # remove what an earlier bench may have left
        super().start()

    def kill(self) -> None:
        self.place.end()
        super().kill()


def slots_told(log: str) -> int:
    """Read the slots from vLLM's log of its arguments. Raises RuntimeError if they are missing."""
    found = {name: re.search(rf"'{name}': (\d+)", log) for name in (SLOTS, ENGINES)}
    if not (slots := found[SLOTS]):
        raise RuntimeError(f"the server's log does not tell {SLOTS}")
    engines = found[ENGINES]
    return int(slots[1]) * int(engines[1] if engines else 1)


def has_weights(place: Place, model: Path) -> bool:
    """Whether the model is where the server will look for it."""
    command = place.command(["test", "-f", str(model / "config.json")], {})
    return subprocess.run(command, check=False).returncode == 0


def make_told(place: Place, folder: Path, tiny: bool) -> tuple[Path, str, dict[str, str]]:
    """Make a model that gives known answers; return its folder, flag and environment."""
    model, plugin = folder / "model", folder / "plugin"
    if not (model / "told.json").exists():
        words = [place.python(), str(BUILDER), str(model), *(["tiny"] if tiny else [])]
        command = place.command(words, {})
        subprocess.run(command, check=True)
    name = LOADER.stem
    about = plugin / f"{name}-1.dist-info"
    about.mkdir(parents=True, exist_ok=True)
    (about / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1\n")
    point = f"[vllm.general_plugins]\n{name} = {name}:register\n"
    (about / "entry_points.txt").write_text(point)
    shutil.copy(LOADER, plugin)
    paths = [str(plugin), *filter(None, [os.environ.get("PYTHONPATH")])]
    return model, f"--load-format {name}", {"PYTHONPATH": ":".join(paths)}
