"""What is computed for a page, in steps: before it is sent, and when the answer is there.

Steps open untrusted files. So whatever runs a step keeps it within limits: see Compute.
"""

import ctypes
import hashlib
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

from PIL import Image

from answer.cells import Cell
from answer.judgement import Judgement
from answer.layout import to_page
from answer.pictures import is_whole, numbered
from contract import AUTO
from picture.frames import open_frame
from picture.images import UnreadablePage, is_blank, is_capped, model_picture, own_size
from picture.kinds import file_of, is_pdf_page
from picture.limits import LARGE_PIXELS, is_kept, pixels_of
from picture.opening import open_image, own_jpeg
from picture.pdf.page import open_pdf_page
from picture.png import encode_png
from picture.upright import degrees_wanted, turned
from picture_files import AS_FILES, INLINE
from results.files import NO_PAGE, Wanted, made_of, pictured, results_of
from trust.judging import Reader, gathered, judge

if TYPE_CHECKING:
    from trust.witnesses import Evidence

T = TypeVar("T")
Source = Path | bytes
Values = dict[str, Any]  # for a page's record; a step adds what it learns, even if it fails

NOT_LOOKED = "which way is up was not checked: onnxruntime is not installed here"
NOT_JUDGED = "whether the answer fits its page was not checked: numpy is not installed here"

Turn = Callable[[bool], AbstractContextManager[Any]]
"""Gives a turn to compute. With True the turn is for a large page: there is one at a time."""


class Compute(Protocol):
    """Runs a step, where and when there is room for it; raises what the step raises.

    source is b"" for a step that opens nothing.
    """

    def __call__(
        self,
        step: Callable[..., T],
        source: Source,
        pdf_page: int | None,
        values: Values,
        /,
        *more: Any,
    ) -> T: ...


def at_once(
    step: Callable[..., T], source: Source, pdf_page: int | None, values: Values, /, *more: Any
) -> T:
    """The simplest Compute: run the step here and now."""
    return step(source, pdf_page, values, *more)


def in_turns(turn: Turn) -> Compute:
    """Return a Compute that waits for a turn; a large page waits for a turn of the large ones."""

    def compute(
        step: Callable[..., T], source: Source, pdf_page: int | None, values: Values, /, *more: Any
    ) -> T:
        with turn(False):
            if not source or pixels_of(source, pdf_page) <= LARGE_PIXELS:
                return step(source, pdf_page, values, *more)
        with turn(True):
            return step(source, pdf_page, values, *more)

    return compute


@dataclass(frozen=True)
class Sent:
    """What is kept of a page while the model answers; of a large page, not its own picture."""

    page: Image.Image | None
    page_size: tuple[int, int]
    size: tuple[int, int] = (0, 0)
    png: bytes | None = None
    """What is sent; None for a blank page, which has blank_results instead."""
    blank_results: dict[str, bytes] = field(default_factory=dict)
    evidence: "Evidence | None" = None
    """What the answers are compared with; None if they are not compared."""
    is_capped: bool = False
    """Whether the page has more pixels than are sent."""
    upsample_below: int = 0
    """The option as it holds for this page: 0 for pages of a PDF, which are not enlarged."""


def prepare(
    source: Source,
    pdf_page: int | None,
    values: Values,
    max_pixels: int,
    upsample_below: int,
    rotate: str,
    wanted: Wanted,
    witness: str,
) -> Sent:
    """Decode the page, and make what is sent and what its witnesses keep."""
    page = open_page(source, pdf_page, values)
    is_pdf = is_pdf_page(source, pdf_page)
    is_odd = bool(values["notes"])  # what such a page shows may not be what its text says
    has_marks = not is_blank(page)
    page = set_upright(page, rotate if has_marks or rotate != AUTO else "0", values)
    page_size = own_size(page)
    values["original_size"] = list(page_size)
    if not has_marks:
        values |= pictured([], (), wanted)
        return Sent(None, page_size, blank_results=results_of([], page, wanted))
    upsample_below = 0 if is_pdf else upsample_below
    picture = model_picture(page, max_pixels, upsample_below)
    size = picture.size
    values["model_size"] = list(size)
    capped = is_capped(page.size, max_pixels, upsample_below)
    layer = None
    if pdf_page is not None and is_pdf and not is_odd:
        layer = source, pdf_page, values["rotation"]
    evidence = None if witness == "off" else gathered(picture, layer)
    if evidence is None and witness != "off":
        values["notes"].append(NOT_JUDGED)
    kept = page if is_kept(page) else None
    del page
    png = encode_png(picture)
    del picture
    give_memory_back()
    return Sent(
        kept,
        page_size,
        size,
        png,
        evidence=evidence,
        is_capped=capped,
        upsample_below=upsample_below,
    )


def enlarged(
    source: Source,
    pdf_page: int | None,
    values: Values,
    sent: Sent,
    max_pixels: int,
) -> tuple[bytes, tuple[int, int]]:
    """Return the same page as it is sent with more pixels, and its size. Raises UnreadablePage."""
    page = sent.page or opened_again(source, pdf_page, values, sent.page_size)
    picture = model_picture(page, max_pixels, sent.upsample_below)
    return encode_png(picture), picture.size


def judged(
    source: Source,
    pdf_page: int | None,
    values: Values,
    sent: Sent,
    answered: Sequence[Cell],
    size: tuple[int, int],
    prompt_mode: str,
    reader: Reader | None,
) -> Judgement:
    """Return what the witnesses say of an answer to a picture of this size; opens nothing."""
    assert sent.evidence is not None
    return judge(sent.evidence, answered, size, sent.page_size, prompt_mode, reader)


def finish(
    source: Source,
    pdf_page: int | None,
    values: Values,
    sent: Sent,
    answered: Sequence[Cell],
    wanted: Wanted,
) -> tuple[dict[str, bytes], list[str]]:
    """Return an answer's result files, by name, and remarks; opens the page again if needed.

    Raises UnreadablePage if the page is not the same any more.
    """
    cells, notes = to_page(answered, sent.size, sent.page_size)
    values["cells"] = len(cells)
    page = sent.page
    if page is None and needs_page(cells, wanted):
        page = opened_again(source, pdf_page, values, sent.page_size)
    jpeg = jpeg_of(source, pdf_page, values, sent.page_size, cells, wanted)
    files = results_of(cells, page or NO_PAGE, wanted, jpeg)
    values |= pictured(cells, files, wanted)
    return files, notes


def remade(
    source: Source,
    pdf_page: int | None,
    values: Values,
    cells: list[Cell],
    page_size: tuple[int, int],
    wanted: Wanted,
) -> dict[str, bytes]:
    """Return what is made from the cells of a page that was read before, by name.

    values says how the page was turned, and has a picture's hash. Raises UnreadablePage as above.
    """
    page = NO_PAGE
    if needs_page(cells, wanted):
        page = opened_again(source, pdf_page, values, page_size)
    files = made_of(
        cells, page, wanted, jpeg_of(source, pdf_page, values, page_size, cells, wanted)
    )
    values |= pictured(cells, files, wanted)
    return files


def needs_page(cells: Sequence[Cell], wanted: Wanted) -> bool:
    """Whether parts of the page itself belong to the results."""
    is_cut = wanted.pictures in (AS_FILES, INLINE)
    return wanted.drawing or (is_cut and any(numbered(cells)))


def needs_source(
    answered: Sequence[Cell], sent: Sent, pdf_page: int | None, wanted: Wanted
) -> bool:
    """Whether the page's file must be opened for the results of an answer."""
    cells, _ = to_page(answered, sent.size, sent.page_size)
    is_opened = sent.page is None and needs_page(cells, wanted)
    return is_opened or needs_file(cells, sent.page_size, pdf_page, wanted)


def needs_file(
    cells: Sequence[Cell], page_size: tuple[int, int], pdf_page: int | None, wanted: Wanted
) -> bool:
    """Whether a Picture cell may show the file itself, because it covers the file's one page."""
    wholes = (is_whole(box, page_size) for _, box in numbered(cells))
    return wanted.pictures == AS_FILES and pdf_page is None and any(wholes)


def jpeg_of(
    source: Source,
    pdf_page: int | None,
    values: Values,
    page_size: tuple[int, int],
    cells: Sequence[Cell],
    wanted: Wanted,
) -> bytes:
    """Return the page's own file if it is a JPEG of the page as it was read; else nothing."""
    if values["rotation"] or not needs_file(cells, page_size, pdf_page, wanted):
        return b""
    content = own_jpeg(source, page_size)
    return content if hashlib.sha256(content).hexdigest() == values["sha256"] else b""


def opened_again(
    source: Source, pdf_page: int | None, values: Values, page_size: tuple[int, int]
) -> Image.Image:
    """Open the page again, upright as before. Raises UnreadablePage if it is another one by now."""
    again: Values = {}
    page = turned(open_page(source, pdf_page, again), values["rotation"])
    if own_size(page) != page_size or values.get("sha256") != again.get("sha256"):
        raise UnreadablePage("the file changed while its page was read: run again")
    return page


def set_upright(page: Image.Image, rotate: str, values: Values) -> Image.Image:
    """Turn the page as wanted; how it was turned goes into the values."""
    degrees = degrees_wanted(page, rotate)
    if degrees is None:
        values.setdefault("notes", []).append(NOT_LOOKED)
    values["rotation"] = degrees or 0
    return turned(page, values["rotation"])


def open_page(source: Source, pdf_page: int | None, values: Values) -> Image.Image:
    """Decode the page; what is odd about it, and a picture's hash, go into the values."""
    notes: list[str] = []
    values["notes"] = notes
    if pdf_page is not None:
        is_pdf = is_pdf_page(source, pdf_page)
        return (open_pdf_page if is_pdf else open_frame)(source, pdf_page, notes)
    with file_of(source) as file:
        values["sha256"] = hashlib.file_digest(file, "sha256").hexdigest()
    return open_image(source, notes)


def give_memory_back() -> None:
    """Give free memory back, which glibc would keep: many workers wait, and only few compute."""
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    if trim is not None:
        trim(0)
