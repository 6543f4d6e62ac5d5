"""What is missing of a page of a PDF: in the file itself, or as far as MuPDF can read it."""

import math
import re
from collections.abc import Iterator
from dataclasses import dataclass

import pymupdf

from picture.damaged import MOST_MISSING
from picture.images import UnreadablePage
from picture.opening import open_image
from picture.pdf.mupdf import MUPDF_ERRORS, take_warnings
from picture.pdf.whole import AFTER_INLINE, NOT_THERE, UNDECODED, complaint

JPEG, FAX = "DCTDecode", "CCITTFaxDecode"
# whose pixels come row by row; of a fax MuPDF leaves out what is behind a wrong code
ROWS = ("", "FlateDecode", "LZWDecode", "RunLengthDecode", FAX)
INLINE = re.compile(rb"\bBI\b(.{0,400}?)\bID\b", re.DOTALL)
SIDE = re.compile(rb"/(W|Width|H|Height)\s+([0-9]{1,6})\b")
LARGEST_ICON = 100 * 100  # pixels
CHANNELS = {
    "DeviceGray": 1,
    "CalGray": 1,
    "Indexed": 1,
    "DeviceRGB": 3,
    "CalRGB": 3,
    "DeviceCMYK": 4,
}


@dataclass(frozen=True)
class Lost:
    """What is missing of a page, in words for people; empty: nothing shows that much of it is.

    for_all: the file lacks it, whichever program draws it. Else another one may have it.
    """

    what: str = ""
    for_all: bool = True


def lost_of(document: pymupdf.Document, index: int, said: str) -> Lost:
    """What is missing of a page of which MuPDF said this."""
    if not document.is_pdf:
        return Lost()
    if NOT_THERE in said:
        return Lost("a picture or a drawing on it is not in the file")
    try:
        drawn = [*document[index].get_contents(), *(form[0] for form in forms_of(document, index))]
        if any(is_cut(document, xref) for xref in drawn):
            return Lost("what is to be drawn is cut off or damaged")
        if AFTER_INLINE in said and any(has_large_inline(document, xref) for xref in drawn):
            return Lost("a picture among its operators is cut off", for_all=False)
        losses = (lost_of_image(document, image) for image in undecoded(document, index))
        return next((lost for lost in losses if lost.what), Lost())
    except (*MUPDF_ERRORS, IndexError):
        return Lost("what is on it cannot be read", for_all=False)


def forms_of(document: pymupdf.Document, index: int) -> list[tuple[int, ...]]:
    """The drawings that a page takes in, each with its number first."""
    return list(document.get_page_xobjects(index))


def is_cut(document: pymupdf.Document, xref: int) -> bool:
    """Whether a stream of drawing operators cannot be unpacked to its end."""
    take_warnings()
    document.xref_stream(xref)
    return is_undecoded()


def has_large_inline(document: pymupdf.Document, xref: int) -> bool:
    """Whether a picture that stands among drawing operators is more than an icon."""
    for head in INLINE.findall(document.xref_stream(xref)):
        sides = [int(side) for _, side in SIDE.findall(head)]
        if math.prod(sides) > LARGEST_ICON:
            return True
    return False


def is_undecoded() -> bool:
    """Whether MuPDF could not decode what it has just read."""
    return bool(UNDECODED.search(complaint(take_warnings())))


def undecoded(document: pymupdf.Document, index: int) -> Iterator[tuple[int | str, ...]]:
    """The pictures on a page, and their masks, that MuPDF cannot decode."""
    for image in document.get_page_images(index, full=True):
        if cannot_be_decoded(document, image[0]):
            yield image
        if image[1] and cannot_be_decoded(document, image[1]):
            yield mask_of(document, image[1])


def cannot_be_decoded(document: pymupdf.Document, xref: int) -> bool:
    """Whether a picture, or a mask, cannot be decoded to its end. MuPDF says it but once."""
    take_warnings()
    pymupdf.Pixmap(document, xref)
    return is_undecoded()


def mask_of(document: pymupdf.Document, xref: int) -> tuple[int | str, ...]:
    """The row that a picture's mask would have in get_page_images(), where there is none."""

    def value(key: str) -> str:
        kind, found = document.xref_get_key(xref, key)
        return "" if kind == "null" else str(found)

    wide, high, bits = (int(value(key) or 1) for key in ("Width", "Height", "BitsPerComponent"))
    packing = value("Filter").strip("[]/ ")
    return xref, 0, wide, high, bits, "DeviceGray", "", "", packing


def is_group_4(document: pymupdf.Document, xref: int) -> bool:
    """Whether each row of a fax is told by the one above it, so that none is behind a wrong one."""
    kind, group = document.xref_get_key(xref, "DecodeParms/K")
    return kind == "int" and int(group) < 0


def lost_of_image(document: pymupdf.Document, image: tuple[int | str, ...]) -> Lost:
    """What is missing of a picture that MuPDF cannot decode, by its row in get_page_images()."""
    xref, _, width, height, bits, colours, _, _, kind = image[:9]
    assert isinstance(xref, int) and isinstance(width, int) and isinstance(height, int)
    if kind in ROWS:
        assert isinstance(bits, int)
        size = (width * bits * CHANNELS.get(str(colours), 3) + 7) // 8 * height
        missing = 1 - len(document.xref_stream(xref)) / max(1, size)
        what = f"damaged picture: {missing:.0%} of it is missing" * (missing > MOST_MISSING)
        return Lost(what, for_all=kind != FAX or is_group_4(document, xref))
    if kind != JPEG:
        return Lost("a picture on it cannot be decoded", for_all=False)
    try:
        open_image(document.xref_stream_raw(xref))
    except UnreadablePage as error:
        return Lost(str(error))
    return Lost()
