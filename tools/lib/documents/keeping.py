"""Manage OUTPUT/documents/: which files are ours, what they were made of, and how new ones come in.

A file is ours as long as it is as we wrote it. A file that somebody changed or put there is never
lost: if a new one takes its place, it is kept next to it as name.old; otherwise it stays.
"""

import contextlib
import json
import os
import shutil
import tempfile
from collections.abc import Collection, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path, PurePosixPath

from lib import files
from lib.alone import alone_in
from lib.console import Failure
from lib.documents.document import file_name
from lib.results import is_below, read_text
from lib.standing import set_aside

STATE = ".made.jsonl"
MAKING = ".making-"  # prefix of the folder in which new documents are made

Key = tuple[str, str]  # a document's path, and its format


@dataclass(frozen=True)
class Made:
    """A line of the state: one document in one format, and its files with their SHA-256.

    A line without a fingerprint was written before the files were put in place: the files are ours,
    but the document must be made again.
    """

    document: str
    format: str
    files: dict[str, str]
    fingerprint: str = ""
    with_input: bool = False
    """Whether INPUT's files were there when it was made."""
    missing: int = 0
    """How many of its pages are missing in it."""

    @property
    def key(self) -> Key:
        """What identifies it."""
        return self.document, self.format

    @property
    def parent(self) -> PurePosixPath:
        """The folder that its files are in, below documents/."""
        return PurePosixPath(self.document).parent


class Kept:
    """The folder of documents while we write in it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.made: dict[Key, Made] = {}
        self.set_aside: list[str] = []
        """Files that somebody changed or put there: they are kept next to the new ones."""
        self.left: list[str] = []
        """Files that somebody changed, and that are no longer made: they stay."""
        self.removed: list[str] = []
        self._ours: dict[str, set[str]] = {}  # file name -> SHA-256 of each version that we wrote
        self._owners: dict[str, Key] = {}
        self._lines = read_text(folder / STATE).splitlines()
        for made in filter(None, map(read_line, self._lines)):
            self._note(made)

    def is_current(self, wanted: Made, uses_input: bool) -> bool:
        """Whether a document is there, made of the same content.

        If it uses INPUT, and INPUT is there now, it must have been there when it was made.
        """
        made = self.made.get(wanted.key)
        return (
            made is not None
            and made.fingerprint == wanted.fingerprint
            and (made.with_input or not (uses_input and wanted.with_input))
            and all((self.folder / name).is_file() for name in made.files)
        )

    def put(self, made: Made, source: Path) -> None:
        """Move the files that were made in the folder `source` to their places. Raises OSError."""
        if astray := files.leading_out(self.folder, made.files):
            raise OSError(f"a link in {self.folder.name}/ leads out of it: {min(astray)}")
        if both := [name for name in made.files if self._owners.get(name, made.key) != made.key]:
            raise OSError(f"{both[0]} is another document's")
        came = {name: source / PurePosixPath(name).relative_to(made.parent) for name in made.files}
        for path in came.values():
            files.sync(path)
        before = self.made.get(made.key)
        about = {**(before.files if before else {}), **made.files}
        self._append(Made(made.document, made.format, about))
        for name in made.files:
            place = self.folder / name
            place.parent.mkdir(parents=True, exist_ok=True)
            if place.is_symlink() or files.sha256_or_none(place) not in {None, *self._ours[name]}:
                self.set_aside.append(set_aside(place).relative_to(self.folder).as_posix())
            came[name].replace(place)
        self._remove(set(about) - set(made.files))
        self._append(made)

    def drop_others(self, documents: Collection[str]) -> None:
        """Remove the files that we made for documents that no longer exist."""
        for key, made in list(self.made.items()):
            if made.document not in documents:
                self._remove(made.files)
                del self.made[key]

    def _remove(self, names: Collection[str]) -> None:
        """Remove the files that are still as we wrote them, and the folders that become empty."""
        astray = files.leading_out(self.folder, names)
        for name in names:
            place = self.folder / name
            if name in astray or place.is_symlink() or not place.is_file():
                continue
            if files.sha256_of(place) not in self._ours[name]:
                self.left.append(name)
                continue
            place.unlink()
            self._owners.pop(name, None)
            self.removed.append(name)
            for above in list(place.relative_to(self.folder).parents)[:-1]:
                with contextlib.suppress(OSError):  # something is still in it
                    (self.folder / above).rmdir()

    def _note(self, made: Made) -> None:
        self.made[made.key] = made
        for name, sha256 in made.files.items():
            self._ours.setdefault(name, set()).add(sha256)
            self._owners[name] = made.key

    def _append(self, made: Made) -> None:
        """Append a line to the state, so that it survives a power cut."""
        line = json.dumps(asdict(made))
        with (self.folder / STATE).open("a", encoding="utf-8") as file:
            file.write(f"{line}\n")
            file.flush()
            os.fsync(file.fileno())
        self._lines.append(line)
        self._note(made)

    def all_made(self) -> list[Made]:
        """Return what was made, sorted by name, so that the order of making does not matter."""
        return [self.made[key] for key in sorted(self.made)]

    def close(self) -> None:
        """Write the state with a line for each document in each format."""
        lines = [json.dumps(asdict(made)) for made in self.all_made()]
        if lines != self._lines:
            files.write_whole(
                self.folder / STATE, "".join(f"{line}\n" for line in lines), durable=True
            )


def read_line(text: str) -> Made | None:
    """Read a line of the state; None if it is cut, or cannot be ours."""
    try:
        made = Made(**json.loads(text))
        names = {**made.files}
        words = [made.document, made.format, made.fingerprint, *names, *names.values()]
        is_ours = all(isinstance(word, str) for word in words) and all(map(is_below, names))
    except (ValueError, TypeError, RecursionError):
        return None
    return made if is_ours and type(made.missing) is int else None


def files_in(folder: Path, document: str) -> dict[str, str]:
    """Return the files made in a folder: path below documents/ -> SHA-256. Raises ValueError."""
    name, parent, found = file_name(document), PurePosixPath(document).parent, dict[str, str]()
    for path in sorted(folder.rglob("*")):
        below = path.relative_to(folder)
        if path.is_dir() and not path.is_symlink():
            continue
        is_named = below.parts[0] == f"{name}_files" or (
            len(below.parts) == 1 and below.name.startswith(f"{name}.")
        )
        if path.is_symlink() or not path.is_file() or not is_named:
            raise ValueError(f"it has a file that is not its own: {below}")
        found[(parent / below.as_posix()).as_posix()] = files.sha256_of(path)
    return found


@contextlib.contextmanager
def opened(folder: Path) -> Iterator[tuple[Kept, Path]]:
    """Open the folder of documents for this process alone, and make a folder in it to work in.

    Raises Failure if it leads out of OUTPUT, or if another export is running.
    """
    folder.mkdir(exist_ok=True)
    if not folder.resolve().is_relative_to(folder.parent.resolve()):
        raise Failure(f"{folder} is a link that leads out of OUTPUT", "remove it")
    with alone_in(folder, patience_s=0):
        refuse_odd(folder)
        for path in folder.glob(f"{MAKING}*"):  # left by an export that was killed
            if path.is_dir() and not path.is_symlink():
                shutil.rmtree(path)
        kept = Kept(folder)
        with tempfile.TemporaryDirectory(prefix=MAKING, dir=folder) as making:
            yield kept, Path(making)
        kept.close()


def refuse_odd(folder: Path) -> None:
    """Refuse a state file that is a link or a pipe: a link would make us write elsewhere, a pipe
    would make us wait. Raises Failure.
    """
    for path in (folder / STATE, folder / f"{STATE}{files.PART}"):
        if path.is_symlink() or (path.exists() and not path.is_file()):
            raise Failure(f"{path} is not a file that we made, but a link or a pipe", "remove it")
