"""How many pages a PDF or a TIFF has: what it says is checked against what it holds.

This runs in a worker, because an untrusted file is opened only there.
"""

import hashlib
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath

from picture.frames import chain_of
from picture.images import UnreadablePage
from picture.kinds import TIFF, head_of, is_pdf, picture_kind, what_it_is
from picture.limits import OUT_OF_MEMORY
from picture.pdf.elsewhere import beyond_pages, check_form
from picture.pdf.mupdf import MUPDF_ERRORS, open_pdf, take_warnings
from results.store import Place

BYTES_PER_PAGE = 4  # of the file, at least; the smallest empty page that was seen took 10


@dataclass(frozen=True, slots=True)
class Counted:
    """The pages that a file holds, and how many it says it has; or why they cannot be counted.

    sha256 is the file's hash, if the file had to be fetched. is_picture says that the file is one
    page, without a number. beyond says what is in it that is not one of these pages, and not read.
    """

    pages: int = 0
    said: int = 0
    fault: str = ""
    sha256: str = ""
    kind: str = "PDF"
    is_picture: bool = False
    beyond: str = ""


def count_pages(place: Place) -> Counted:
    """Open a file and count its pages. Never raises for a bad file."""
    sha256 = ""
    try:
        source = source_of(place)
        if isinstance(source, bytes):  # it was fetched already, and must not be fetched again
            sha256 = hashlib.sha256(source).hexdigest()
        return replace(count_in(source, PurePosixPath(str(place)).suffix), sha256=sha256)
    except UnreadablePage as error:
        return Counted(fault=str(error), sha256=sha256)
    except MemoryError:
        return Counted(fault=OUT_OF_MEMORY, sha256=sha256)
    except OSError as error:
        why = error.strerror or error
        return Counted(fault=f"the file cannot be opened: {why}", sha256=sha256)


def count_in(source: Path | bytes, ending: str) -> Counted:
    """Count by what the file is, not by what its name says. Raises UnreadablePage and OSError."""
    head = head_of(source)
    if not head:
        raise UnreadablePage("the file is empty")
    if is_pdf(head):
        return count_in_pdf(source)
    kind = picture_kind(head)
    if not kind:
        wanted = "PDF" if ending.lower() == ".pdf" else "TIFF"
        raise UnreadablePage(f"no {wanted} at all: {what_it_is(head)}")
    if kind == TIFF:
        chain = chain_of(source)
        pages = len(chain.frames)
        if pages > 1 or chain.is_cut:
            return Counted(pages, pages + chain.is_cut, kind="TIFF")
    return Counted(is_picture=True)


def count_in_pdf(source: Path | bytes) -> Counted:
    """Count the pages of a PDF. Raises UnreadablePage."""
    with open_pdf(source) as document:
        size_bytes = len(source) if isinstance(source, bytes) else source.stat().st_size
        take_warnings()  # drops what MuPDF said before
        try:
            said = document.page_count
            if said > 0:
                document.page_xref(0)  # reads the tree of pages: now it knows how many there are
        except MUPDF_ERRORS:
            said = -1
        try:
            check_form(document)
            pages = document.page_count
            most = min(document.xref_length(), size_bytes // BYTES_PER_PAGE)
            beyond = beyond_pages(document, take_warnings())
        except MUPDF_ERRORS as error:
            raise UnreadablePage(f"its pages cannot be counted: {error}") from error
    if pages > most:
        raise UnreadablePage(
            f"the PDF says it has {pages:,} pages, more than {size_bytes:,} bytes can hold"
        )
    return Counted(pages, max(said, pages), beyond=beyond)


def source_of(place: Place) -> Path | bytes:
    """What a file is opened from. Raises UnreadablePage if it is gone, and OSError of a store."""
    if isinstance(place, Path):
        return place
    try:
        return place.read_bytes()
    except FileNotFoundError as error:
        raise UnreadablePage(f"the file cannot be opened: {error}") from error
