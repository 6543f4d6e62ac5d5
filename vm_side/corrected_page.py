"""The files of a page whose cells a person has corrected.

Its Picture cells are cut out of the page itself. If the page's file is gone or has changed, they
are cut out of the pictures that the page had before.
"""

import base64
import binascii
import functools
import io
import json
import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from PIL import Image

from answer.cells import Cell
from answer.layout import block
from answer.pictures import is_picture, numbered
from picture.images import UnreadablePage, check_size
from picture.limits import OUT_OF_MEMORY
from picture.pdf.mupdf import open_with
from picture_files import ANY_FORM, AS_FILES, INLINE, picture_number, picture_paths
from results.files import (
    CELLS,
    NO_PAGE,
    WHOLE,
    Wanted,
    has_drawing,
    json_of,
    made_of,
    pictured,
)
from results.manifest import Record
from results.pages import sha256_of
from results.steps import needs_page, remade
from workers import bounds

EMBEDDED = re.compile(r"!\[\]\((?:data:image/png;base64,([A-Za-z0-9+/=]*))?\)")
NO_PICTURE = "a picture was added, moved or made larger: give the INPUT that was read"

Box = tuple[int, int, int, int]


@dataclass(frozen=True)
class Job:
    """A page: its record, and its new cells."""

    record: Record
    cells: tuple[Cell, ...]


@dataclass(frozen=True)
class Written:
    """A page's files by name, and what its line says about its pictures; or why there are none."""

    files: dict[str, bytes] = field(default_factory=dict)
    pictures: dict[str, Any] = field(default_factory=dict)
    fault: str = ""


@dataclass(frozen=True)
class Places:
    """Where pages and results are, and what opens a page. input is None if it is not known.

    pictures is the form of pictures for a page that had none.
    """

    input: Path | None
    output: Path
    page_timeout_s: float
    pictures: str = AS_FILES
    password: str = field(default="", repr=False)


def make_writer(places: Places) -> Callable[[Job], Written]:
    """Return the page function of one process."""
    bounds.limit_memory()
    open_with(places.password)
    return functools.partial(written, places=places)


def written(job: Job, places: Places) -> Written:
    """Make a page's files. Never raises for a bad page."""
    try:
        with bounds.within(nullcontext(), places.page_timeout_s):
            return made(job, places)
    except UnreadablePage as error:
        return Written(fault=str(error))
    except MemoryError:
        return Written(fault=OUT_OF_MEMORY)
    except OSError as error:
        return Written(fault=f"{error.strerror or error}: {error.filename or job.record.input}")


def made(job: Job, places: Places) -> Written:
    """Make a page's files. Raises UnreadablePage, OSError, MemoryError.

    If there was a drawing and the page can be opened, it is drawn again, since the old drawing
    shows the old cells.
    """
    record, cells = job.record, list(job.cells)
    form = record.pictures_as or INLINE
    is_drawn = has_drawing(places.output, record.page)
    wanted = Wanted(record.page, is_drawn, places.pictures if form == ANY_FORM else form)
    if needs_page(cells, wanted) and (path := file_of(record, places)):
        values = {"rotation": record.rotation, "sha256": record.sha256}
        if record.pdf_page is not None:
            del values["sha256"]  # a file of many pages is not hashed again
        files = remade(path, record.pdf_page, values, cells, size_of(record), wanted)
    else:
        wanted = replace(wanted, drawing=False)
        page = pieced_together(job, places.output) if needs_page(cells, wanted) else NO_PAGE
        files = made_of(cells, page, wanted)
    files |= {record.page + CELLS: json_of(cells)}
    return Written(files, pictured(cells, files, wanted))


def file_of(record: Record, places: Places) -> Path | None:
    """Return the page's file; None if it is not there, or has changed."""
    path = places.input / record.input if places.input else None
    is_same = path is not None and path.is_file() and sha256_of(path) == record.sha256
    return path if is_same else None


def size_of(record: Record) -> tuple[int, int]:
    """Return the page's own size (width, height). Raises UnreadablePage if it is not known."""
    if len(record.original_size) != 2:
        raise UnreadablePage("its line in the manifest does not say its size")
    width, height = record.original_size
    return width, height


def pieced_together(job: Job, output: Path) -> Image.Image:
    """Return a white sheet of the page's size, with the page's older pictures in their places.

    Raises UnreadablePage if a Picture cell does not lie within one of these pictures.
    """
    pieces = {box: piece_of(box, content) for box, content in older_pictures(job.record, output)}
    for _, new in numbered(job.cells):
        if not any(is_within(new, box) for box in pieces):
            raise UnreadablePage(NO_PICTURE)
    size = size_of(job.record)
    check_size(*size)
    is_gray = all(piece.mode == "L" for piece in pieces.values())
    sheet = Image.new("L" if is_gray else "RGB", size, "white")
    for box, piece in pieces.items():
        sheet.paste(piece, box[:2])
    return sheet


def piece_of(box: Box, content: bytes) -> Image.Image:
    """Return what a box of a page shows. Raises UnreadablePage if the size does not fit; OSError.

    A picture of the whole page may be larger by one pixel. If the page was too large to be held in
    memory at full size, its pictures have another size, and do not fit.
    """
    width, height = box[2] - box[0], box[3] - box[1]
    with Image.open(io.BytesIO(content), formats=("PNG", "JPEG")) as picture:
        if picture.width - width not in (0, 1) or picture.height - height not in (0, 1):
            raise UnreadablePage(NO_PICTURE)
        whole = picture.convert("L" if picture.mode == "L" else "RGB")
        return whole.crop((0, 0, width, height))


def older_pictures(record: Record, output: Path) -> Iterator[tuple[Box, bytes]]:
    """Yield the boxes of the present Picture cells, and what they show. Raises OSError.

    Yields nothing from a Markdown file that does not match these cells.
    """
    try:
        cells = json.loads((output / f"{record.page}{CELLS}").read_bytes())
        boxes = {number: boxed(box) for number, box in numbered(cells)}
        if record.pictures_as == AS_FILES:
            for name in picture_paths(record.page, record.pictures):
                yield boxes[picture_number(name)], (output / name).read_bytes()
            return
        text = (output / f"{record.page}{WHOLE}").read_text(encoding="utf-8")
        contents = embedded_in(text, cells)
        yield from zip(boxes.values(), filter(None, contents), strict=True)
    except (ValueError, LookupError, TypeError, AttributeError, RecursionError):
        return


def embedded_in(text: str, cells: Sequence[Cell]) -> list[bytes]:
    """Return what each Picture cell shows in a page's Markdown; b"" for a box without area.

    Raises ValueError if the Markdown does not match these cells.
    """
    contents, at = [], 0
    for number, cell in enumerate(cells):
        if number:
            at = after("\n\n", text, at)
        if not is_picture(cell):
            at = after(block(cell), text, at)
        elif found := EMBEDDED.match(text, at):
            at = found.end()
            contents.append(decoded(found[1] or ""))
        else:
            raise ValueError("no picture where there should be one")
    return contents


def after(part: str, text: str, at: int) -> int:
    """Return where the part ends in the text. Raises ValueError if it does not begin at `at`."""
    if not text.startswith(part, at):
        raise ValueError("another text than that of the cells")
    return at + len(part)


def decoded(text: str) -> bytes:
    """Decode base64. Raises ValueError."""
    try:
        return base64.b64decode(text, validate=True)
    except binascii.Error as error:
        raise ValueError(str(error)) from error


def boxed(box: Sequence[int]) -> Box:
    """Return a box as a tuple, so that it can be a key. Raises ValueError."""
    left, top, right, bottom = box
    return left, top, right, bottom


def is_within(box: Sequence[int], other: Box) -> bool:
    """Whether a box lies within another one."""
    left, top, right, bottom = box
    return other[0] <= left and other[1] <= top and right <= other[2] and bottom <= other[3]
