"""What is in OUTPUT, and what becomes of it when something newer comes.

Nothing that somebody could miss is destroyed. What a person changed, and what a page of another
input file left here under the same name, is kept next to the new file, as name.old.
"""

import enum
import json
from collections.abc import Iterable
from pathlib import Path
from types import TracebackType
from typing import Self

from contract import CORRECTED, DONE, DRAWING_ENDING, RESULT_ENDINGS
from lib import files
from lib.console import printable, say
from lib.results import Line, stands
from picture_files import page_of_picture, picture_paths

CONTENT = "of"  # a key in `brought`: the SHA-256 of the input file that was read
DIGITS = 16  # of a result's SHA-256: enough to see that somebody changed it
OLD = ".old"
JSON = ".json"
ENDINGS = (*sorted(RESULT_ENDINGS, key=len, reverse=True), DRAWING_ENDING)


class Fate(enum.Enum):
    """What becomes of a file in OUTPUT when a new file of the same name comes."""

    REPLACED = "it is what we brought, and the new one is a newer reading"
    KEPT_BESIDE = "somebody may miss it"
    STAYS = "somebody changed it, and what comes is what was changed"


def fate(comes: str, stands_now: str, brought: str, is_of_another: bool) -> Fate:
    """Decide the fate by SHA-256. brought is the one that we brought last; empty if not known.

    is_of_another: the old file was read from other content than the new one.
    """
    if comes == stands_now:
        return Fate.REPLACED
    if comes == brought:
        return Fate.STAYS
    if stands_now == brought and not is_of_another:
        return Fate.REPLACED
    return Fate.KEPT_BESIDE


class Standing:
    """The results in OUTPUT, while a machine's results are added to them."""

    def __init__(self, output: Path, ours: Iterable[Line], theirs: Iterable[Line]) -> None:
        self.output = output
        self._ours = {line.page: line for line in sorted(ours, key=lambda one: one.status in DONE)}
        self._theirs = {line.page: line for line in theirs if line.status in DONE}
        self._broken: set[str] = set()  # pages with a broken JSON
        self._aside: list[str] = []
        self._parted: set[str] = set()  # pages with a file that was set aside
        self._came: dict[str, str] = {}  # by name: the hash of each file that has come

    def put(self, part: Path, name: str) -> str:
        """Put a complete new file in place; return why not, or nothing. JSON must come first."""
        page = page_of(name)
        if name.endswith(JSON) and (fault := fault_of(part)):
            self._broken.add(page)
            return fault
        if page in self._broken:
            return "its JSON is not a result"
        if not (part.stat().st_size or may_be_empty(name)):
            return "empty: no picture"
        place, comes = self.output / name, files.sha256_of(part)[:DIGITS]
        if stands(place):
            what = self._fate(part, name, page, comes)
            if what is Fate.STAYS:
                self._came[name] = comes
                return ""
            if what is Fate.KEPT_BESIDE:
                self.set_aside(name)
                self._parted.add(page)
            files.sync(part)
        part.replace(place)
        self._came[name] = comes
        return ""

    def drop(self, pages: Iterable[str]) -> None:
        """Set aside the files of pages that no longer exist."""
        for page in pages:
            for name in (*(page + ending for ending in ENDINGS), *self._pictures(page)):
                if stands(self.output / name):
                    self.set_aside(name)

    def shed(self, lines: Iterable[Line]) -> None:
        """Remove pictures that the pages of these lines had before and no longer have.

        A picture that somebody changed is set aside. If a page's old text was set aside, its old
        pictures stay, because they belong to that text.
        """
        for line in lines:
            if line.status not in DONE or line.page in self._parted:
                continue
            for name in set(self._pictures(line.page)) - set(line.files(images=True)):
                if not stands(self.output / name):
                    continue
                brought = self._ours[line.page].brought.get(key_of(name))
                if files.sha256_of(self.output / name)[:DIGITS] == brought:
                    (self.output / name).unlink()
                else:
                    self.set_aside(name)

    def _pictures(self, page: str) -> list[str]:
        """Return the picture files that a page has here, or had before it failed."""
        old = self._ours.get(page)
        return picture_paths(page, [*old.pictures, *old.brought]) if old else []

    def set_aside(self, name: str) -> None:
        """Keep a file next to its place, under a free name, and remember that for tell()."""
        self._aside.append(set_aside(self.output / name).relative_to(self.output).as_posix())

    def tell(self) -> None:
        """Say what was set aside, also if nobody watches, because it is no longer a result."""
        if not self._aside:
            return
        more = f" and {len(self._aside) - 1} more" if len(self._aside) > 1 else ""
        say(
            f"OUTPUT: kept next to what is new: {printable(self._aside[0])}{more}"
            " (changed by hand, or of a page that was another)"
        )

    def stamped(self, line: Line) -> Line:
        """Return a line with the hashes of its files as they came, maybe before it failed."""
        old = self._ours.get(line.page)
        if line.status not in DONE:
            return line.with_brought(old.brought if old else {})
        before = old.brought if old and old.said == line.text else {}
        stamp = {CONTENT: line.sha256}
        for name in line.files(images=True):
            key = key_of(name)
            if name in self._came:
                stamp[key] = self._came[name]
            elif key in before:
                stamp[key] = before[key]
            elif stands(self.output / name):  # it is the same as the machine's
                stamp[key] = files.sha256_of(self.output / name)[:DIGITS]
        return line.with_brought(stamp)

    def _fate(self, part: Path, name: str, page: str, comes: str) -> Fate:
        """Decide what becomes of a file that exists."""
        place, old, new = self.output / name, self._ours.get(page), self._theirs.get(page)
        brought = ""
        is_of_another = False
        if old and new:
            content = old.brought.get(CONTENT, old.sha256 if old.status in DONE else "")
            is_of_another = bool(content) and new.sha256 not in ("", content)
            is_known = not old.brought and old.said == new.text  # an older version wrote no hashes
            brought = comes if is_known else old.brought.get(key_of(name), "")
            if old.status == CORRECTED:  # set all of its files aside, or none
                brought = ""
        what = fate(comes, files.sha256_of(place)[:DIGITS], brought, is_of_another)
        is_torn = name.endswith(JSON) and fault_of(place)
        is_emptied = place.stat().st_size and not part.stat().st_size
        return Fate.KEPT_BESIDE if is_emptied or (is_torn and what is Fate.STAYS) else what

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.tell()


def page_of(name: str) -> str:
    """Return the page that a result file belongs to."""
    page = page_of_picture(name)
    return page or next((name.removesuffix(end) for end in ENDINGS if name.endswith(end)), name)


def key_of(name: str) -> str:
    """Return the key of a file in a page's `brought`: its ending, or a picture's name."""
    is_picture = bool(page_of_picture(name))
    return name.rpartition("/")[2] if is_picture else name.removeprefix(page_of(name))


def may_be_empty(name: str) -> bool:
    """Whether a result file may be empty: a page may have no text, but no picture is empty."""
    return name.endswith(RESULT_ENDINGS)


def set_aside(place: Path) -> Path:
    """Keep a file next to its place, under a name that no other file has; return the new path."""
    number = 1
    while (beside := old_name(place, number)).exists() and not files.is_same(place, beside):
        number += 1
    return place.replace(beside)


def old_name(path: Path, number: int) -> Path:
    """Return where a file is set aside: name.old, name.old2 …"""
    return path.with_name(f"{path.name}{OLD}{number if number > 1 else ''}")


def is_whole(output: Path, line: Line) -> bool:
    """Whether the files of a page that is done are here, and its JSON is sound."""
    is_here = all(stands(output / name) for name in line.files(images=False))
    return is_here and not fault_of(output / (line.page + JSON))


def fault_of(path: Path) -> str:
    """Return why a page's JSON is no result, or nothing: a power cut may empty or tear a file."""
    try:
        cells = json.loads(path.read_bytes())
    except (ValueError, RecursionError):
        return "not JSON: not a result" if path.stat().st_size else "empty: not a result"
    return "" if isinstance(cells, list) else "not a list of cells: not a result"
