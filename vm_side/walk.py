"""Find the files below an input folder: pages, and files that are not read. Used by both sides."""

import os
import re
import unicodedata
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from contract import DRAWING_ENDING, RESULT_ENDINGS, is_page_file
from picture_files import page_of_picture

HIDDEN, RESULTS, NO_ENDING = "hidden", "folder of results", "without ending"
OF_RESULTS = "picture of results"
BROKEN = "link to nothing"  # perhaps to a folder that is not mounted now
UNOPENED = "that cannot be opened"  # files with a page's name; each is also reported by name
BEYOND = "beyond PAGES"  # files without any wanted page
ENDING = re.compile(r"\.\w{1,8}")
KINDS_TOLD = 8


def one_form(name: str) -> str:
    """Return a name as Windows writes it (NFC). A Mac splits Korean syllables and accents."""
    return unicodedata.normalize("NFC", name)


def natural(path: str) -> list[tuple[int, int, str]]:
    """Return a sort key in which digits count as numbers."""
    parts = re.split(r"([0-9]+)", one_form(path))
    return [(0, int(part), "") if part.isdecimal() else (1, 0, part) for part in parts if part]


def as_on_disk(path: Path) -> Path:
    """Return the path as it is on the disk, where names may have the other Unicode form."""
    if path.exists() or path == path.parent:
        return path
    parent = as_on_disk(path.parent)
    try:
        alike = [other for other in parent.iterdir() if one_form(other.name) == one_form(path.name)]
    except OSError:
        alike = []
    return alike[0] if len(alike) == 1 else parent / path.name


@dataclass
class Found:
    """The page files below a folder (relative, with /), and the number of other files by kind."""

    files: list[str] = field(default_factory=list)
    not_read: Counter[str] = field(default_factory=Counter)

    def take(self, path: str, has: Callable[[str], bool]) -> None:
        """Take a file, a page's or another. has() tells whether a file of this path exists."""
        name = PurePosixPath(path).name
        if is_of_results(path, has):
            self.not_read[OF_RESULTS] += 1
        elif is_page_file(name):
            self.files.append(path)
        else:
            self.not_read[kind_of(name)] += 1


def is_of_results(path: str, has: Callable[[str], bool]) -> bool:
    """Whether a file is a picture or a drawing that belongs to results beside it."""
    place = PurePosixPath(path)
    is_named_so = bool(place.parent.name) and place.name.startswith(place.parent.name)
    drawn = path.removesuffix(DRAWING_ENDING) if is_named_so else path
    page = page_of_picture(path) or (drawn if drawn != path else "")
    return bool(page) and all(has(page + ending) for ending in RESULT_ENDINGS)


def look_below(
    root: Path, refuse: Callable[[str, OSError], None], results: Path | None = None
) -> Found:
    """Find all files below root. Links to folders are followed; each real folder is read once.

    Real folders of root come before those that links lead to. refuse() is called for a folder that
    cannot be listed. A hidden folder, or one that holds the results, counts as one file.
    """
    found = Found()
    seen = set[str]()
    folders, links = [(os.path.realpath(root), "")], list[tuple[str, str]]()
    if results and Path(folders[0][0]).is_relative_to(results):
        results = None  # the input itself lies below the results folder
    while folders or links:
        real, below = folders.pop() if folders else links.pop(0)
        if real in seen:
            continue
        seen.add(real)
        if results and Path(real).is_relative_to(results):
            found.not_read[RESULTS] += 1
            continue
        try:
            with os.scandir(root / below) as scan:
                entries = sorted(scan, key=lambda entry: entry.name)
        except OSError as error:
            refuse(below or ".", error)
            continue
        for entry in entries:
            path = f"{below}/{entry.name}" if below else entry.name
            if entry.name.startswith("."):
                found.not_read[HIDDEN] += 1
            elif is_broken(entry) and not is_page_file(entry.name):
                found.not_read[BROKEN] += 1
            elif not is_folder(entry):
                found.take(path, lambda name: (root / name).is_file())
            elif entry.is_symlink():
                links.append((os.path.realpath(entry.path), path))
            else:
                folders.append((f"{real}/{entry.name}", path))
    return found


def is_folder(entry: "os.DirEntry[str]") -> bool:
    """Whether it is a folder, or a link to one. A link in a circle is not."""
    try:
        return entry.is_dir()
    except OSError:
        return False


def is_broken(entry: "os.DirEntry[str]") -> bool:
    """Whether it is a link that leads to nothing, or that runs in a circle."""
    if not entry.is_symlink():
        return False
    try:
        entry.stat()
    except OSError:
        return True
    return False


def kind_of(name: str) -> str:
    """Return the kind of a file that is not read: hidden, its ending, or without ending."""
    if name.startswith("."):
        return HIDDEN
    ending = PurePosixPath(name).suffix.lower()
    return ending if ENDING.fullmatch(ending) else NO_ENDING


def told(not_read: Mapping[str, int]) -> str:
    """Say for people what is not read: "not read: 2 .docx, 1 .txt"; empty if there is nothing.

    Hidden files are not pages of anybody: if there are only such files, nothing is said.
    """
    if not set(not_read) - {HIDDEN}:
        return ""
    kinds = sorted(not_read.items(), key=lambda item: (-item[1], item[0]))
    parts = [f"{count:,} {kind}" for kind, count in kinds[:KINDS_TOLD]]
    if rest := kinds[KINDS_TOLD:]:
        parts.append(f"{sum(count for _, count in rest):,} of {len(rest)} more kinds")
    return f"not read: {', '.join(parts)}"
