"""Open a PDF, and draw its pages with MuPDF as the reference client does."""

import contextlib
import functools
import math
import re
from contextvars import ContextVar
from dataclasses import dataclass
from pathlib import Path

import pymupdf
from PIL import Image

from picture.images import GUARD_SIDE, PDF_DPI, UnreadablePage, check_size, contrast
from picture.pdf.sources import sources_of
from picture.pdf.whole import WRONG_SUM, complaint

FALLBACK_DPI = 72  # for pages with a side longer than GUARD_SIDE at PDF_DPI
LARGEST_DRAWING = 32_000_000  # pixels, of a poster; an A0 sheet has 8 million, and 2 are sent

PASSWORD = ContextVar("PASSWORD", default="")  # of the PDFs that this process opens

UNKNOWN_LOCK = re.compile(r"unknown (?:en)?crypt.*")  # a seller's encryption, or by certificate
MUPDF_ERRORS = (pymupdf.mupdf.FzErrorBase, RuntimeError, ValueError, OSError)


def open_with(password: str) -> None:
    """Use this password for all PDFs in this process that need one."""
    PASSWORD.set(password)


def open_pdf(source: Path | bytes) -> pymupdf.Document:
    """Open a PDF, a file or its content.

    Raises UnreadablePage when it is missing, damaged or wants another password.
    """
    pymupdf.TOOLS.mupdf_display_errors(False)  # its complaints would break the progress bar
    pymupdf.TOOLS.mupdf_display_warnings(False)
    try:
        if is_empty(source):
            raise UnreadablePage("the file is empty")
        given = {"stream": source} if isinstance(source, bytes) else {"filename": source}
        document = pymupdf.open(**given, filetype="pdf")
    except OSError as error:
        raise UnreadablePage(f"the file cannot be opened: {error.strerror}") from error
    except MUPDF_ERRORS as error:
        check_memory(error)
        if lock := UNKNOWN_LOCK.search(str(error.__cause__)):
            what = f"encrypted for other programs ({lock[0]})"
            raise UnreadablePage(f"{what}: save a copy without encryption") from error
        raise UnreadablePage("damaged beyond repair, or no PDF at all") from error
    if not document.is_pdf:  # MuPDF finds the kind itself, and opens web pages and comics, too
        document.close()
        raise UnreadablePage("no PDF at all, though its first bytes say so")
    if document.needs_pass and not document.authenticate(PASSWORD.get()):
        document.close()
        which = "another password than" if PASSWORD.get() else "a password: give it in"
        raise UnreadablePage(f"the PDF wants {which} PDF_PASSWORD, or save a copy without one")
    return document


def check_memory(error: Exception) -> None:
    """Raise MemoryError if an error of MuPDF means that memory ran out."""
    if re.search(r"(malloc|calloc|realloc)\b.* failed", str(error)):
        raise MemoryError(str(error)) from error


def is_empty(source: Path | bytes) -> bool:
    """Whether a file, or its content, has no bytes. Raises OSError."""
    if isinstance(source, bytes):
        return not source
    with source.open("rb") as file:
        return not file.read(1)


@dataclass(frozen=True)
class Drawing:
    """A page as MuPDF draws it. said is MuPDF's complaint.

    is_even: it has content, but the drawing has only one colour. has_wrong_sum: packed bytes on it
    do not match their checksum, so the bytes or the checksum are wrong.
    """

    picture: Image.Image | None
    said: str = ""
    is_even: bool = False
    has_wrong_sum: bool = False


def page_of(document: pymupdf.Document, index: int) -> tuple[pymupdf.Page, bool]:
    """Return a page, and whether its CropBox shows nothing: then set it to the whole MediaBox.

    MuPDF would draw an empty sheet. The open document keeps the change, so call forget() when the
    page is done.
    """
    page = document[index]
    if not document.is_pdf:
        return page, False
    mupdf = pymupdf.mupdf
    crop = mupdf.pdf_dict_get_inheritable(page._pdf_page().obj(), mupdf.pdf_new_name("CropBox"))
    if not crop.m_internal or not mupdf.pdf_is_array(crop):
        return page, False
    shown = pymupdf.Rect(mupdf.pdf_to_rect(crop)) & page.mediabox
    if mupdf.pdf_array_len(crop) == 4 and not shown.is_empty:
        return page, False
    document.xref_set_key(page.xref, "CropBox", "[{} {} {} {}]".format(*page.mediabox))
    return document.reload_page(page), True


def scale_of(rect: pymupdf.Rect) -> float:
    """Return pixels a point: as in the reference, but at most LARGEST_DRAWING pixels in all."""
    for dpi in (PDF_DPI, FALLBACK_DPI):
        area = (rect * pymupdf.Matrix(dpi / 72, dpi / 72)).irect
        if max(area.width, area.height) <= GUARD_SIDE:
            return dpi / 72
    return min(FALLBACK_DPI / 72, math.sqrt(LARGEST_DRAWING / (rect.width * rect.height)))


def drawn_by_mupdf(page: pymupdf.Page) -> Drawing:
    """Draw a page; all warnings since the last take_warnings() count as warnings about it.

    Raises UnreadablePage, and what MuPDF raises.
    """
    scale = scale_of(page.rect)
    matrix = pymupdf.Matrix(scale, scale)
    area = (page.rect * matrix).irect
    check_size(area.width, area.height)
    pixmap = page.get_pixmap(matrix=matrix, alpha=False)
    warnings = take_warnings()
    if sources_of(page.parent, page.number).pictures:
        pymupdf.TOOLS.store_shrink(100)  # else it keeps them decoded: up to 256 MiB in each worker
    rgb = pixmap.samples
    gray = one_of_three(rgb)
    mode, pixels = ("RGB", rgb) if gray is None else ("L", gray)
    size = pixmap.width, pixmap.height
    picture = Image.frombuffer(mode, size, pixels, "raw", mode, 0, 1)
    is_even = has_one_colour(picture) and has_content(page)
    return Drawing(picture, complaint(warnings), is_even, WRONG_SUM in warnings)


def has_one_colour(picture: Image.Image) -> bool:
    """Whether all pixels are the same."""
    sample = picture.resize((64, 64), Image.Resampling.NEAREST)  # mostly shows a second colour
    return not any(contrast(band) for part in (sample, picture) for band in part.split())


def has_content(page: pymupdf.Page) -> bool:
    """Whether a page has anything that could be drawn."""
    return bool(page.read_contents().strip() or page.annot_xrefs())


def take_warnings() -> str:
    """Return MuPDF's warnings since the last call, and clear them."""
    return str(pymupdf.TOOLS.mupdf_warnings())


def forget() -> None:
    """Drop the open document and MuPDF's cache: it would not warn again of what it has cached."""
    open_once.cache_clear()
    pymupdf.TOOLS.store_shrink(100)


def one_of_three(rgb: bytes) -> bytes | None:
    """Return one of three channels if all are equal, else None.

    This takes half the time of making an RGB picture first.
    """
    red = b""
    for step in (3 * 61, 3):  # the first step mostly shows colour
        red = rgb[::step]
        if not red == rgb[1::step] == rgb[2::step]:
            return None
    return red


def kept_pdf(source: Path | bytes) -> pymupdf.Document:
    """Open a PDF, or return the last one if it is still the same.

    Loading its fonts takes half of a page's time. Raises UnreadablePage.
    """
    if isinstance(source, bytes):
        return open_once(source, 0, len(source))
    try:
        state = source.stat()
    except OSError as error:
        raise UnreadablePage(f"the file cannot be opened: {error.strerror}") from error
    return open_once(source, state.st_mtime_ns, state.st_size)


@functools.lru_cache(maxsize=1)
def open_once(source: Path | bytes, mtime_ns: int, size: int) -> pymupdf.Document:
    """open_pdf, unless it is the last document again, unchanged."""
    document = open_pdf(source)
    with contextlib.suppress(*MUPDF_ERRORS):  # each page will raise it again
        if document.is_pdf and document.page_count:
            document.page_xref(0)  # reads the page tree, so that no page is blamed for its faults
    return document
