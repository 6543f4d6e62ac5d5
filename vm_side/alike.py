"""Files whose pages all fail alike: after some dozens the rest is not tried, and gets one record.

A few bytes can claim to be a million pages. Each one would be opened and reported every night.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field

from contract import FAILED
from read_page import Settings, Task, failed_record
from results.manifest import Key, Record
from results.pages import Page

MOST_ALIKE = 40  # pages of one file in a row that could not be opened for the same reason
NUMBER = re.compile(r"[0-9][0-9,.]*")


@dataclass
class Alike:
    """Counts how the pages of each file fail."""

    last: dict[str, tuple[str, int]] = field(default_factory=dict)
    """By file: how its last page failed, and how many pages in a row failed like that."""
    given_up: set[str] = field(default_factory=set)
    seen: set[Key] = field(default_factory=set)
    told: set[Key] = field(default_factory=set)
    """Pages that the record of another page covers."""

    def count(self, record: Record) -> None:
        """Look at a page that was tried. Only a failure to open it counts: the file's own fault."""
        self.seen.add(record.key)
        name = record.input
        if record.pdf_page is None or record.status != FAILED or record.original_size:
            self.last.pop(name, None)
            return
        how = NUMBER.sub("#", record.reason)
        before, times = self.last.get(name, ("", 0))
        self.last[name] = (how, times + 1 if how == before else 1)
        if self.last[name][1] >= MOST_ALIKE:
            self.given_up.add(name)

    def is_wanted(self, task: Task) -> bool:
        """Whether the task's file has not been given up."""
        return task.page.input not in self.given_up

    def rest(self, tasks: Iterable[Task], settings: Settings) -> list[Record]:
        """Return one record for each file that was given up. It covers the pages not tried yet."""
        files: dict[str, list[Task]] = {}
        for task in tasks:
            if not self.is_wanted(task) and task.page.key not in self.seen:
                files.setdefault(task.page.input, []).append(task)
        self.told = {task.page.key for rest in files.values() for task in rest[1:]}
        return [
            failed_record(rest[0], f"{which(rest)}: not tried, as the ones before failed", settings)
            for rest in files.values()
        ]

    def without_rest(self, pages: Iterable[Page]) -> list[Page]:
        """Return the pages that have a record of their own."""
        return [page for page in pages if page.key not in self.told]


def which(tasks: list[Task]) -> str:
    """Say which pages of one file these are, for people."""
    numbers = [task.page.pdf_page or 0 for task in tasks]
    first, last = min(numbers), max(numbers)
    return f"page {first:,}" if first == last else f"pages {first:,} to {last:,}"
