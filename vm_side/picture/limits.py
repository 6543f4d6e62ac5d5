"""How much memory one page may take: while it is computed, and while it waits."""

import warnings
from pathlib import Path

from PIL import Image

from picture.frames import pixels_of_frame
from picture.kinds import file_of, is_pdf_page
from picture.opening import opened
from picture.pdf.mupdf import MUPDF_ERRORS, forget, kept_pdf, page_of, scale_of

MEMORY_MIB = 4096  # of a process that computes; the largest normal page, a WebP, takes 2,800
KEPT_BYTES = 16_000_000  # of a picture while the model answers: a larger one is opened again
LARGE_PIXELS = 64_000_000  # pages with more are computed one at a time

OUT_OF_MEMORY = f"needs more than {MEMORY_MIB:,} MiB of memory"


def is_kept(page: Image.Image) -> bool:
    """Whether a decoded page is small enough to stay in memory while the model answers."""
    return page.width * page.height * len(page.getbands()) <= KEPT_BYTES


def pixels_of(source: Path | bytes, pdf_page: int | None) -> int:
    """Return how many pixels a page will have, as its file says; 0 if the file does not tell.

    Raises UnreadablePage for a PDF or a TIFF that cannot be opened, and for a picture of a kind
    that is not read.
    """
    try:
        if pdf_page is not None and not is_pdf_page(source, pdf_page):
            return pixels_of_frame(source, pdf_page)
        if pdf_page is not None:
            page, is_boxed = page_of(kept_pdf(source), pdf_page)
            if is_boxed:  # whoever draws it must find that again
                forget()
            return int(page.rect.width * page.rect.height * scale_of(page.rect) ** 2)
        with (
            warnings.catch_warnings(action="ignore"),
            file_of(source) as file,
            opened(file) as image,
        ):
            return image.width * image.height
    except (*MUPDF_ERRORS, LookupError, ArithmeticError, SyntaxError, EOFError):
        return 0  # opening it will say why
    except Image.DecompressionBombError:
        return 0
