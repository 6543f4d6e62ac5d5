"""What make all measured: one line for each run, in OUTPUT, for the plan of the next such run."""

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
LARGEST = 1e13  # no number of a run may be larger
PLACES = {"gcp": "machine_type", "ssh": "ssh_host", "local": "endpoint"}


@dataclass(frozen=True)
class Run:
    """One run. reading_s is the job's own time; steps_s has the time of each verb, also of stop.

    size_bytes is the size of the files with pages to read; tokens is the mean length of an answer.
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
        """Seconds from the turn-on to the first page; over ssh, the upload is part of them."""
        waited_s = self.steps_s.get("process", 0.0) - self.reading_s
        loaded_s = waited_s + (0.0 if self.bucket else self.steps_s.get("upload", 0.0))
        return self.steps_s.get("start", 0.0) + max(0.0, loaded_s)

    @property
    def end_s(self) -> float:
        """Seconds from the last page until the machine is off, without the download."""
        return self.steps_s.get("stop", 0.0)

    def write(self, output: Path) -> None:
        """Add it to the runs in OUTPUT."""
        with (output / RUNS).open("a", encoding="utf-8") as file:
            file.write(json.dumps(dataclasses.asdict(self), ensure_ascii=False) + "\n")

    def __str__(self) -> str:
        when = time.strftime("%Y-%m-%d %H:%M", time.localtime(self.ended_at))
        rate = f"{self.pages / self.reading_s:.2f} pages/s"
        return f"the run of {when}: {self.pages:,} pages, {rate}, {self.model}"


def place_of(knobs: Knobs) -> str:
    """Where the pages are read: the part of it that decides the rate."""
    return str(getattr(knobs, PLACES[knobs.target]))


def is_of_kind(run: Run, knobs: Knobs) -> bool:
    """Whether a run shows how fast the next one will be: same place, model and recipe."""
    return (
        (run.target, run.place) == (knobs.target, place_of(knobs))
        and knobs.model in ("", run.model)
        and dict(run.settings) == recipe_of(knobs)
    )


def last_of_kind(output: Path, knobs: Knobs) -> Run | None:
    """The last run of this kind in OUTPUT; None if there was none."""
    runs = runs_in(read_text(output / RUNS).split("\n"))
    return next((run for run in reversed(runs) if is_of_kind(run, knobs)), None)


def runs_in(lines: Iterable[str]) -> list[Run]:
    """Read the runs from the lines. Lines that are not a whole, sound run are skipped."""
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
    """Whether the numbers can be true. They come from a machine, so they are not trusted."""
    counts = (run.pages, run.machines)
    numbers = (run.reading_s, run.tokens, run.size_bytes, run.ended_at, *run.steps_s.values())
    return (
        isinstance(run.settings, dict)
        and all(isinstance(value, str | int | float) for value in run.settings.values())
        and all(1 <= count <= LARGEST for count in counts)
        and all(0 <= number <= LARGEST for number in numbers)
        and run.reading_s > 0
    )
