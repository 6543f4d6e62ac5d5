"""The commands in tools/ as people run them: a config file, a machine's folder, real processes.

    kit = Toolkit(tmp_path, ENDPOINT=server.url)
    kit.write_pages(3)
    assert kit.run("upload").code == 0

They read nothing of the developer's: no config.env, no knob of the environment, no machine.
"""

from __future__ import annotations

import http.server
import os
import shutil
import socket
import subprocess
import sys
import threading
import time
import uuid
import venv
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from hashlib import sha256
from pathlib import Path
from typing import Any
from unittest.mock import patch

from contract import SECRETS
from lib.knobs import TABLE
from lib.machines.ssh import packages
from rig import pages
from rig.command import FAST, Finished, Running, processes, records_in
from rig.here import run_verb

ROOT = Path(__file__).parents[2]
OF_MAKE = ("MAKEFLAGS", "MAKELEVEL", "MFLAGS", "MAKEOVERRIDES", "MAKEFILES")
NOT_INHERITED = (*TABLE, *SECRETS, "CONFIG", "PREVIEW", "PYTHONPATH", "PYTHONUNBUFFERED", *OF_MAKE)
QUICK = {**FAST, "RETRIES": "0"}
MARK = "RIG_TOOLKIT"
CODE = ("tools", "vm_side", "Makefile", "config.env", "requirements.txt")
PREVIEW_MODULE = (
    "import sys\n\nsys.path.insert(0, {tests!r})\nfrom rig.preview import main\n\nmain()\n"
)


class Toolkit:
    """A user's computer. `root` is the project's folder, `python` runs its scripts."""

    def __init__(
        self, folder: Path, root: Path = ROOT, python: str = sys.executable, **knobs: str
    ) -> None:
        self.folder, self.root, self.python = folder, root, python
        self.input, self.output = folder / "in", folder / "out"
        self.machine = folder / "machine"
        self.config = folder / "config of the test.env"
        self.mark = uuid.uuid4().hex
        places = {"INPUT": self.input, "OUTPUT": self.output, "MACHINE_DIR": self.machine}
        self.knobs = {
            "TARGET": "local",
            **QUICK,
            **{name: str(path) for name, path in places.items()},
            **knobs,
        }
        self.input.mkdir(parents=True, exist_ok=True)

    def write_pages(self, count: int = 2) -> list[str]:
        """Write small pages that all differ, in folders with spaces and Korean; return names."""
        written = pages.write_folder(self.input, count, dpi=20)
        return [path.relative_to(self.input).as_posix() for path in written]

    def environment(self, **more: str) -> dict[str, str]:
        """The environment of a command: the caller's without its knobs, and a mark."""
        own = {k: v for k, v in os.environ.items() if k not in NOT_INHERITED}
        return {**own, "CONFIG": str(self.config), MARK: self.mark, **more}

    def start(self, *command: str, **environment: str) -> Marked:
        """Start a program in the project's folder, after writing the config file."""
        self.write_config()
        return Marked(
            subprocess.Popen(
                command,
                cwd=self.folder,
                env=self.environment(**environment),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                text=True,
                start_new_session=True,
            ),
            self.mark,
        )

    def write_config(self) -> None:
        """Write the knobs in the form of config.env."""
        lines = [f"{name}='{value}'\n" for name, value in self.knobs.items()]
        self.config.write_text("".join(lines), encoding="utf-8")

    def verb(self, name: str, *options: str, **environment: str) -> Marked:
        """Start tools/NAME.py."""
        script = str(self.root / "tools" / f"{name}.py")
        return self.start(self.python, script, *options, **environment)

    def make(self, *arguments: str, **environment: str) -> Marked:
        """Start make, with the Python of the test instead of the project's environment."""
        known = ["make", "-C", str(self.root), f"PY={self.python}", "-o", ".venv/setup"]
        return self.start(*known, *arguments, **environment)

    def run(self, name: str, *options: str, **environment: str) -> Finished:
        """Run a verb to its end. Processes that it leaves in the background stay."""
        return self.verb(name, *options, **environment).finish()

    def run_here(self, name: str, *options: str, **environment: str) -> Finished:
        """Like `run`, but in this process: see rig/here.py. Modules are loaded from ROOT."""
        self.write_config()
        began, script = time.monotonic(), self.root / "tools" / f"{name}.py"
        collected = self.root / packages.PACKAGES.relative_to(ROOT)
        with patch.object(packages, "PACKAGES", collected):
            ended = run_verb(script, options, self.environment(**environment), self.folder)
        return Finished(*ended, time.monotonic() - began)

    def living(self) -> list[int]:
        """All living processes that any command of this toolkit has left."""
        return marked(self.mark)

    @property
    def uploaded(self) -> list[str]:
        """The files in the machine's input folder."""
        return files_below(self.machine / "input")

    @property
    def statuses(self) -> dict[str, str]:
        """Status by input file, in the machine's manifest."""
        return statuses_in(self.machine / "result")


class Marked(Running):
    """A running command with all processes that it started, also those in other sessions."""

    def __init__(self, process: subprocess.Popen[str], mark: str) -> None:
        super().__init__(process)
        self._mark = mark

    def members(self) -> list[int]:
        return marked(self._mark)


def marked(mark: str) -> list[int]:
    """The living processes whose environment holds the mark."""
    found = []
    for pid, _, _ in processes():
        with suppress(OSError):
            if f"{MARK}={mark}".encode() in Path(f"/proc/{pid}/environ").read_bytes():
                found.append(pid)
    return found


def copy_project(folder: Path) -> Path:
    """Make a copy of the project in which rig.preview replaces the CPU preview."""
    root = folder / "project"
    leave = shutil.ignore_patterns("cpu_endpoint", "__pycache__", ".*")
    for name in CODE:
        if (ROOT / name).is_dir():
            shutil.copytree(ROOT / name, root / name, ignore=leave)
        else:
            root.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, root / name)
    preview = root / "vm_side" / "cpu_endpoint"
    preview.mkdir()
    (preview / "requirements.txt").touch()
    (preview / "__main__.py").write_text(PREVIEW_MODULE.format(tests=str(ROOT / "tests")))
    return root


def make_environment(folder: Path) -> str:
    """Make a Python environment with our packages, and nothing to install for the preview.

    `start` notes in its environment what it has installed there, so it must not be the developer's.
    """
    venv.create(folder, symlinks=True)
    packages = [path for path in sys.path if path.endswith("-packages")]
    (next(folder.glob("lib/python*/site-packages")) / "ours.pth").write_text("\n".join(packages))
    (folder / "cpu-endpoint.sha256").write_text(sha256(b"").hexdigest())
    return str(folder / "bin" / "python")


def free_port() -> int:
    """A port of 127.0.0.1 on which nothing listens."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


class Foreigner(http.server.BaseHTTPRequestHandler):
    """Has no pages: the answer is always 501."""

    def log_message(self, format: str, *args: Any) -> None:
        """Silent."""


@contextmanager
def foreign_server(port: int = 0) -> Iterator[int]:
    """Run an HTTP server that is not a model server; yield its port."""
    other = http.server.HTTPServer(("127.0.0.1", port), Foreigner)
    thread = threading.Thread(target=other.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield other.server_port
    finally:
        other.shutdown()
        thread.join()
        other.server_close()


def files_below(folder: Path) -> list[str]:
    """All files below a folder, relative and sorted."""
    return sorted(p.relative_to(folder).as_posix() for p in folder.rglob("*") if not p.is_dir())


def statuses_in(folder: Path) -> dict[str, str]:
    """Status by input file, in the manifest of this folder."""
    return {record["input"]: record["status"] for record in records_in(folder)}


def line(page: str, input_file: str = "", status: str = "ok", **more: Any) -> dict[str, Any]:
    """A line of a manifest."""
    record = {"page": page, "input": input_file or f"{page}.png", "pdf_page": None}
    return {**record, "status": status, "reason": "", **more}
