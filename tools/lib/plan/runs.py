"""What make all has measured: a line a run in OUTPUT, for the plan of the next one of its kind."""

import dataclasses
import json
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from contract import recipe_of
from lib.knobs import Knobs
from lib.results import read_text

RUNS = ".runs.jsonl"
LARGEST = 1e13  # of any of a run's numbers
PLACES = {"gcp": "machine_type", "ssh": "ssh_host", "local": "endpoint"}


@dataclass(frozen=True)
class Run:
    """One run. reading_s is the job's own time, steps_s that of each verb, the stop's too.

    size_bytes is that of the files whose pages were to be read; tokens is an answer's, on average.
    """

    target: str
    place: str
    """The machine's type (gcp), the host (ssh), or the endpoint (local)."""
    bucket: bool
    machines: int
    model: str
    settings: Mapping[str, Any]
    pages: int
    tokens: float
    size_bytes: int
    reading_s: float
    ended_at: float
    steps_s: Mapping[str, float] = field(default_factory=dict)

    @property
    def start_s(self) -> float:
        """From the turn-on until the first page is read, but for an upload meanwhile."""
        waited_s = self.steps_s.get("process", 0.0) - self.reading_s
        loaded_s = waited_s + (0.0 if self.bucket else self.steps_s.get("upload", 0.0))
        return self.steps_s.get("start", 0.0) + max(0.0, loaded_s)

    @property
    def end_s(self) -> float:
        """From the last page on, until the machine is off; without the results' way home."""
        return self.steps_s.get("stop", 0.0)

    def write(self, output: Path) -> None:
        """Add it to OUTPUT's."""
        with (output / RUNS).open("a", encoding="utf-8") as file:
            file.write(json.dumps(dataclasses.asdict(self), ensure_ascii=False) + "\n")

    def __str__(self) -> str:
        when = time.strftime("%Y-%m-%d %H:%M", time.localtime(self.ended_at))
        rate = f"{self.pages / self.reading_s:.2f} pages/s"
        return f"the run of {when}: {self.pages:,} pages, {rate}, {self.model}"


def place_of(knobs: Knobs) -> str:
    """Where the pages are read, as far as that decides the rate."""
    return str(getattr(knobs, PLACES[knobs.target]))


def is_of_kind(run: Run, knobs: Knobs) -> bool:
    """Whether a run tells how fast the next one will be: the same place, model and recipe."""
    return (
        (run.target, run.place) == (knobs.target, place_of(knobs))
        and knobs.model in ("", run.model)
        and dict(run.settings) == recipe_of(knobs)
    )


def last_of_kind(output: Path, knobs: Knobs) -> Run | None:
    """The last run of this kind in OUTPUT; None: there was none."""
    runs = runs_in(read_text(output / RUNS).split("\n"))
    return next((run for run in reversed(runs) if is_of_kind(run, knobs)), None)


def runs_in(lines: Iterable[str]) -> list[Run]:
    """The lines that are whole runs."""
    found = []
    for line in lines:
        try:
            run = Run(**json.loads(line))
            if is_sound(run):
                found.append(run)
        except (ValueError, TypeError, AttributeError, RecursionError):
            continue
    return found


def is_sound(run: Run) -> bool:
    """Whether its numbers can be those of a run: they come from what a machine has said."""
    counts = (run.pages, run.machines)
    numbers = (run.reading_s, run.tokens, run.size_bytes, run.ended_at, *run.steps_s.values())
    return (
        isinstance(run.settings, dict)
        and all(isinstance(value, str | int | float) for value in run.settings.values())
        and all(1 <= count <= LARGEST for count in counts)
        and all(0 <= number <= LARGEST for number in numbers)
        and run.reading_s > 0
    )
