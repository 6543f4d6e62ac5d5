"""What a result set says about its pages: the manifest's lines, and the cells in the JSON files."""

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from contract import CATEGORIES, DONE, MANIFEST, STATUSES
from lib import results
from lib.console import Failure
from lib.pages.doubts import Doubt, doubts_in, trust_in
from lib.pages.values import Box, number, relative, word
from lib.standing import fault_of
from picture_files import picture_paths

AGAIN = "make all brings these pages, or reads them again"
LEFT_OUT = f"left out\n  → {AGAIN}"
MEND = "correct these JSON files, or delete them: make all brings them, or reads the pages again"


@dataclass(frozen=True)
class Entry:
    """One page, as its line of the manifest describes it. A value that is missing is empty or 0."""

    line: str
    page: str
    input: str
    pdf_page: int | None
    status: str
    reason: str
    notes: tuple[str, ...]
    sha256: str
    size: tuple[float, float]
    """Width and height in pixels; (0, 0) if the page could not be opened."""
    rotation: int
    """How many degrees clockwise the page was turned. Its size and boxes are of the turned page."""
    tokens_in: int
    tokens_out: int
    attempts: int
    seconds: float
    finished_at: float
    model: str
    trust: float | None = None
    """How much of the page can be trusted, from 0 to 1; None if no witness said anything."""
    doubts: tuple[Doubt, ...] = ()
    """The reasons to doubt its answer, the heaviest first."""
    more_doubts: int = 0
    """How many more doubts its line has."""
    pictures: tuple[str, ...] = ()
    """The files of its Picture cells, in order, as paths below the results. picture_number() tells
    which cell a file belongs to. A cell without area has no file; without PICTURES=files none has.
    """
    model_size: tuple[float, float] = (0.0, 0.0)
    """Width and height of the picture that the model saw."""
    prompt_mode: str = ""
    """The name of the prompt that it was read with."""

    @property
    def folder(self) -> str:
        """The folder of the page's file, below INPUT; empty if the file is at the top."""
        return str(PurePosixPath(self.input).parent).removeprefix(".")

    @property
    def name(self) -> str:
        """What to call the page: its file's name, or its results' name if the file has several."""
        return PurePosixPath(self.input if self.pdf_page is None else self.page).name

    @property
    def picture(self) -> str:
        """The file name of its pictures, a hash of its content; empty if that is not known.

        A page's own name is not trusted, so it never becomes a file name.
        """
        if not self.sha256:
            return ""
        turn = f" {self.rotation}" if self.rotation else ""
        return hashlib.sha256(f"{self.sha256} {self.pdf_page}{turn}".encode()).hexdigest()[:20]


@dataclass(frozen=True)
class Cell:
    """One cell of a page. Its box is in parts of the page's width and height."""

    box: Box
    category: str
    text: str


def read_entries(folder: Path) -> list[Entry]:
    """Read the pages of a result set, in the manifest's order.

    Prints how many lines do not describe a page. Raises Failure if no line does.
    """
    lines, damaged = results.read_manifest(folder)
    found = [read_entry(line) for line in lines]
    entries = [entry for entry in found if entry is not None]
    damaged += len(found) - len(entries)
    if damaged and not entries:
        raise Failure(f"{folder / MANIFEST} is damaged: none of its lines can be read", AGAIN)
    results.say_damaged(folder, damaged, LEFT_OUT)
    return entries


def read_entry(line: results.Line) -> Entry | None:
    """Return a line of the manifest as an Entry; None if it does not describe a page."""
    try:
        values = json.loads(line.text)
    except RecursionError:  # read_lines could just parse it, but the call stack is deeper here
        return None
    if line.status not in STATUSES or not isinstance(line.input, str):
        return None
    notes = values.get("notes")
    width, height = size_in(values.get("original_size"))
    doubts, more_doubts = doubts_in(values.get("doubts"), (width, height))
    return Entry(
        line=line.text,
        page=line.page,
        input=line.input,
        pdf_page=line.pdf_page if isinstance(line.pdf_page, int) else None,
        status=line.status,
        reason=word(values.get("reason")),
        notes=tuple(map(word, notes)) if isinstance(notes, list) else (),
        sha256=word(values.get("sha256")),
        size=(width, height),
        rotation=line.rotation if line.rotation in (90, 180, 270) else 0,
        tokens_in=int(number(values.get("tokens_in"))),
        tokens_out=int(number(values.get("tokens_out"))),
        attempts=int(number(values.get("attempts"))),
        seconds=number(values.get("seconds")),
        finished_at=number(values.get("finished_at")),
        model=word(values.get("model")),
        trust=trust_in(values.get("trust")),
        doubts=doubts,
        more_doubts=more_doubts,
        pictures=tuple(picture_paths(line.page, line.pictures)) if line.status in DONE else (),
        model_size=size_in(values.get("model_size")),
        prompt_mode=word(line.settings.get("prompt_mode")),
    )


def size_in(value: Any) -> tuple[float, float]:
    """Return a width and a height; (0, 0) if the value is anything else."""
    width, height = map(number, value) if isinstance(value, list) and len(value) == 2 else (0, 0)
    return width, height


def cells_path(folder: Path, entry: Entry) -> Path | None:
    """The file that has the page's cells; None if the page has no answer."""
    return folder / f"{entry.page}.json" if entry.status in DONE else None


def read_cells(folder: Path, entry: Entry) -> list[Cell]:
    """Return the cells of a page in reading order. Entries that are not cells are left out."""
    cells = (read_cell(one, entry.size) for one in candidates_in(read_answer(folder, entry)))
    return [cell for cell in cells if cell is not None]


def what_is_lost(folder: Path, entry: Entry) -> str:
    """Say why read_cells() does not find all of a page; empty if it does."""
    path = cells_path(folder, entry)
    if path is None:
        return ""
    try:
        fault = fault_of(path) if path.is_file() else "its result is missing"
    except OSError as error:
        fault = f"its result cannot be read: {error.strerror}"
    candidates = [] if fault else candidates_in(read_answer(folder, entry))
    lost = sum(not is_readable(one) for one in candidates)
    return (
        f"{lost} entries of its JSON are not cells, or their text cannot be read" if lost else fault
    )


def is_readable(candidate: Any) -> bool:
    """Whether read_cell() can read all of a candidate, its text too."""
    is_cell = read_cell(candidate, (0, 0)) is not None
    return is_cell and isinstance(candidate.get("text"), str | None)


def read_answer(folder: Path, entry: Entry) -> bytes:
    """The bytes of the page's JSON; empty if there is none."""
    path = cells_path(folder, entry)
    try:
        return path.read_bytes() if path else b""
    except OSError:
        return b""


def candidates_in(answer: bytes) -> list[Any]:
    """Return the entries of a page's JSON, which may be cells; empty if it is not a JSON list.

    The encoding is detected, because an editor may have saved the file in another one than UTF-8.
    """
    try:
        found = json.loads(answer.decode(json.detect_encoding(answer), "replace"))
    except (ValueError, RecursionError):
        return []
    return found if isinstance(found, list) else []


def read_cell(candidate: Any, size: tuple[float, float]) -> Cell | None:
    """Return one cell of a page of this size; None if the candidate has no box."""
    if not isinstance(candidate, dict) or not isinstance(candidate.get("bbox"), list):
        return None
    box = tuple(map(number, candidate["bbox"]))
    if len(box) != 4:
        return None
    category = candidate.get("category")
    text = candidate.get("text")
    return Cell(
        box=relative(box, size),
        category=category if category in CATEGORIES else "Text",
        text=text if isinstance(text, str) else "",
    )
