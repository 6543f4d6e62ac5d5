"""Who owns a machine's folders: we mirror and delete only in folders that are provably ours.

A folder that we made, found empty or were told to take gets a mark, which lies outside of it.
Earlier versions of ours made no marks: where one has worked, the files that it left are ours.
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
UNLISTED = "what cannot be listed"  # counts as a file: the folder may not be empty


class Folders(NamedTuple):
    """The folder with the pages, and the folder with their results, on a machine or in a bucket."""

    input: str
    result: str


def folders() -> Folders:
    """Return our folders. A trial has its own: it must not delete a run's pages and results."""
    prefix = TRIAL if os.environ.get(TRIAL_VARIABLE) else ""
    return Folders(prefix + INPUT, prefix + RESULT)


@dataclass(frozen=True)
class Found:
    """A folder without a mark: its files, and whether an earlier version of ours worked there."""

    names: Collection[str] = ()
    was_used: bool = False


class Ground(Protocol):
    """The place where a machine's folders and their marks are."""

    name: str

    @property
    def folders(self) -> Collection[str]:
        """Their names."""

    def marked(self) -> set[str]:
        """Return the folders with a mark that is for the folder that is there now."""

    def find(self, folder: str) -> Found:
        """Return what is known about a folder; without files if it does not exist."""

    def mark(self, folders: Collection[str]) -> None:
        """Make these folders, if they do not exist, and their marks."""


def foreign(folder: str, found: Found) -> int:
    """Return how many files of a folder without a mark are not provably ours.

    The input was a mirror: an earlier version that worked there left only pages in it.
    """
    if not found.was_used or folder not in (INPUT, RESULT, CODE):
        return len(found.names)
    if folder != INPUT:
        return 0
    return sum(not is_page_file(PurePosixPath(name).name) for name in found.names)


def claim(ground: Ground, needed: Collection[str], take: bool) -> set[str]:
    """Mark and return the folders that are ours. Raises Failure if a needed one is not.

    take: the needed ones become ours, whatever they hold.
    """
    ours = ground.marked()
    counts = {name: foreign(name, ground.find(name)) for name in ground.folders if name not in ours}
    new = {name for name, count in counts.items() if not count or (take and name in needed)}
    if new:  # all at once: after the first mark, an earlier version does not count any more
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
        """See Ground."""
        return {name for name in self.folders if self._mark_of(name) == self._identity(name) != ""}

    def find(self, folder: str) -> Found:
        """See Ground."""
        unlisted: list[OSError] = []
        names: list[str] = []
        for below, folders, files in os.walk(self._root / folder, onerror=unlisted.append):
            names += files + [name for name in folders if Path(below, name).is_symlink()]
        if (self._root / folder).exists() and unlisted:
            names.append(UNLISTED)
        return Found(names, self._was_used and not self._marks.exists())

    def mark(self, folders: Iterable[str]) -> None:
        """See Ground."""
        self._marks.mkdir(parents=True, exist_ok=True)
        for name in folders:
            (self._root / name).mkdir(exist_ok=True)
            write_whole(self._marks / name, self._identity(name))

    def _mark_of(self, name: str) -> str:
        path = self._marks / name
        return path.read_text(encoding="utf-8") if path.is_file() else ""

    def _identity(self, name: str) -> str:
        """Return an id of the folder that is there now: one that was made again is another."""
        path = self._root / name
        return str(path.stat().st_ino) if path.is_dir() else ""
