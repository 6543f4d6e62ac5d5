"""process_all_images.py as people run it: a process of its own, with its children in view."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType, TracebackType
from typing import Any, Self

from click.testing import CliRunner

import process_all_images
from rig import pages
from rig.model_request import Request
from rig.model_server import ModelServer
from rig.replies import Reply
from workers.interrupt import STOP_SIGNALS

SCRIPT = Path(__file__).parents[2] / "vm_side" / "process_all_images.py"
PATIENCE_S = 120.0  # longest wait for an event; on a busy machine a second takes ten
TIMEOUT_S = 240.0  # of a whole command
OPTIONS = (
    *("INPUT", "OUTPUT", "PROCESSES", "MAX_PIXELS", "UPSAMPLE_BELOW", "ROTATE"),
    *("IMAGES", "PICTURES", "ENDPOINT"),
    *("MODEL", "PROMPT_MODE", "REQUEST_TIMEOUT", "PAGE_TIMEOUT", "READY_TIMEOUT", "RETRIES"),
    *("PRICE_PER_HOUR", "PRICE_PER_WORKER_HOUR", "SCHEDULER", "STATE"),
    *("API_KEY", "API_KEY_FILE", "PREFLIGHT", "PAGES", "PDF_PASSWORD", "PDF_PASSWORD_FILE"),
    *("WITNESS", "DOUBTFUL", "CHECKS", "WORKERS", "BUDGET", "SPENT", "METRICS_PORT"),
)
# The stand-in's layout fits none of the pages. Tests of witnesses turn them on.
FAST = {"UPSAMPLE_BELOW": "0", "READY_TIMEOUT": "20", "PROCESSES": "2", "WITNESS": "off"}
# Root can read every file, unless it first gives up two of its rights.
WITHOUT_ROOTS_RIGHTS = """
import ctypes, os, sys
PR_CAPBSET_DROP, CAP_DAC_OVERRIDE, CAP_DAC_READ_SEARCH = 24, 1, 2
for right in (CAP_DAC_OVERRIDE, CAP_DAC_READ_SEARCH):
    assert ctypes.CDLL(None).prctl(PR_CAPBSET_DROP, right, 0, 0, 0) == 0
os.execv(sys.executable, sys.argv[1:])
"""
NO_TIMES = {"seconds": 0, "finished_at": 0}


@dataclass
class Batch:
    """A folder of pages, its results, and the command that leads from one to the other."""

    folder: Path
    url: str

    @property
    def input(self) -> Path:
        return self.folder / "in"

    @property
    def output(self) -> Path:
        return self.folder / "out"

    def write_pages(self, count: int) -> list[Path]:
        """Small pages that all differ and are not blank, in several folders."""
        written = []
        for number in range(1, count + 1):
            target = self.input / pages.FOLDERS[number % len(pages.FOLDERS)] / f"page{number}.png"
            target.parent.mkdir(parents=True, exist_ok=True)
            pages.tiny(number).save(target)
            written.append(target)
        return written

    def start(
        self,
        *options: str,
        environment: Mapping[str, str] = MappingProxyType({}),
        prefix: Sequence[str] = (),
        script: Path = SCRIPT,
        **more: Any,
    ) -> Running:
        """Start the command in a session of its own; as a context manager it is ended at exit.

        `prefix` goes before the command line; `more` goes to subprocess.Popen.
        """
        variables = {k: v for k, v in os.environ.items() if k not in OPTIONS}
        variables |= self.variables(environment)
        return Running(
            subprocess.Popen(
                [*prefix, sys.executable, str(script), *options],
                **{
                    "stdin": subprocess.DEVNULL,
                    "stdout": subprocess.PIPE,
                    "stderr": subprocess.PIPE,
                    "env": variables,
                    "text": True,
                    "start_new_session": True,
                    **more,
                },
            )
        )

    def run(self, *options: str, **more: Any) -> Finished:
        """Run the command to its end."""
        with self.start(*options, **more) as running:
            return running.finish()

    def run_here(
        self, *options: str, environment: Mapping[str, str] = MappingProxyType({})
    ) -> Finished:
        """Run the command in this process: a fifth of the CPU time, since nothing is loaded again.

        Its workers are real ones, but Finished lacks what they write to stderr. Only the main
        thread can do this, because only it may handle signals.
        """
        began = time.monotonic()
        variables = dict.fromkeys(OPTIONS) | self.variables(environment)
        with handlers_kept():
            done = CliRunner().invoke(process_all_images.main, options, env=variables)
        if done.exception is not None and not isinstance(done.exception, SystemExit):
            raise done.exception
        return Finished(done.exit_code, done.stdout, done.stderr, time.monotonic() - began)

    def variables(self, environment: Mapping[str, str]) -> dict[str, str]:
        """The environment variables that the command gets."""
        places = {"INPUT": str(self.input), "OUTPUT": str(self.output), "ENDPOINT": self.url}
        return {**places, **FAST, **environment}

    @property
    def records(self) -> list[dict[str, Any]]:
        """The lines of manifest.jsonl."""
        return records_in(self.output)

    @property
    def summary(self) -> dict[str, Any]:
        """The content of summary.json."""
        content: dict[str, Any] = json.loads((self.output / "summary.json").read_text())
        return content

    def statuses(self) -> dict[str, str]:
        """Status by input file."""
        return {record["input"]: record["status"] for record in self.records}


@dataclass
class Finished:
    """How a command ended and what it said."""

    code: int
    out: str
    err: str
    seconds: float


class Running:
    """A command at work."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self.process = process
        self.pid = process.pid
        self._started = time.monotonic()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.end()

    def end(self) -> None:
        """Kill the command and all its processes, and close its pipes."""
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        for pid in self.members():
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        for pipe in (self.process.stdout, self.process.stderr):
            if pipe is not None:
                pipe.close()

    def finish(self, timeout_s: float = TIMEOUT_S) -> Finished:
        """Wait for the end. Kill a command that takes too long: it would disturb other tests."""
        try:
            out, err = self.process.communicate(timeout=timeout_s)
        except subprocess.TimeoutExpired:
            self.end()
            raise
        seconds = time.monotonic() - self._started
        return Finished(self.process.returncode, out or "", err or "", seconds)

    def signal_group(self, number: int) -> None:
        """Send a signal to the command and all that it started, as a terminal does."""
        os.killpg(self.pid, number)

    def members(self) -> list[int]:
        """All living processes of the command's session, also those that lost their parent."""
        return [pid for pid, _, session in processes() if session == self.pid]

    def workers(self) -> list[int]:
        """The processes that read pages: children of a child (the fork server) of the command."""
        living = processes()
        children = {pid for pid, parent, _ in living if parent == self.pid}
        return [pid for pid, parent, _ in living if parent in children]

    def parents_of(self, pids: list[int]) -> set[int]:
        """The parents of these processes."""
        return {parent for pid, parent, _ in processes() if pid in pids}

    def wait_until_nobody_is_left(self) -> None:
        """Raises TimeoutError if a process of the command stays."""
        wait_until(lambda: not self.members())


@contextlib.contextmanager
def handlers_kept() -> Iterator[None]:
    """Restore the handlers of the stop signals, because the command leaves none set."""
    before = {number: signal.getsignal(number) for number in STOP_SIGNALS}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def without_roots_rights() -> list[str]:
    """Return what to put before a command so that it can be refused a file, also as root."""
    return [sys.executable, "-c", WITHOUT_ROOTS_RIGHTS] if os.geteuid() == 0 else []


def processes() -> list[tuple[int, int, int]]:
    """(pid, parent, session) of every process that is not a zombie."""
    found = []
    for path in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            state, parent, _, session = path.read_text().rpartition(")")[2].split()[:4]
            if state not in "ZX":
                found.append((int(path.parent.name), int(parent), int(session)))
    return found


def wait_until(condition: Callable[[], object], timeout_s: float = PATIENCE_S) -> None:
    """Wait until the condition is true; spend at most a fifth of the time on looking.

    Raises TimeoutError.
    """
    deadline = time.monotonic() + timeout_s
    while True:
        began = time.monotonic()
        if condition():
            return
        now = time.monotonic()
        if now > deadline:
            raise TimeoutError(f"not true within {timeout_s} s")
        time.sleep(min(max(0.005, 4 * (now - began)), 1.0))


def records_in(output: Path) -> list[dict[str, Any]]:
    """The lines of a manifest."""
    text = (output / "manifest.jsonl").read_text(encoding="utf-8")
    return [json.loads(line) for line in text.splitlines()]


def files_in(folder: Path) -> dict[str, bytes]:
    """All files below a folder."""
    files = (path for path in folder.rglob("*") if path.is_file())
    return {str(path.relative_to(folder)): path.read_bytes() for path in files}


def results_in(output: Path) -> dict[str, Any]:
    """All that a batch leaves behind, without what depends on interruptions."""
    files: dict[str, Any] = {
        str(path.relative_to(output)): path.read_bytes()
        for path in output.rglob("*")
        if path.is_file()
        and path.name not in ("manifest.jsonl", "summary.json")
        and not path.name.startswith(".")
    }
    return files | {"records": [record | NO_TIMES for record in records_in(output)]}


def hang_while(condition: Callable[[Request], bool]) -> Callable[[Request], Reply]:
    """A script: requests for which the condition holds get no answer, the others the default."""
    return lambda request: Reply(fault="hang") if condition(request) else Reply()


@contextlib.contextmanager
def batch_of(folder: Path, count: int, **server: Any) -> Iterator[tuple[Batch, ModelServer]]:
    """A batch of so many small pages, and the server that reads them."""
    with ModelServer(**server) as model_server:
        batch = Batch(folder, model_server.url)
        batch.input.mkdir(parents=True, exist_ok=True)
        batch.write_pages(count)
        yield batch, model_server
