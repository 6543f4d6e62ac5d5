"""Find what is left to do for this INPUT, as far as we can tell at home before we rent anything.

The machine decides the same, page by page, in vm_side/todo.py. If we cannot tell at home, it can.
"""

import enum
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from contract import (
    CORRECTED,
    DONE,
    PICTURES,
    PREVIEW_MODEL,
    is_read,
    is_to_be_read_again,
    recipe_of,
)
from lib import results
from lib.files import sha256_of
from lib.inputs import Inputs
from lib.knobs import Knobs
from lib.results import Line
from picture_files import is_pictured
from wanted_pages import Selection, selection_from


class Work(enum.Enum):
    """What a run has to do."""

    NOTHING = "all pages are done, and their results are here"
    FETCH = "all pages are done, and some of their results are not here"
    READ = "some pages are to be read"


@dataclass(frozen=True)
class Todo:
    """What is left to do, how many pages are done, and which files cannot be read here, and why.

    is_empty: PAGES names no page of any file.
    """

    work: Work
    done: int = 0
    unreadable: Mapping[str, str] = field(default_factory=dict)
    is_empty: bool = False


def look(inputs: Inputs, knobs: Knobs) -> Todo:
    """Compare INPUT with OUTPUT. Reads the files that seem done, unless there are new ones."""
    output = Path(knobs.output).expanduser()
    lines, damaged = results.read_manifest(output)
    results.say_damaged(output, damaged, "brought, or read again")
    return todo(
        inputs.files,
        results.of_inputs(lines, set(inputs.files)),
        knobs,
        lambda name: sha256_of(inputs.root / name),
        lambda name: results.stands(output / name),
    )


def todo(
    files: Collection[str],
    lines: Collection[Line],
    knobs: Knobs,
    content_of: Callable[[str], str],
    is_here: Callable[[str], bool],
) -> Todo:
    """Find what is left to do for these files and the manifest's lines about them.

    content_of gives an input's SHA-256, or raises OSError; is_here tells whether a result exists.
    """
    wanted = {"model": model_of(lines, knobs), **recipe_of(knobs)}
    selection = selection_from(knobs.pages)
    if not selection.has(None):  # a picture counts as page 1
        files = [name for name in files if not name.lower().endswith(PICTURES)]
    if not files:
        return Todo(Work.NOTHING, is_empty=True)
    of_file = defaultdict(list)
    for line in lines:
        if not (knobs.doubtful and is_to_be_read_again(line)):
            of_file[line.input].append(line)
    reads = {name: reads_of(of_file[name], wanted, selection) for name in files}
    done: list[Line] = []
    unreadable: dict[str, str] = {}
    for name in sorted(files, key=lambda name: bool(reads[name])):  # a new one settles it
        try:
            content = content_of(name)
        except OSError as error:
            unreadable[name] = error.strerror or str(error)
            continue
        if content not in reads[name]:
            return Todo(Work.READ)
        done += reads[name][content]
    is_whole = all(is_shown(line, knobs) for line in done) and all(
        is_here(name) for line in done for name in line.files(knobs.images)
    )
    return Todo(Work.NOTHING if is_whole else Work.FETCH, len(done), unreadable)


def is_shown(line: Line, knobs: Knobs) -> bool:
    """Whether a page has its pictures as they are wanted.

    A page that was read before there was a choice counts as such; the machine makes it again when
    it is on. A page that a person corrected stays as it is.
    """
    is_as_it_is = not line.pictures_as or line.status == CORRECTED
    return is_as_it_is or is_pictured(line.pictures_as, knobs.pictures)


def model_of(lines: Iterable[Line], knobs: Knobs) -> str:
    """Return the model that must have read the pages: MODEL, or the model of the last run.

    A page that the CPU preview has read does not count as done for any other machine.
    """
    if knobs.model:
        return knobs.model
    read = [line for line in lines if line.status in DONE]
    if knobs.target != "local":
        read = [line for line in read if line.model != PREVIEW_MODEL]
    return max(read, key=lambda line: line.finished_at).model if read else ""


def reads_of(
    lines: Iterable[Line], wanted: Mapping[str, Any], selection: Selection
) -> dict[str, list[Line]]:
    """Return a file's lines by the content that was read, where they are of all its pages."""
    by_content = defaultdict(list)
    for line in lines:
        if wanted["model"] and is_read(line, line.sha256, wanted):
            by_content[line.sha256].append(line)
    return {content: read for content, read in by_content.items() if is_all(read, selection)}


def is_all(lines: Collection[Line], selection: Selection) -> bool:
    """Whether the lines of one content are of all its wanted pages."""
    numbers = {line.pdf_page for line in lines}
    count = max(line.pdf_pages for line in lines)
    if numbers == {None}:
        return not count
    known = {n for n in numbers if n is not None and 0 <= n < count}
    return known == numbers and sum(map(selection.has, known)) == selection.count(count)
