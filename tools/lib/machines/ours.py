"""Whose a machine's folders are: a mirror and a clean delete only in what is provably ours.

A folder that we made or found empty, or that we were told to take, gets a mark outside of it.
Earlier versions of ours made no marks: where one has worked, what it left is ours.
"""

import os
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import NamedTuple, Protocol

from contract import is_page_file
from lib.console import Failure
from lib.files import write_whole

INPUT, RESULT, CODE = "input", "result", "vm_side"
TRIAL = "trial-"  # begins the names of a trial's folders
TRIAL_VARIABLE = "DOTS_OCR_TRIAL"  # make tune hands it to its verbs: the folders are a trial's
UNLISTED = "what cannot be listed"  # counts as a file: unknown is not none


class Folders(NamedTuple):
    """Where a machine, or a bucket, has pages, and where their results."""

    input: str
    result: str


def folders() -> Folders:
    """Those of a trial are others: it must not delete the pages and results of a run."""
    prefix = TRIAL if os.environ.get(TRIAL_VARIABLE) else ""
    return Folders(prefix + INPUT, prefix + RESULT)


@dataclass(frozen=True)
class Found:
    """A folder without a mark: its files, and whether an earlier version of ours worked there."""

    names: Collection[str] = ()
    was_used: bool = False


class Ground(Protocol):
    """Where a machine's folders lie, and their marks."""

    name: str

    @property
    def folders(self) -> Collection[str]:
        """Their names."""

    def marked(self) -> set[str]:
        """The folders whose mark is of the folder that stands there."""

    def find(self, folder: str) -> Found:
        """What there is to know of a folder; without files if there is none."""

    def mark(self, folders: Collection[str]) -> None:
        """Make folders, where they are not there, and their marks."""


def foreign(folder: str, found: Found) -> int:
    """How many files of a folder without a mark are not provably ours.

    The input was a mirror: where an earlier version worked, it left nothing there but pages.
    """
    if not found.was_used or folder not in (INPUT, RESULT, CODE):
        return len(found.names)
    if folder != INPUT:
        return 0
    return sum(not is_page_file(PurePosixPath(name).name) for name in found.names)


def claim(ground: Ground, needed: Collection[str], take: bool) -> set[str]:
    """The folders that are ours, of which all that are needed. Raises Failure.

    take: the needed ones are, whatever they hold.
    """
    ours = ground.marked()
    counts = {name: foreign(name, ground.find(name)) for name in ground.folders if name not in ours}
    new = {name for name, count in counts.items() if not count or (take and name in needed)}
    if new:  # all at once: after the first mark an earlier version is no reason any more
        ground.mark(new)
    for name in needed:
        if name not in ours | new:
            raise Failure(
                f"{name} on {ground.name} holds {counts[name]} files that are not ours,"
                " and that would be deleted",
                "move them away; or TAKE=1 takes the folder over, with all that is in it",
            )
    return ours | new


class Disk:
    """The folders of a machine that is a folder of this computer."""

    def __init__(self, root: Path, project: Path) -> None:
        self.folders = (*folders(), CODE)
        self.name = str(root)
        self._root, self._marks = root, root / ".ours"
        self._was_used = (root / CODE / "contract.py").is_file() and root != project

    def marked(self) -> set[str]:
        """As Ground."""
        return {name for name in self.folders if self._mark_of(name) == self._identity(name) != ""}

    def find(self, folder: str) -> Found:
        """As Ground."""
        unlisted: list[OSError] = []
        names: list[str] = []
        for below, folders, files in os.walk(self._root / folder, onerror=unlisted.append):
            names += files + [name for name in folders if Path(below, name).is_symlink()]
        if (self._root / folder).exists() and unlisted:
            names.append(UNLISTED)
        return Found(names, self._was_used and not self._marks.exists())

    def mark(self, folders: Iterable[str]) -> None:
        """As Ground."""
        self._marks.mkdir(parents=True, exist_ok=True)
        for name in folders:
            (self._root / name).mkdir(exist_ok=True)
            write_whole(self._marks / name, self._identity(name))

    def _mark_of(self, name: str) -> str:
        path = self._marks / name
        return path.read_text(encoding="utf-8") if path.is_file() else ""

    def _identity(self, name: str) -> str:
        """Of the folder that stands there: one that was made again is another."""
        path = self._root / name
        return str(path.stat().st_ino) if path.is_dir() else ""
