"""Write the original pages of a document as a PDF, which has no text of ours yet."""

import contextlib
import itertools
import shutil
import warnings
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pymupdf
from PIL import Image, ImageFile

from lib import damage
from lib.documents.document import Document, Page
from lib.documents.searchable.objects import MUPDF_ERRORS, put_packed, put_stream
from lib.documents.searchable.picture import (
    COLOURS,
    TURNS,
    Picture,
    page_size,
    picture_of,
    upright_size,
)
from lib.files import sha256_of
from lib.pages import originals
from lib.results import is_below

HELD_BYTES = 64 << 20  # so many bytes of pictures are held before they are written
UNREADABLE = (*damage.UNREADABLE, *MUPDF_ERRORS)


@dataclass(frozen=True)
class File:
    """A file of INPUT with the content that was read, and its wanted pages, in order."""

    path: Path
    pages: tuple[Page, ...]

    def head(self) -> bytes:
        """Return its first 1024 bytes. Raises OSError."""
        with self.path.open("rb") as file:
            return file.read(1024)


def files_of(document: Document, source: Path) -> tuple[list[File], list[str]]:
    """Return the files that a document's pages are in, and remarks on files that were left out."""
    files, remarks = list[File](), list[str]()
    for name, pages in itertools.groupby(document.pages, key=lambda page: page.entry.input):
        file = File(source / name, tuple(pages))
        if why := why_not(name, file):
            remarks.append(f"{name}: left out, {why}")
        else:
            files.append(file)
    return files, remarks


def why_not(name: str, file: File) -> str:
    """Say why a file of this name is not what was read; empty if it is."""
    if not is_below(name) or not file.path.is_file():
        return "it is no longer in INPUT"
    try:
        sha256 = sha256_of(file.path)
    except OSError as error:
        return f"it cannot be read ({error.strerror})"
    is_same = all(page.entry.sha256 == sha256 for page in file.pages)
    return "" if is_same else "it has changed since it was read"


def open_pdf(path: Path, password: str) -> pymupdf.Document:
    """Open a PDF. Raises ValueError; its message never has the password in it."""
    try:
        pdf = pymupdf.open(path, filetype="pdf")
    except MUPDF_ERRORS as error:
        raise ValueError(f"{path.name}: damaged beyond repair") from error
    if not pdf.is_pdf or (pdf.needs_pass and not pdf.authenticate(password)):
        why = "wants another password than PDF_PASSWORD" if pdf.is_pdf else "is no PDF"
        pdf.close()
        raise ValueError(f"{path.name}: {why}")
    return pdf


@dataclass
class Book:
    """A PDF that grows on the disk. Only the latest pages are held in memory."""

    target: Path
    pdf: pymupdf.Document = field(default_factory=pymupdf.open)
    pages: dict[int, Page] = field(default_factory=dict)
    """Place in the PDF -> the page that was read."""
    held_bytes: int = 0

    def add(self, picture: Picture, page: Page) -> None:
        """Add a page that shows only a picture."""
        wide, high = page_size(upright_size(picture), picture.dpi)
        turn = pymupdf.Matrix(*TURNS[picture.orientation]) * pymupdf.Matrix(wide, high)
        drawing = f"q {' '.join(f'{number:.4f}' for number in turn)} cm /Page Do Q"
        sheet = self.pdf.new_page(width=wide, height=high)
        shown = put_picture(self.pdf, picture)
        self.pdf.xref_set_key(sheet.xref, "Resources", f"<</XObject<</Page {shown} 0 R>>>>")
        drawn = put_stream(self.pdf, drawing.encode("ascii"))
        self.pdf.xref_set_key(sheet.xref, "Contents", f"{drawn} 0 R")
        self.pages[sheet.number] = page
        self.held_bytes += len(picture.data)
        if self.held_bytes > HELD_BYTES:
            self.write()
            self.pdf, self.held_bytes = pymupdf.open(self.target), 0

    def write(self) -> None:
        """Write the pages that are held, and close the PDF."""
        if self.target.exists():
            self.pdf.saveIncr()
        else:
            self.pdf.save(self.target)
        self.pdf.close()


def put_picture(pdf: pymupdf.Document, picture: Picture) -> int:
    """Add a picture as an object, and return its number."""
    wide, high = picture.size
    keys = f"/Type/XObject/Subtype/Image/Width {wide}/Height {high}{picture.keys}"
    if picture.profile:
        colours = COLOURS[picture.space]
        profile = put_stream(pdf, picture.profile, f"/N {colours}/Alternate{picture.space}")
        keys += f"/ColorSpace[/ICCBased {profile} 0 R]"
    elif picture.space:
        keys += f"/ColorSpace{picture.space}"
    if picture.mask:
        keys += f"/SMask {put_picture(pdf, picture.mask)} 0 R"
    return put_packed(pdf, picture.data, keys)


def bind(
    document: Document, source: Path, password: str, target: Path
) -> tuple[dict[int, Page], list[str]]:
    """Write a document's pages as a PDF. Return place in it -> page that was read, and remarks.

    A PDF is copied as it is, with the pages that were not read. Raises OSError, ValueError.
    """
    files, remarks = files_of(document, source)
    if len(files) == 1 and b"%PDF-" in files[0].head():
        shutil.copyfile(files[0].path, target)
        return {page.entry.pdf_page or 0: page for page in files[0].pages}, remarks
    book = Book(target)
    for file in files:
        for page, found in pictures_in(file):
            if isinstance(found, Picture):
                book.add(found, page)
                remarks += [f"{page.entry.name}: {found.remark}"] * bool(found.remark)
            else:
                remarks.append(f"{page.entry.name}: left out, it cannot be opened ({found})")
    if not book.pdf.page_count:
        raise ValueError("; ".join(remarks) or "there is no page in it")
    book.pdf.set_metadata({"title": document.name})
    book.write()
    return book.pages, remarks


def pictures_in(file: File) -> Iterator[tuple[Page, Picture | Exception]]:
    """Yield the pages of a picture file, each with its picture, or why there is none."""
    try:
        with tolerance(), originals.opened(file.path, file.head()) as image:
            for page in file.pages:
                yield page, picture_on(page, file, image)
    except UNREADABLE as error:
        yield from ((page, error) for page in file.pages)


def picture_on(page: Page, file: File, image: Image.Image) -> Picture | Exception:
    """Return the picture of a page in an open file, or why there is none."""
    try:
        image.seek(page.entry.pdf_page or 0)
        return picture_of(file.path, image)
    except UNREADABLE as error:
        return error


@contextlib.contextmanager
def tolerance() -> Iterator[None]:
    """Let Pillow decode a damaged picture as far as possible, without warnings: it was read so."""
    ImageFile.LOAD_TRUNCATED_IMAGES = True
    try:
        with warnings.catch_warnings(action="ignore"):
            yield
    finally:
        ImageFile.LOAD_TRUNCATED_IMAGES = False
