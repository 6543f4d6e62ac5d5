"""A machine that is reached by ssh and has docker: TARGET=ssh as it is, TARGET=gcp on top of it.

The model server and the job are containers of CONTAINER_IMAGE. The job runs detached, so that a
laptop that sleeps or dies loses nothing; the next command attaches to it.
"""

import os
import shlex
import signal
import sys
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import click

from lib.console import (
    Failure,
    Interrupted,
    interrupt,
    note,
    say,
    set_handlers,
)
from lib.files import Put, code_below
from lib.inputs import Inputs
from lib.knobs import OCR, ROOT, Knobs, model_key, pdf_password
from lib.machines.lock import TOKEN_VARIABLE
from lib.machines.machine import Moved
from lib.machines.ours import CODE as CODE_FOLDER
from lib.machines.ours import INPUT, claim, folders
from lib.machines.ssh.ground import Home
from lib.machines.ssh.job import (
    END_SCRIPT,
    JOB_CONTAINER,
    describe_fleet,
    describe_job,
    follow,
    start_script,
)
from lib.machines.ssh.model import (
    MODEL_CONTAINER,
    build_image,
    describe_start,
    gpu_rows,
    has_ended,
    python_script,
    refuse_taken_port,
    run_image,
)
from lib.machines.ssh.model import start_script as start_model_script
from lib.machines.ssh.packages import collect_packages
from lib.machines.ssh.shell import SEEN, ConnectionLost, Shell, script_of
from lib.machines.ssh.sight import Sight
from lib.machines.ssh.transfer import fetch, mirror_up

CODE = ROOT / "vm_side"
KEY_FILE, PASSWORD_FILE = ".dots-ocr/api-key", ".dots-ocr/pdf-password"
CHECKS_FILE = ".dots-ocr/checks.jsonl"


class RemoteMachine(Sight):
    """What TARGET=ssh does."""

    def __init__(self, knobs: Knobs) -> None:
        super().__init__(knobs)
        self.folders = folders()

    def start(self) -> None:
        """Turn it on, bring vm_side/ over and start the model's container, unless it runs."""
        self._turn_on()
        shell = self.shell
        shell.run(f"mkdir -p .dots-ocr && touch {SEEN}")
        self._guard(shell)  # before all the steps that may fail
        ours = self._claim(CODE_FOLDER, *([self.folders.input] if self.input_bucket else []))
        self._bring_key()
        seen = self.look()
        if not seen["job"].get("running") or seen["fleet"] or not self.knobs.workers:
            self._call_workers()
        else:
            say("start: the running job reads without workers; they are for the next job")
        if seen["job"].get("running"):
            note("start: a job runs on the machine; its model stays as it is")
            if has_ended(seen["container"]):
                self._start_model(shell)
            return
        self._take_back(shell, sorted(ours & {*self.folders}))
        self._start_model(shell)  # first: it loads during all that follows
        mirror_up(shell, CODE, code_below(CODE), CODE_FOLDER)
        self._bring_packages(shell)
        self._install(shell)
        self._prepare(shell)

    def build_image(self) -> None:
        """Turn it on, bring vm_side/ over and build vm_side/container on it."""
        self._turn_on()
        shell = self.shell
        shell.run(f"mkdir -p .dots-ocr && touch {SEEN}")
        self._guard(shell)
        self._claim(CODE_FOLDER)
        mirror_up(shell, CODE, code_below(CODE), CODE_FOLDER)
        names = ("CONTAINER_BASE", "MODEL_ID", "MODEL_REVISION")
        parts = {name: getattr(self.knobs, name.lower()) for name in names}
        build_image(shell, self.knobs.container_image, parts)

    def _turn_on(self) -> None:
        """Turn the machine on; a machine without a cloud API is on already."""

    def _call_workers(self) -> None:
        """Start the workers, which come up meanwhile; only a cloud machine has some."""

    def stop(self) -> None:
        """End the containers; a machine without a cloud API stays on."""
        self.shell.run(f"docker rm -f {JOB_CONTAINER} {MODEL_CONTAINER} >/dev/null 2>&1 || :")
        self.shell.close()

    def alarm(self, since: float | None = None) -> str:
        """Return nothing: the machine stays on in any case."""
        return ""

    def on_since(self) -> float | None:
        """Return None: nobody tells us, and nobody bills."""
        return None

    def left_on(self) -> str:
        """Return nothing: the machine is not ours to turn off."""
        return ""

    def status(self) -> dict[str, Any]:
        """The model server, the GPU and the job."""
        try:
            seen = self.glance()
        except ConnectionLost as error:
            return {"machine": f"{self.shell.name} cannot be reached: {error}"}
        container = seen["container"]
        log = container.get("log", "").splitlines()
        start = describe_start(seen["start"])
        loading = f"loading, {start}" if seen["start"].get("now") else "not ready"
        return {
            "machine": self.shell.name,
            "container": container.get("state", "none"),
            **gpu_rows(seen["gpus"]),
            "model": seen["model"] or loading,
            "model started in": start if seen["model"] else "",
            "last log line": "" if seen["model"] or not log else log[-1],
            "job": describe_job(seen["job"]),
        } | ({"Dask": describe_fleet(seen["fleet"])} if seen["fleet"] else {})

    def push(self, inputs: Inputs) -> Moved:
        """Mirror the files over ssh."""
        try:
            self._claim(self.folders.input)
            return mirror_up(self.shell, inputs.root, inputs.files, self.folders.input)
        except ConnectionLost as error:
            raise Failure(f"the connection was lost: {error}", "make upload goes on") from error

    def wait_until_ready(self, timeout_s: float) -> None:
        """Wait for the bucket's pages and the model; a job that runs has them already."""
        deadline = time.monotonic() + timeout_s
        if self._look_through()["job"].get("running"):
            return
        self._through(self._bring_key)
        if self.input_bucket:  # while the model loads
            words = ("vm_side/machine/fetch_input.sh", self.input_bucket, self.folders.input)
            self._through(lambda: self._claim(self.folders.input))
            self._through(lambda: self.shell.run(script_of("bash", *words)))
        self._wait_for_model(timeout_s, deadline)

    def run(
        self, arguments: Sequence[str], now_and_then: Callable[[], None], checks: str = ""
    ) -> int:
        """Start the job, or attach to the one that runs, and follow it to its end."""
        if self._look_through()["job"].get("running"):
            note("process: a job runs on the machine already; following it")
        else:
            arguments = [*arguments, *self._places()]
            words = (self.knobs.container_image, self.bucket, *self.folders, *arguments)
            self._bring({CHECKS_FILE: checks})
            self.shell.run(start_script(words))
        try:
            return follow(self._look_at_job, now_and_then)
        except Interrupted as interrupted:
            self._ask_for_end(interrupted)
            raise

    @property
    def bucket(self) -> str:
        """The bucket through which pages and results travel; empty: over ssh."""
        return ""

    @property
    def input_bucket(self) -> str:
        """The bucket with pages that come to the machine before they are read; empty: none."""
        return self.bucket

    def _places(self) -> list[str]:
        """Options of the job: where it reads and writes, if not in the machine's folders."""
        return []

    def read_result(self, name: str) -> str:
        """A file of the results as text."""
        done = self.shell.ask(script_of("cat", f"{self.folders.result}/{name}"))
        return done.stdout.decode("utf-8", "replace") if done.returncode == 0 else ""

    def pull(self, names: Iterable[str], folder: Path, put: Put) -> Moved:
        """Fetch results over ssh."""
        try:
            return fetch(self.shell, self.folders.result, names, folder, put)
        except ConnectionLost as error:
            raise Failure(f"the connection was lost: {error}", "make download goes on") from error

    def clean(self) -> None:
        """Empty both folders, also files that a container wrote as root."""
        self._claim(*self.folders)
        own = " ".join(f"{name}/" for name in self.folders)
        fleets = "$(ls -d .dots-ocr/fleet-* 2>/dev/null)" if self.folders.input == INPUT else ""
        script = f"find {own} {fleets} -mindepth 1 -delete 2>/dev/null"
        self.shell.run(f"{script} || sudo -n {script}")

    def logs(self) -> int:
        """Follow the job's log while it runs, else the model's."""
        seen = self.glance()
        if seen["job"].get("running"):
            return self.shell.follow("tail -n 50 -f .dots-ocr/job.log")
        if not seen["container"]:
            raise Failure("no model container on the machine", "make start")
        return self.shell.follow(f"docker logs --tail 50 -f {MODEL_CONTAINER}")

    def read_lock(self) -> str:
        """The lock is a file on the machine."""
        return self.shell.run("cat .dots-ocr/lock 2>/dev/null || :")

    def swap_lock(self, old: str, new: str) -> bool:
        """Change the file, under a lock of its own, if it still holds the old line."""
        old, new = shlex.quote(old), shlex.quote(new)
        swap = f'[ "$(cat lock 2>/dev/null)" = {old} ] && printf %s {new} >lock'
        script = f"mkdir -p .dots-ocr && cd .dots-ocr && flock lock.guard sh -c {shlex.quote(swap)}"
        return self.shell.ask(script).returncode == 0

    def _claim(self, *needed: str) -> set[str]:
        """Return the folders in its home that are ours. Raises Failure if a needed one is not."""
        return claim(Home(self.shell), needed, self.knobs.take)

    def _take_back(self, shell: Shell, folders: list[str]) -> None:
        """Give these folders of ours back to the machine's user, and close them to all others."""
        names = " ".join(f"{name}/" for name in folders)
        owned = (
            f"find {names} ! -user $(id -un) -print -quit | grep -q . &&"
            f" sudo -n chown -hR $(id -u):$(id -g) {names};"
        )
        closed = f"find {names} .dots-ocr -maxdepth 0 -user $(id -un) -exec chmod 700 {{}} +"
        shell.run(f"{owned if folders else ''} {closed}")

    def _bring_key(self) -> None:
        """Write the model server's key and the PDFs' password to files of ours, or remove those."""
        self._bring({KEY_FILE: model_key(self.knobs), PASSWORD_FILE: pdf_password(self.knobs)})

    def _bring(self, given: Mapping[str, str]) -> None:
        """Write texts into our files there; remove a file if its text is empty."""
        for file, text in given.items():
            write = f"umask 077 && cat >{file}.part && mv {file}.part {file}"  # text: on stdin
            self.shell.run(write if text else f"rm -f {file}", text.encode())

    def _bring_packages(self, shell: Shell) -> None:
        image = self.knobs.container_image
        version = run_image(shell, image, python_script(image)).strip()
        packages = collect_packages(version, self.knobs.workers > 0, self.knobs.witness == OCR)
        names = [p.relative_to(packages).as_posix() for p in packages.rglob("*") if p.is_file()]
        mirror_up(shell, packages, names, ".dots-ocr/packages")

    def _start_model(self, shell: Shell) -> None:
        image, options = self.knobs.container_image, self.knobs.container_args
        refuse_taken_port(shell, options, self.knobs.endpoint)
        run_image(shell, image, start_model_script(image, options))

    def _guard(self, shell: Shell) -> None:
        """Have it turn itself off when nobody needs it; only a cloud machine is ours to end."""

    def _install(self, shell: Shell) -> None:
        """Have it start the model by itself after a boot; only a cloud machine does so."""

    def _prepare(self, shell: Shell) -> None:
        """Have the machine do what it can while the model loads; nobody waits for it."""
        given = (self.input_bucket, self.folders.input, int(self.knobs.ready_timeout))
        words = (*given, *self._about_model)
        shell.run(
            f"setsid nohup bash vm_side/machine/prepare.sh {script_of(*words)}"
            " >.dots-ocr/prepare.log 2>&1 </dev/null &"
        )

    def _ask_for_end(self, interrupted: Interrupted) -> None:
        """On Ctrl-C, ask whether the job should end; nobody is asked under cron or in make all."""
        is_ctrl_c = interrupted.args == (signal.SIGINT,)
        if not is_ctrl_c or not sys.stdin.isatty() or os.environ.get(TOKEN_VARIABLE):
            return
        set_handlers(interrupt)  # a second Ctrl-C leaves, and the job goes on
        if click.confirm("The job goes on without you. End it instead?", err=True):
            self.shell.run(END_SCRIPT)
            say("process: the job has ended; make process reads the rest")
