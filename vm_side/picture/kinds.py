"""Tell what a file is by its first bytes, not by its name."""

import io
import re
from pathlib import Path

HEAD_BYTES = 1024  # Acrobat takes a file for a PDF if it says so within these

JPEG, TIFF, HEIF = "a JPEG picture", "a TIFF picture", "a HEIF picture"
# these formats have a mark at their end
WITH_END = ("a PNG picture", JPEG, "a GIF picture", "a JPEG 2000 picture")
PICTURES = (
    (rb"\x89PNG\r\n\x1a\n", "a PNG picture"),
    (rb"\xff\xd8\xff", JPEG),
    (rb"II[*+]\0|MM\0[*+]", TIFF),
    (rb"RIFF....WEBP", "a WebP picture"),
    (rb"GIF8", "a GIF picture"),
    (rb"BM", "a BMP picture"),
    (rb"\0\0\0\x0cjP  |\xff\x4f\xff\x51", "a JPEG 2000 picture"),
    (rb"....ftypavi[fs]", "an AVIF picture"),
    (rb"....ftyp(he[iv][cmsx]|m[is]f1)", HEIF),
)
OTHERS = (
    (rb".*%PDF-", "a PDF: call it .pdf, and its pages are read"),
    (rb"PK\x03\x04", "a zip archive (as .docx, .xlsx, .hwpx and .epub are)"),
    (rb"\xd0\xcf\x11\xe0", "an old Office file (as .doc, .xls and .hwp are)"),
    (rb"Rar!|7z\xbc\xaf|\x1f\x8b", "an archive"),
    (rb"AT&TFORM", "a DjVu document"),
    (rb"8BPS", "a Photoshop picture"),
    (rb"\xff\x0a|\0\0\0\x0cJXL ", "a JPEG XL picture"),
    (rb"\0+\Z", "nothing but zeros, as of a copy that was cut short"),
    (rb"%!PS|\xc5\xd0\xd3\xc6", "PostScript"),
    (rb"\{\\rtf", "an RTF document"),
    (rb"version https://git-lfs", "a pointer of Git LFS in place of the file: git lfs pull"),
    (rb"<drmfile", "a document of a DRM system: save a copy without it"),
    (rb"<.*<svg\b|<svg\b", "an SVG drawing"),
    (rb"<(!doctype )?html\b|<.*<html\b", "a web page"),
    (rb"<\?xml", "an XML file"),
    (rb".*[\0-\x08\x0e-\x1a]", "data of an unknown kind"),
    (rb"[{\[]", "JSON"),
    (rb".", "text"),
)


def head_of(source: Path | bytes) -> bytes:
    """Read the first bytes of a file, or of its content. Raises OSError."""
    with file_of(source) as file:
        return file.read(HEAD_BYTES)


def file_of(source: Path | bytes) -> io.BytesIO | io.BufferedReader:
    """Open a file, or its content, for reading. Raises OSError."""
    return io.BytesIO(source) if isinstance(source, bytes) else source.open("rb")


def content_of(source: Path | bytes) -> bytes:
    """Read a whole file. Raises OSError."""
    return source if isinstance(source, bytes) else source.read_bytes()


def is_pdf(head: bytes) -> bool:
    """Whether a file with this beginning is a PDF."""
    return b"%PDF-" in head


def is_pdf_page(source: Path | bytes, number: int | None) -> bool:
    """Whether a page with this number is of a PDF, and not a picture or a frame of a TIFF."""
    return number is not None and is_pdf(head_of(source))


def picture_kind(head: bytes) -> str:
    """Say what kind of picture begins like this, for people; empty if we do not read it."""
    return first(PICTURES, head, re.DOTALL)


def what_it_is(head: bytes) -> str:
    """Say what a file with this beginning is, for people."""
    start = head.removeprefix(b"\xef\xbb\xbf").lstrip()
    return picture_kind(head) or first(OTHERS, start, re.DOTALL | re.IGNORECASE) or "blanks"


def first(kinds: tuple[tuple[bytes, str], ...], head: bytes, flags: int) -> str:
    """Return the first of these kinds with a pattern that matches a beginning; empty if none."""
    return next((kind for pattern, kind in kinds if re.match(pattern, head, flags)), "")
