"""Look at a machine over ssh, also if connections break."""

import json
import time
from collections.abc import Callable
from typing import Any, TypeVar

from lib.console import Failure, note, printable, say_above_bar
from lib.knobs import Knobs
from lib.machines.ssh.job import END_SCRIPT
from lib.machines.ssh.model import (
    MODEL_CONTAINER,
    describe_start,
    end_of,
    has_ended,
    refuse_without_key,
)
from lib.machines.ssh.shell import SEEN, ConnectionLost, Shell, script_of

T = TypeVar("T")

POLL_S = 2.0
RECONNECT_S = 600.0  # how long we wait for a machine that boots, or that the network has lost
LASTING_S = 60.0  # the same for one that never answered, if waiting will hardly fix ssh's error
LASTING = (
    *("Name or service not known", "nodename nor servname provided"),  # on Linux and on a Mac
    *("Permission denied", "Host key verification failed"),
)


class Sight:
    """A view of a machine, with the shell that logs in to it."""

    def __init__(self, knobs: Knobs) -> None:
        self.knobs = knobs
        self._restarts = 0  # of the model's container, which we have told
        self._has_answered = False

    @property
    def shell(self) -> Shell:
        """The machine's shell; cheap, connects when used."""
        if not self.knobs.ssh_host:
            raise Failure("SSH_HOST is not set", "make … TARGET=ssh SSH_HOST=user@host")
        return Shell(["ssh", self.knobs.ssh_host], self.knobs.ssh_host)

    def look(self, log_from: int = 0, ask: bool = False) -> dict[str, Any]:
        """Return what vm_side/machine/status.py sees, as a client who keeps the machine on."""
        return self._see(f"touch {SEEN} 2>/dev/null;", log_from, ask)

    def glance(self) -> dict[str, Any]:
        """Return the same, as a client who only looks, and so does not keep the machine on."""
        return self._see("")

    def _see(self, first: str, log_from: int = 0, ask: bool = False) -> dict[str, Any]:
        """Run the shell words `first`, then status.py; return what that sees. Raises Failure."""
        words = [*self._about_model, "--log-from", str(log_from), *(["--ask"] if ask else [])]
        script = (
            f"{first} [ -f vm_side/machine/status.py ] || {{ echo '{{}}'; exit; }};"
            f" cd vm_side && python3 -B -m machine.status {script_of(*words)}"
        )
        empty: dict[str, Any] = {"model": "", "model_fault": "", "container": {}, "start": {}}
        empty |= {"gpus": [], "job": {}, "progress": {}, "fleet": {}}
        said = self.shell.run(script)
        try:
            return {**empty, **printable(json.loads(said))}
        except (ValueError, TypeError, RecursionError) as error:
            raise Failure(
                f"{self.shell.name} printed what nobody asked for: {said[:200]!r}",
                "its .bashrc must print nothing; make start brings our code again",
            ) from error

    @property
    def _about_model(self) -> tuple[str, ...]:
        """Options of status.py."""
        return ("--endpoint", self.knobs.endpoint, "--container", MODEL_CONTAINER)

    def _look_at_job(self, log_from: int) -> dict[str, Any]:
        """Look, and end a job if its model is dead for good: the job would only wait, and bill.

        The job goes on while other machines read for it.
        """
        seen = self._look_through(log_from)
        is_alone = seen["fleet"].get("workers", 0) <= 1
        if seen["job"].get("running") and has_ended(seen["container"]) and is_alone:
            self.shell.run(END_SCRIPT)
            raise Failure(
                end_of(seen["container"]),
                "make start starts it again, and make process reads the rest",
            )
        return seen

    def _look_through(self, log_from: int = 0, ask: bool = False) -> dict[str, Any]:
        """Look, also through lost connections; says so when the model has died."""
        seen = self._through(lambda: self.look(log_from, ask))
        container = seen["container"]
        if container.get("restarts", 0) > self._restarts:
            self._restarts = container["restarts"]
            say_above_bar(
                f"the model's container died and was started again; the end of its log:\n"
                f"{container.get('died') or container['log']}"
            )
        return seen

    def _wait_for_model(self, timeout_s: float, deadline: float) -> None:
        """Return when the model answers, or a job runs; tells each part of the model's start."""
        told = None
        while True:
            seen = self._look_through()
            if seen["job"].get("running"):
                return
            if seen["model"] and (seen := self._look_through(ask=True))["model"]:
                if told is not None:
                    note(f"the model is ready{in_words(seen['start'])}")
                return
            container = seen["container"]
            refuse_without_key(seen["model_fault"])
            if not container:
                raise Failure("no model container on the machine", "make start")
            if has_ended(container):
                raise Failure(end_of(container), "fix what the log says, then make start")
            if time.monotonic() > deadline:
                raise Failure(
                    f"the model did not answer within {timeout_s:.0f} s ({seen['model_fault']});"
                    f" the end of its log:\n{container['log']}",
                    "give it longer with READY_TIMEOUT, or look with make logs",
                )
            if told != (told := seen["start"].get("now", "")):
                note(f"waiting for the model{in_words(seen['start'])} …")
            time.sleep(POLL_S)

    def _through(self, do: Callable[[], T]) -> T:
        """Do something that may be done twice; after a lost connection, try again for a while."""
        began = time.monotonic()
        while True:
            try:
                found = do()
                self._has_answered = True
                return found
            except ConnectionLost as error:
                self._refuse_if_off()
                is_lasting = not self._has_answered and any(word in error.why for word in LASTING)
                waited_s = time.monotonic() - began
                if is_lasting and waited_s > LASTING_S:
                    raise Failure(
                        f"{self.shell.name} cannot be reached: {error}",
                        f"check that `ssh {self.shell.name}` logs in by itself, or fix SSH_HOST",
                    ) from error
                if waited_s > RECONNECT_S:
                    raise Failure(
                        f"{self.shell.name} cannot be reached any more: {error};"
                        " what runs there goes on",
                        "make process attaches again",
                    ) from error
                note(f"connection lost ({error}); trying again …")
                time.sleep(POLL_S)

    def _refuse_if_off(self) -> None:
        """Raise Failure if the machine is off; without a cloud API, nobody can tell."""


def in_words(start: dict[str, Any]) -> str:
    """Describe a model's start in brackets, to stand behind a word."""
    words = describe_start(start)
    return f" ({words})" if words else ""
