"""Which pages of INPUT are left to read, by the manifest that is here.

This is quick, but not certain: a file that is older than its results is assumed to be the one that
was read. make all itself compares only contents: lib.todo here, vm_side/todo.py on the machine.
"""

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from contract import (
    MANIFEST,
    PICTURES,
    is_read,
    is_to_be_read_again,
    recipe_of,
)
from lib import results
from lib.files import sha256_or_none
from lib.inputs import Inputs
from lib.knobs import Knobs, pdf_password
from lib.plan.counting import Counter, count_all
from lib.results import Line
from lib.todo import model_of
from wanted_pages import Selection, selection_from

BYTES_PER_GB = 1e9
MOST_PAGES = 10**8  # of a file: a larger number in a manifest is not a real count


@dataclass(frozen=True)
class Left:
    """How many pages are left to read, and how many are done.

    size_bytes: of the files that have pages to read. uncounted: how many files have an unknown
    number of pages; each of them counts as one page.
    """

    pages: int
    done: int = 0
    size_bytes: int = 0
    uncounted: int = 0

    @property
    def gb(self) -> float:
        """The size in GB."""
        return self.size_bytes / BYTES_PER_GB


@dataclass(frozen=True)
class File:
    """What the manifest says of a file: its number of pages (0 if not known), and those done."""

    pages: int = 0
    done: int = 0


def look(inputs: Inputs, knobs: Knobs, force: bool = False) -> Left:
    """Return what is left to read in these files. Opens new files that may have many pages."""
    text = results.read_text(Path(knobs.output).expanduser() / MANIFEST)
    lines = [] if force else results.of_inputs(results.read_lines(text), set(inputs.files))
    selection = selection_from(knobs.pages)
    known = known_files(
        lines, knobs, selection, lambda name, of: content_of(inputs.root / name, of)
    )
    password = pdf_password(knobs)
    return left(inputs, known, selection, lambda paths: count_all(paths, password))


def left(inputs: Inputs, known: Mapping[str, File], selection: Selection, count: Counter) -> Left:
    """The same, from what is known of the files. count() opens and counts the others."""
    many = [
        inputs.root / name
        for name in inputs.files
        if not name.lower().endswith(PICTURES) and not known.get(name, File()).pages
    ]
    counted = count(many)
    pages = done = size_bytes = 0
    for name in inputs.files:
        file, path = known.get(name, File()), inputs.root / name
        total = file.pages or (1 if name.lower().endswith(PICTURES) else counted.get(path, 1))
        rest = max(0, selection.count(total) - file.done)
        pages, done = pages + rest, done + file.done
        size_bytes += size_of(path) if rest else 0
    return Left(pages, done, size_bytes, len(many) - len(counted))


def known_files(
    lines: Iterable[Line],
    knobs: Knobs,
    selection: Selection,
    content: Callable[[str, Collection[Line]], str | None],
) -> dict[str, File]:
    """Return what the lines say of each file. Lines about an older content of it do not count."""
    lines = list(lines)
    wanted: dict[str, Any] = {"model": model_of(lines, knobs), **recipe_of(knobs)}
    of_file = defaultdict[str, list[Line]](list)
    for line in lines:
        if line.sha256:
            of_file[line.input].append(line)
    known = {}
    for name, found in of_file.items():
        sha256 = content(name, found)
        if of_content := [line for line in found if line.sha256 == sha256]:
            known[name] = file_of(of_content, wanted, selection, knobs.doubtful)
    return known


def file_of(
    lines: Collection[Line], wanted: Mapping[str, Any], selection: Selection, doubtful: bool
) -> File:
    """What is known of a file, from the lines about its present content."""
    is_one = all(line.pdf_page is None for line in lines)
    pages = 1 if is_one else max(line.pdf_pages for line in lines)  # 0 if the run was killed
    pages = pages if 0 <= pages <= MOST_PAGES else 0
    done = {
        line.pdf_page
        for line in lines
        if wanted["model"]
        and is_read(line, line.sha256, wanted)
        and selection.has(line.pdf_page)
        and not (doubtful and is_to_be_read_again(line))
    }
    return File(pages, len(done))


def content_of(path: Path, lines: Collection[Line]) -> str | None:
    """The SHA-256 of a file; None if it is gone. Its lines give it if they agree and are newer."""
    contents = {line.sha256 for line in lines}
    try:
        changed_at = path.stat().st_mtime
    except OSError:
        return None
    is_older = changed_at < min(line.finished_at for line in lines)
    return contents.pop() if len(contents) == 1 and is_older else sha256_or_none(path)


def size_of(path: Path) -> int:
    """Bytes of a file; 0 if it is gone."""
    try:
        return path.stat().st_size
    except OSError:
        return 0
