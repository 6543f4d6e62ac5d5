"""Read a page a second time with another engine, and compare the two readings.

The engine is the one of the CPU preview. It reads the page's own picture, and asks no server.
"""

import functools
import json
import os
import pickle
from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy
from PIL import Image

from answer.judgement import Judgement
from contract import DOUBTFUL, WHOLE
from picture.images import UnreadablePage, own_size
from picture.pdf.mupdf import open_with
from picture.upright import turned
from results.manifest import Record
from results.pages import sha256_of
from results.steps import open_page
from trust.doubts import Doubt
from trust.judging import Reader, said_by, with_reader
from trust.text.folding import HANGUL
from trust.text.reader_witness import Line, kept
from workers import bounds
from workers.beside import PIECE

MOST_PIXELS = 9_000_000  # an A4 page at 300 dpi; a larger one is read at half its size, or less
READING_S = 300.0  # seconds of CPU time; a newspaper's page takes 15
PATIENCE_S = 1800.0  # for Tesseract, which may wait long for a core at the lowest priority
NO_HANGUL = "it has Korean, and Tesseract with its Korean data is not installed here"

Read = Callable[[Image.Image], list[Line]]


@dataclass(frozen=True)
class Engine:
    """What reads a picture. An engine that does not know Hangul takes it for other signs."""

    name: str
    read: Read
    knows_hangul: bool = True


@dataclass(frozen=True)
class Opinion:
    """What a second reader says about a page, in the page's own pixels; or why it says nothing.

    lines are what it has read, if the page is doubtful.
    """

    reader: str = ""
    doubts: tuple[Doubt, ...] = ()
    lines: tuple[dict[str, Any], ...] = ()
    fault: str = ""


@dataclass(frozen=True)
class Places:
    """Where pages and results are, and what opens a page."""

    input: Path
    output: Path
    page_timeout_s: float
    password: str = field(default="", repr=False)


def heard(record: Record, opinion: Opinion) -> dict[str, Any]:
    """Return what a second reader's opinion changes in the record of a page."""
    before = Judgement(record.trust, doubts=tuple(record.doubts))
    after = with_reader(before, opinion.doubts, opinion.reader)
    changes = {
        "trust": after.trust,
        "doubts": list(after.doubts),
        "reader": after.reader,
        "reader_lines": list(opinion.lines),
        "trusted_as": after.trusted_as,
    }
    if after.reason and record.status in WHOLE:
        changes |= {"status": DOUBTFUL, "read_as": record.status, "reason": after.reason}
    return changes


def with_lines(opinion: Opinion, record: Record, lines: list[dict[str, Any]]) -> Opinion:
    """Add the lines to the opinion if the page is doubtful and the message fits into one PIECE."""
    is_wanted = heard(record, opinion).get("status", record.status) == DOUBTFUL
    more = replace(opinion, lines=tuple(lines))
    return more if is_wanted and len(pickle.dumps(more)) <= PIECE else opinion


def make_second_reader(places: Places) -> Callable[[Record], Opinion]:
    """Load the engine, and return the page function of this process."""
    bounds.limit_memory()
    bounds.give_way()
    open_with(places.password)
    return functools.partial(second_reading, places=places, engine=load_engine())


def load_engine() -> Engine:
    """Load the CPU preview's engine for one core. Raises ImportError."""
    os.environ["OMP_THREAD_LIMIT"] = "1"  # read when the models are loaded
    import cv2  # noqa: PLC0415 - only the CPU preview has these packages

    from cpu_endpoint import lines, models, tesseract  # noqa: PLC0415 - the same

    cv2.setNumThreads(1)
    found = tesseract.find()
    korean = tesseract.Tesseract(found, PATIENCE_S) if found.command else None
    pp_ocr = models.LineModels(threads=1)

    def read(picture: Image.Image) -> list[Line]:
        colours = numpy.asarray(picture.convert("RGB"))[:, :, ::-1]
        found = lines.read_lines(pp_ocr, korean, numpy.ascontiguousarray(colours))
        return [(line.text, line.box, line.score) for line in found]

    return Engine("PP-OCR and Tesseract" if korean else "PP-OCR", read, bool(korean))


def second_reading(record: Record, places: Places, engine: Engine) -> Opinion:
    """Read a page again, and compare. Never raises for a bad page."""
    try:
        cells = json.loads((places.output / f"{record.page}.json").read_bytes())
        if not engine.knows_hangul and any(HANGUL.search(cell.get("text", "")) for cell in cells):
            return Opinion(fault=NO_HANGUL)
        with bounds.within(nullcontext(), places.page_timeout_s):
            picture, size = opened(record, places.input / record.input)
        with bounds.within(nullcontext(), READING_S):
            lines = engine.read(picture)
        wide, high = (own / seen for own, seen in zip(size, picture.size, strict=True))
        placed = kept(
            (text, (x1 * wide, y1 * high, x2 * wide, y2 * high), sure)
            for text, (x1, y1, x2, y2), sure in lines
        )
        doubts = said_by(Reader(engine.name, placed), cells)
    except (UnreadablePage, MemoryError) as error:
        return Opinion(fault=str(error) or "out of memory")
    except OSError as error:
        return Opinion(fault=f"{error.strerror}: {error.filename}")
    except (ValueError, LookupError, TypeError, AttributeError):
        return Opinion(fault="its JSON is not what was written")
    return with_lines(Opinion(engine.name, tuple(doubts)), record, placed)


def opened(record: Record, path: Path) -> tuple[Image.Image, tuple[int, int]]:
    """Return the page upright, as it was read, and its own size. Raises UnreadablePage, OSError."""
    if hash_of(path) != record.sha256:
        raise UnreadablePage("the file has changed since it was read")
    page = turned(open_page(path, record.pdf_page, {}), record.rotation)
    size = own_size(page)
    times = 1
    while page.width * page.height > MOST_PIXELS * times**2:
        times += 1
    return (page.reduce(times) if times > 1 else page), size


@functools.lru_cache(maxsize=2)
def hash_of(path: Path) -> str:
    """Return a file's SHA-256. It is kept, since the pages of a file come one after another."""
    return sha256_of(path)
