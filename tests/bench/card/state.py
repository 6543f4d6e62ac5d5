"""The folder in which a bench goes on: what was seen of each part, and on which machine.

May import: bench.card.
"""

import json
import shutil
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from bench.card.looks import Look, read_looks, write_looks
from bench.card.table import Machine

STARTS = ("ready_s", "first_answer_s")


class Mixed(Exception):
    """The folder holds runs of something else; the message says of what, and what to do."""


@dataclass(frozen=True)
class State:
    """The folder; parts are by name."""

    folder: Path

    def machine(self) -> Machine | None:
        """None before the first start."""
        path = self.folder / "machine.json"
        if not path.exists():
            return None
        said = json.loads(path.read_text())
        starts = {name: tuple(said[name]) for name in STARTS}
        return Machine(**(said | starts))

    def keep_machine(self, machine: Machine) -> Machine:
        """Note a start of the server; with those before. Raises Mixed if that was another one."""
        if before := self.machine():
            known = replace(
                machine,
                date=before.date,
                ready_s=before.ready_s,
                first_answer_s=before.first_answer_s,
            )
            if known != before:
                raise Mixed(
                    f"{self.folder} has runs of {before}, and this is {machine}: name another"
                    " --folder"
                )
            machine = replace(
                before,
                ready_s=before.ready_s + machine.ready_s,
                first_answer_s=before.first_answer_s + machine.first_answer_s,
            )
        self.folder.mkdir(parents=True, exist_ok=True)
        (self.folder / "machine.json").write_text(json.dumps(asdict(machine), indent=1))
        return machine

    def looks(self) -> dict[str, list[Look]]:
        """Of every part that was run, the latest run's."""
        paths = sorted((self.folder / "runs").glob("*.jsonl"))
        return {path.stem: read_looks(path) for path in paths}

    def keep_looks(self, part: str, looks: list[Look]) -> None:
        path = self.folder / "runs" / f"{part}.jsonl"
        path.parent.mkdir(parents=True, exist_ok=True)
        write_looks(looks, path.with_suffix(".part"))
        path.with_suffix(".part").rename(path)

    def made(self, name: str, make: Callable[[Path], None]) -> Path:
        """A folder in it that is made once, and whole."""
        path = self.folder / name
        if not path.exists():
            part = path.with_suffix(".part")
            shutil.rmtree(part, ignore_errors=True)
            make(part)
            part.rename(path)
        return path
