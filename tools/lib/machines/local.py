"""TARGET=local: a folder stands for the machine, the CPU preview for the model server.

A server that already answers at ENDPOINT is used as it is, and never stopped.
"""

import os
import sys
import tempfile
import time
import urllib.parse
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

from contract import KEY, LOCK, PASSWORD
from lib import closed, extras, files
from lib.console import Failure, note, run_child
from lib.files import Put
from lib.inputs import Inputs, status_of
from lib.knobs import OCR, ROOT, TABLE, Knobs, model_key, pdf_password
from lib.machines import at_endpoint, local_job
from lib.machines.lock_file import LockFile
from lib.machines.machine import Moved
from lib.machines.ours import CODE, RESULT, TRIAL, Disk, claim, folders
from lib.machines.server import Server
from lib.results import read_text

LOG_LINES = 15
PREVIEW_PROCESSES = 2


class LocalMachine:
    """This computer, as a machine."""

    def __init__(self, knobs: Knobs) -> None:
        self.endpoint = knobs.endpoint
        self.knobs = knobs
        self.why = ""  # why nothing answered at the last look
        self.folder = (ROOT / Path(knobs.machine_dir).expanduser()).resolve()
        self.folders = folders()
        self.input = self.folder / self.folders.input
        self.result = self.folder / self.folders.result
        self.code = self.folder / "vm_side"
        self.server = Server(self.folder)
        self.lock = LockFile(self.folder / "run.lock")

    def start(self) -> None:
        """Make the folders, bring vm_side/ over, and start the CPU preview if nothing serves."""
        self._claim(CODE)
        self._make_folders()
        self._copy_code()
        if self.server.is_running():
            if self.server.endpoint() == self.endpoint:
                return
            self.server.stop()  # ENDPOINT was changed since
        if model := self.served_model():
            note(f"using the model server at {self.endpoint}, which serves {model}")
            if self.knobs.witness == OCR:  # the second reader uses the preview's engines
                install(self.code / "cpu_endpoint" / "requirements.txt")
            return
        at_endpoint.refuse_foreign(self.endpoint, self.why)
        install(self.code / "cpu_endpoint" / "requirements.txt")
        parts = urllib.parse.urlsplit(self.endpoint)
        place = ["--host", str(parts.hostname), "--port", str(parts.port or 80)]
        command = [sys.executable, "-m", "cpu_endpoint", *place]
        with closed.to_all():
            self.server.start(command, cwd=self.code, endpoint=self.endpoint)

    def build_image(self) -> None:
        """Raise Failure: this computer has the CPU preview, or the user's own model server."""
        raise Failure(
            "TARGET=local has no image: its model server is the CPU preview, or your own",
            "make image TARGET=gcp, or TARGET=ssh",
        )

    def stop(self) -> None:
        """End the CPU preview, if we started it, and jobs of killed runs, also of a trial."""
        for result in (RESULT, TRIAL + RESULT):
            local_job.end(self.folder / result / LOCK)
        self.server.stop()

    def alarm(self, since: float | None = None) -> str:
        """Return nothing, because nothing bills."""
        return ""

    def on_since(self) -> float | None:
        """Return None: we do not turn this computer on."""
        return None

    def left_on(self) -> str:
        """Return nothing: we do not turn this computer on."""
        return ""

    def status(self) -> dict[str, Any]:
        """The server's state, and the totals of the last run."""
        running = self.server.is_running()
        try:
            model = self.served_model()
            state = "ready" if model else "loading" if running else "off"
        except Failure as failure:
            model, state = "", failure.message.split("\n")[0]
        return {
            "machine": f"this computer ({self.folder})",
            "model server": state,
            "model": model or "-",
            "last log line": "" if model or not running else self.server.log_tail(1),
        }

    @closed.to_all()
    def push(self, inputs: Inputs) -> Moved:
        """Copy what is new or changed, remove what is no longer there."""
        if any((inputs.root / name).is_relative_to(self.folder) for name in inputs.files):
            raise Failure(
                f"INPUT {inputs.root} has files of MACHINE_DIR {self.folder}:"
                " copies would be read as pages",
                "give a MACHINE_DIR outside of INPUT",
            )
        self._claim(self.folders.input)
        self._make_folders()
        moved = Moved(removed=files.remove_others(self.input, inputs.files))
        for name in inputs.files:
            try:
                status_of(inputs.root / name)
                if files.copy_new(inputs.root / name, self.input / name):
                    moved.new += 1
                else:
                    moved.same += 1
            except OSError as error:
                moved.failed[name] = error.strerror or str(error)
        return moved

    def wait_until_ready(self, timeout_s: float) -> None:
        """Wait for the model; fail at once if our server has ended."""
        deadline = time.monotonic() + timeout_s
        said = False
        while not self.served_model():
            if self.server.was_started() and not self.server.is_running():
                raise Failure(
                    "the CPU preview ended before it could answer; the end of its log:\n"
                    + self.server.log_tail(LOG_LINES),
                    "fix what the log says, then make start",
                )
            if not self.server.was_started():
                raise Failure(f"no model server at {self.endpoint} ({self.why})", "make start")
            if time.monotonic() > deadline:
                raise Failure(
                    f"the model did not answer within {timeout_s:.0f} s; the end of its log:\n"
                    + self.server.log_tail(LOG_LINES),
                    "give it longer with READY_TIMEOUT, or make stop start",
                )
            if not said:
                note(f"waiting for the model at {self.endpoint} …")
                said = True
            time.sleep(0.3)

    @closed.to_all()
    def run(
        self, arguments: Sequence[str], now_and_then: Callable[[], None], checks: str = ""
    ) -> int:
        """Run the command that also runs on the VM, with this folder's input and result."""
        command = self.code / "process_all_images.py"
        if not command.is_file():
            raise Failure(f"{self.folder} is not set up yet", "make start")
        places = ["--input", str(self.input), "--output", str(self.result)]
        arguments = [*arguments, "--price-per-hour", "0"]
        if self.server.is_running():  # ours reads one page at a time: a queue would time out
            arguments = [*arguments, "--processes", str(PREVIEW_PROCESSES)]
        environment = {name: text for name, text in os.environ.items() if name not in TABLE}
        environment |= {KEY: model_key(self.knobs), PASSWORD: pdf_password(self.knobs)}
        with tempfile.NamedTemporaryFile("w", encoding="utf-8") as file:
            file.write(checks)
            file.flush()
            environment["CHECKS"] = file.name
            return run_child([sys.executable, str(command), *places, *arguments], environment)

    def read_result(self, name: str) -> str:
        """A file of the results as text."""
        return read_text(self.result / name)

    def pull(self, names: Iterable[str], folder: Path, put: Put) -> Moved:
        """Copy results that are new or changed."""
        moved = Moved()
        for name in names:
            try:
                if files.is_same(self.result / name, folder / name):
                    moved.same += 1
                elif why := put(files.copy_beside(self.result / name, folder / name), name):
                    moved.failed[name] = why
                else:
                    moved.new += 1
            except OSError as error:
                moved.failed[name] = error.strerror or str(error)
            Path(f"{folder / name}{files.PART}").unlink(missing_ok=True)
        return moved

    def clean(self) -> None:
        """Empty both folders."""
        if self.folder.exists():
            self._claim(*self.folders)
        for folder in (self.input, self.result):
            if folder.is_dir():
                files.empty(folder)

    def logs(self) -> int:
        """Follow the log of the CPU preview."""
        if not self.server.log.exists():
            raise Failure(f"there is no {self.server.log}: no preview was started", "make start")
        return run_child(["tail", "-n", "50", "-F", str(self.server.log)])

    def read_lock(self) -> str:
        """The lock is a file of the folder."""
        return self.lock.read()

    def swap_lock(self, old: str, new: str) -> bool:
        """Change the file."""
        return self.lock.swap(old, new)

    def served_model(self) -> str:
        """The model that answers at ENDPOINT; nothing if none does. Raises Failure."""
        model, self.why = at_endpoint.served_model(self.endpoint, model_key(self.knobs))
        return model

    @closed.to_all()
    def _claim(self, *needed: str) -> None:
        """Raise Failure unless these folders of the machine are ours."""
        claim(Disk(self.folder, ROOT), needed, self.knobs.take)

    @closed.to_all()
    def _make_folders(self) -> None:
        for folder in (self.input, self.result):
            folder.mkdir(parents=True, exist_ok=True)
            if not folder.is_symlink():  # where a link leads is not ours to change
                folder.chmod(0o700)  # an earlier version made it open to others

    @closed.to_all()
    def _copy_code(self) -> None:
        """Bring vm_side/ over: an exact copy."""
        source = ROOT / "vm_side"
        names = files.code_below(source)
        self.code.mkdir(parents=True, exist_ok=True)
        files.remove_others(self.code, names)
        for name in names:
            files.copy_new(source / name, self.code / name)


def install(requirements: Path) -> None:
    """Install the CPU preview's packages.

    The file pins all that they need, except a build of OpenCV that two of them ask for. That build
    needs the libraries of a screen, and they also work with the build that does not.
    """
    extras.install(requirements, "cpu-endpoint", "the CPU preview")
