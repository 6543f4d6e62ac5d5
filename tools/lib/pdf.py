"""PDFs of INPUT: opened only in a process that can be killed (see lib.pool).

PyMuPDF takes a tenth of a second to load: import this module only where there is a PDF.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pymupdf
from PIL import Image


@contextmanager
def opened(path: Path, password: str) -> Iterator[pymupdf.Document]:
    """Open a PDF; it stays encrypted if the password is wrong. MuPDF's errors become ValueError."""
    pymupdf.TOOLS.mupdf_display_errors(False)
    pymupdf.TOOLS.mupdf_display_warnings(False)
    try:
        with pymupdf.open(path, filetype="pdf") as document:
            if document.needs_pass:
                document.authenticate(password)
            yield document
    except pymupdf.mupdf.FzErrorBase as error:
        raise ValueError(str(error)) from error


def page_count(path: Path, password: str) -> int:
    """Return how many pages a PDF says it has; 0 if it needs another password."""
    with opened(path, password) as document:
        return 0 if document.is_encrypted else int(document.page_count)


def drawn(path: Path, index: int, side: int, password: str) -> Image.Image:
    """Draw the page with this index (from 0); its longer side is `side` pixels long."""
    with opened(path, password) as document:
        page = document[index]
        scale = side / max(page.rect.width, page.rect.height)
        pixmap = page.get_pixmap(matrix=pymupdf.Matrix(scale, scale), alpha=False)
        return Image.frombytes("RGB", (pixmap.width, pixmap.height), pixmap.samples)
