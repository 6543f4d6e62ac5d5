"""What all machines have in common, whatever they are.

A machine has a folder `input`, a folder `result`, a copy of vm_side/ and a model server.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from lib.console import Failure
from lib.files import Put
from lib.inputs import Inputs

CHANGED = "changed while it was copied; run again"  # why a file has failed


class NoSuchMachine(Failure):
    """There is no machine of this name."""


@dataclass
class Moved:
    """The result of an upload or a download: numbers of files, and the reason for each failure."""

    new: int = 0
    same: int = 0
    removed: int = 0
    failed: dict[str, str] = field(default_factory=dict)


class Machine(Protocol):
    """One machine. Every method can be called twice; all raise Failure with the next step."""

    def start(self) -> None:
        """Turn it on, bring vm_side/ over, and start the model server without waiting for it."""

    def build_image(self) -> None:
        """Turn it on, and build the model server's image on it."""

    def stop(self) -> None:
        """Turn it off, and return when nothing bills any more."""

    def alarm(self, since: float | None = None) -> str:
        """Return what may still bill after a failed stop, and how to end it; empty if nothing does.

        since is when we turned it on, as Unix time, if we did.
        """

    def on_since(self) -> float | None:
        """Return since when it is on (Unix time), by the last look; None if off or not known."""

    def left_on(self) -> str:
        """Look once; return what bills now, and how to end it; empty if nothing does."""

    def status(self) -> dict[str, Any]:
        """Return what is known about it, by name; also while it is off."""

    def push(self, inputs: Inputs) -> Moved:
        """Make the machine's input an exact mirror of these files."""

    def wait_until_ready(self, timeout_s: float) -> None:
        """Return when the model answers; the Failure quotes the model's log."""

    def run(
        self, arguments: Sequence[str], now_and_then: Callable[[], None], checks: str = ""
    ) -> int:
        """Run process_all_images.py on its input and result folders; return its exit code.

        If the job runs elsewhere, now_and_then is called while we follow it. checks holds the
        second reader's findings that it needs: see its option --checks.
        """

    def read_result(self, name: str) -> str:
        """Return the text of one file of its results; nothing if there is none."""

    def pull(self, names: Iterable[str], folder: Path, put: Put) -> Moved:
        """Fetch these files of its results into a folder, in this order, each whole or not at all.

        put takes each file that has come and differs from the one that is there.
        """

    def clean(self) -> None:
        """Empty its input and result folders."""

    def logs(self) -> int:
        """Follow its log in our terminal; return the exit code."""

    def read_lock(self) -> str:
        """See lib.machines.lock."""

    def swap_lock(self, old: str, new: str) -> bool:
        """See lib.machines.lock."""
