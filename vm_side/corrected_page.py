"""The files of a page whose cells a person has corrected.

Its Picture cells are cut out of the page itself; where its file is not there, or is another one by
now, out of the pictures that its Markdown had.
"""

import base64
import binascii
import functools
import io
import json
import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, field
from pathlib import Path

from PIL import Image

from answer.cells import Cell
from answer.layout import block
from picture.images import UnreadablePage, check_size
from picture.limits import OUT_OF_MEMORY
from picture.pdf.mupdf import open_with
from picture.upright import turned
from results.files import CELLS, NO_PAGE, WHOLE, has_drawing, results_of
from results.manifest import Record
from results.pages import sha256_of
from results.steps import open_page
from workers import bounds

EMBEDDED = re.compile(r"!\[\]\((?:data:image/png;base64,([A-Za-z0-9+/=]*))?\)")
NO_PICTURE = "a picture was added, moved or made larger: give the INPUT that was read"

Box = tuple[int, int, int, int]


@dataclass(frozen=True)
class Job:
    """A page: what is known of it, and its new cells."""

    record: Record
    cells: tuple[Cell, ...]


@dataclass(frozen=True)
class Written:
    """The files of a page by ending; or why there are none."""

    files: dict[str, bytes] = field(default_factory=dict)
    fault: str = ""


@dataclass(frozen=True)
class Places:
    """Where pages and results are, and what opens a page. input is None where it is not known."""

    input: Path | None
    output: Path
    page_timeout_s: float
    password: str = field(default="", repr=False)


def make_writer(places: Places) -> Callable[[Job], Written]:
    """The page function of one process."""
    bounds.limit_memory()
    open_with(places.password)
    return functools.partial(written, places=places)


def written(job: Job, places: Places) -> Written:
    """Make a page's files. Never raises for a bad page."""
    try:
        with bounds.within(nullcontext(), places.page_timeout_s):
            return Written(files_of(job, places))
    except UnreadablePage as error:
        return Written(fault=str(error))
    except MemoryError:
        return Written(fault=OUT_OF_MEMORY)
    except OSError as error:
        return Written(fault=f"{error.strerror or error}: {error.filename or job.record.input}")


def files_of(job: Job, places: Places) -> dict[str, bytes]:
    """The same. Raises UnreadablePage, OSError, MemoryError.

    A drawing is made anew where there was one, if the page can be opened: of older cells it lies.
    """
    cells, is_drawn = list(job.cells), has_drawing(places.output, job.record.page)
    if not (is_drawn or pictures_in(cells)):
        return results_of(cells, NO_PAGE, with_drawing=False)
    page = opened(job.record, places)
    if page is None and pictures_in(cells):
        page = pieced_together(job, places.output)
        is_drawn = False
    return results_of(cells, page or NO_PAGE, with_drawing=is_drawn and page is not None)


def opened(record: Record, places: Places) -> Image.Image | None:
    """The page as it was read, upright; None if its file is not there, or is another one by now."""
    path = places.input / record.input if places.input else None
    if path is None or not path.is_file() or sha256_of(path) != record.sha256:
        return None
    return turned(open_page(path, record.pdf_page, {}), record.rotation)


def pieced_together(job: Job, output: Path) -> Image.Image:
    """A sheet of the page's size that has its older pictures in their places.

    Raises UnreadablePage if a new one lies in none of them.
    """
    pieces = {box: piece_of(content) for box, content in older_pictures(job.record, output)}
    is_whole = all(  # else that of a page too large to be held as it is
        piece.size == (box[2] - box[0], box[3] - box[1]) for box, piece in pieces.items()
    )
    is_there = (any(is_within(box, other) for other in pieces) for box in pictures_in(job.cells))
    if not (is_whole and all(is_there) and len(job.record.original_size) == 2):
        raise UnreadablePage(NO_PICTURE)
    width, height = job.record.original_size
    check_size(width, height)
    is_gray = all(piece.mode == "L" for piece in pieces.values())
    sheet = Image.new("L" if is_gray else "RGB", (width, height), "white")
    for box, piece in pieces.items():
        sheet.paste(piece, box[:2])
    return sheet


def piece_of(content: bytes) -> Image.Image:
    """A picture that was cut out of a page. Raises OSError."""
    with Image.open(io.BytesIO(content), formats=("PNG", "JPEG")) as picture:
        return picture.convert("L" if picture.mode == "L" else "RGB")


def older_pictures(record: Record, output: Path) -> Iterator[tuple[Box, bytes]]:
    """The boxes of Picture cells as they stand, and what they show, out of the page's Markdown.

    None of a Markdown that is not what these cells make.
    """
    try:
        cells = json.loads((output / f"{record.page}{CELLS}").read_bytes())
        text = (output / f"{record.page}{WHOLE}").read_text(encoding="utf-8")
        contents = embedded_in(text, cells)
        yield from zip(pictures_in(cells), filter(None, contents), strict=True)
    except (ValueError, LookupError, TypeError, AttributeError, RecursionError):
        return


def embedded_in(text: str, cells: Sequence[Cell]) -> list[bytes]:
    """What each Picture cell shows in a page's Markdown; b"" of one without area.

    Raises ValueError if the Markdown is not what these cells make.
    """
    contents, at = [], 0
    for number, cell in enumerate(cells):
        if number:
            at = after("\n\n", text, at)
        if cell["category"] != "Picture":
            at = after(block(cell, NO_PAGE), text, at)
        elif found := EMBEDDED.match(text, at):
            at = found.end()
            contents.append(decoded(found[1] or ""))
        else:
            raise ValueError("no picture where there should be one")
    return contents


def after(part: str, text: str, at: int) -> int:
    """Where a part of a text ends that begins there. Raises ValueError if it does not."""
    if not text.startswith(part, at):
        raise ValueError("another text than that of the cells")
    return at + len(part)


def decoded(text: str) -> bytes:
    """What is told in base64. Raises ValueError."""
    try:
        return base64.b64decode(text, validate=True)
    except binascii.Error as error:
        raise ValueError(str(error)) from error


def pictures_in(cells: Sequence[Cell]) -> list[Box]:
    """The boxes of Picture cells that have an area."""
    boxes = [tuple(cell["bbox"]) for cell in cells if cell["category"] == "Picture"]
    return [(x1, y1, x2, y2) for x1, y1, x2, y2 in boxes if x1 < x2 and y1 < y2]


def is_within(box: Box, other: Box) -> bool:
    """Whether a box lies in another."""
    return other[0] <= box[0] and other[1] <= box[1] and box[2] <= other[2] and box[3] <= other[3]
