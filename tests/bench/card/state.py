"""The folder that keeps a bench's state: the looks of each part, and the machine.

May import: bench.card.
"""

import json
import shutil
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from bench.card.looks import Look, read_looks, write_looks
from bench.card.table import Machine, Start


class Mixed(Exception):
    """The folder holds runs of another machine; the message says which, and what to do."""


@dataclass(frozen=True)
class State:
    """The folder; parts are found by name."""

    folder: Path

    def machine(self) -> Machine | None:
        """The machine that was measured; None before the first start."""
        path = self.folder / "machine.json"
        return Machine(**json.loads(path.read_text())) if path.exists() else None

    def starts(self) -> list[Start]:
        """All starts of the server."""
        path = self.folder / "starts.jsonl"
        return [Start(**json.loads(line)) for line in path.read_text().splitlines()]

    def check(self, card: str, commit: str) -> None:
        """Raises Mixed if the folder is of another card or commit, before a server is started."""
        if before := self.machine():
            self._refuse_other(replace(before, card=card, commit=commit))

    def keep_start(self, machine: Machine, start: Start) -> None:
        """Note a start of the server. Raises Mixed if earlier starts were on another machine."""
        self._refuse_other(machine)
        self.folder.mkdir(parents=True, exist_ok=True)
        with (self.folder / "starts.jsonl").open("a") as file:
            file.write(json.dumps(asdict(start)) + "\n")
        (self.folder / "machine.json").write_text(json.dumps(asdict(machine), indent=1))

    def _refuse_other(self, machine: Machine) -> None:
        before = self.machine()
        if before not in (None, machine):
            raise Mixed(
                f"{self.folder} has runs of {before}, and this is {machine}: name another --folder"
            )

    def looks(self) -> dict[str, list[Look]]:
        """The looks of the latest run of every part."""
        paths = sorted((self.folder / "runs").glob("*.jsonl"))
        return {path.stem: read_looks(path) for path in paths}

    def keep_looks(self, part: str, looks: list[Look]) -> None:
        path = self.folder / "runs" / f"{part}.jsonl"
        path.parent.mkdir(parents=True, exist_ok=True)
        write_looks(looks, path.with_suffix(".part"))
        path.with_suffix(".part").rename(path)

    def made(self, name: str, make: Callable[[Path], None]) -> Path:
        """A folder inside it that is made only once, and completely."""
        path = self.folder / name
        if not path.exists():
            part = path.with_suffix(".part")
            shutil.rmtree(part, ignore_errors=True)
            make(part)
            part.rename(path)
        return path
