"""A page of a PDF -> its picture, as the reference client renders it."""

import functools
import re
from contextvars import ContextVar
from pathlib import Path

import pymupdf
from PIL import Image

from picture.images import GUARD_SIDE, PDF_DPI, UnreadablePage, check_size

FALLBACK_DPI = 72  # for pages of which a side would pass GUARD_SIDE at PDF_DPI

PASSWORD = ContextVar("PASSWORD", default="")  # of the PDFs that this process opens

MUPDF_ERRORS = (pymupdf.mupdf.FzErrorBase, RuntimeError, ValueError, OSError)


def open_with(password: str) -> None:
    """Open the PDFs that want a password with this one, in all this process."""
    PASSWORD.set(password)


def open_pdf(source: Path | bytes) -> pymupdf.Document:
    """Open a PDF, a file or its content.

    Raises UnreadablePage when it is missing, damaged or wants another password.
    """
    pymupdf.TOOLS.mupdf_display_errors(False)  # its complaints would tear the progress bar
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
        raise UnreadablePage("damaged beyond repair, or no PDF at all") from error
    if not document.is_pdf:  # MuPDF looks for itself, and draws web pages and comics, too
        document.close()
        raise UnreadablePage("no PDF at all, though it says so in its first bytes")
    if document.needs_pass and not document.authenticate(PASSWORD.get()):
        document.close()
        which = "another password than" if PASSWORD.get() else "a password: give it in"
        raise UnreadablePage(f"the PDF wants {which} PDF_PASSWORD, or save a copy without one")
    return document


def check_memory(error: Exception) -> None:
    """Raise MemoryError if that is what an error of MuPDF's says."""
    if re.search(r"(malloc|calloc|realloc)\b.* failed", str(error)):
        raise MemoryError(str(error)) from error


def is_empty(source: Path | bytes) -> bool:
    """Whether there is not one byte. Raises OSError."""
    if isinstance(source, bytes):
        return not source
    with source.open("rb") as file:
        return not file.read(1)


def open_pdf_page(source: Path | bytes, index: int) -> Image.Image:
    """Render one page of a PDF at 200 dpi; at 72 dpi if a side would pass 4,500 pixels.

    index counts from 0. Raises UnreadablePage.
    """
    document = kept_pdf(source)
    try:
        page = document[index]
        for dpi in (PDF_DPI, FALLBACK_DPI):
            matrix = pymupdf.Matrix(dpi / 72, dpi / 72)
            area = (page.rect * matrix).irect
            if max(area.width, area.height) <= GUARD_SIDE:
                break
        check_size(area.width, area.height)
        pixmap = page.get_pixmap(matrix=matrix, alpha=False)
        has_pictures = bool(page.get_images())
    except (*MUPDF_ERRORS, IndexError) as error:
        open_once.cache_clear()  # who knows what state it is in
        check_memory(error)
        raise UnreadablePage(f"damaged PDF page: {error}") from error
    if has_pictures:  # decoded, they would stay: up to 256 MiB in each worker
        pymupdf.TOOLS.store_shrink(100)
    rgb = pixmap.samples
    gray = one_of_three(rgb)
    mode, pixels = ("RGB", rgb) if gray is None else ("L", gray)
    return Image.frombuffer(mode, (pixmap.width, pixmap.height), pixels, "raw", mode, 0, 1)


def one_of_three(rgb: bytes) -> bytes | None:
    """One channel of three equal ones, or None. Without a picture of all three, half the time."""
    red = b""
    for step in (3 * 61, 3):  # colour mostly shows at once
        red = rgb[::step]
        if not red == rgb[1::step] == rgb[2::step]:
            return None
    return red


def kept_pdf(source: Path | bytes) -> pymupdf.Document:
    """The document, still open if it was the last one: half of a page's time goes into its fonts.

    Raises UnreadablePage.
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
    return open_pdf(source)
