"""Find what is missing of a page of a PDF: in the file itself, or only for MuPDF."""

import math
import re
from dataclasses import dataclass

import pymupdf

from picture.damaged import MOST_MISSING
from picture.images import UnreadablePage
from picture.opening import open_image
from picture.pdf.mupdf import MUPDF_ERRORS, take_warnings
from picture.pdf.sources import Stored, packed_picture, sources_of, stored_image
from picture.pdf.whole import AFTER_INLINE, NOT_THERE, UNDECODED, complaint

JPEG, FAX = "DCTDecode", "CCITTFaxDecode"
# filters with pixels row by row; in a fax, MuPDF leaves out what follows a wrong code
ROWS = ("", "FlateDecode", "LZWDecode", "RunLengthDecode", FAX)
INLINE = re.compile(rb"\bBI\b(.{0,400}?)\bID\b", re.DOTALL)
SIDE = re.compile(rb"/(W|Width|H|Height)\s+([0-9]{1,6})\b")
LARGEST_ICON = 100 * 100  # pixels


@dataclass(frozen=True)
class Lost:
    """What is missing of a page, in words for people; empty if nothing shows that much is.

    for_all: the file lacks it, so no program can draw it. Else another program may draw it.
    """

    what: str = ""
    for_all: bool = True


def lost_of(document: pymupdf.Document, index: int, said: str) -> Lost:
    """Return what is missing of a page; said is MuPDF's complaint about it."""
    if not document.is_pdf:
        return Lost()
    if NOT_THERE in said:
        return Lost("a picture or a drawing on it is not in the file")
    try:
        sources = sources_of(document, index)
        drawn = [*document[index].get_contents(), *sources.drawings]
        if any(is_cut(document, xref) for xref in drawn):
            return Lost("what is to be drawn is cut off or damaged")
        if AFTER_INLINE in said and any(has_large_inline(document, xref) for xref in drawn):
            return Lost("a picture among its operators is cut off", for_all=False)
        undecoded = (each for each in sources.pictures if cannot_be_decoded(document, each.xref))
        losses = (lost_of_picture(document, each) for each in undecoded)
        return next((lost for lost in losses if lost.what), Lost())
    except (*MUPDF_ERRORS, IndexError):
        return Lost("what is on it cannot be read", for_all=False)


def is_cut(document: pymupdf.Document, xref: int) -> bool:
    """Whether a stream of drawing operators cannot be unpacked to its end."""
    take_warnings()
    document.xref_stream(xref)
    return is_undecoded()


def has_large_inline(document: pymupdf.Document, xref: int) -> bool:
    """Whether there is a picture among the drawing operators that is larger than an icon."""
    for head in INLINE.findall(document.xref_stream(xref) or b""):  # it may be no stream
        sides = [int(side) for _, side in SIDE.findall(head)]
        if math.prod(sides) > LARGEST_ICON:
            return True
    return False


def is_undecoded() -> bool:
    """Whether MuPDF could not decode what it has read since the last take_warnings()."""
    return bool(UNDECODED.search(complaint(take_warnings())))


def cannot_be_decoded(document: pymupdf.Document, xref: int) -> bool:
    """Whether a picture cannot be decoded to its end. MuPDF warns of it only once."""
    take_warnings()
    pymupdf.Pixmap(document, xref)
    return is_undecoded()


def is_group_4(document: pymupdf.Document, xref: int) -> bool:
    """Whether each row of a fax is coded by the row above: then none is right after a wrong one."""
    kind, group = document.xref_get_key(xref, "DecodeParms/K")
    return kind == "int" and int(group) < 0


def lost_of_picture(document: pymupdf.Document, picture: Stored) -> Lost:
    """Return what is missing of a picture that MuPDF cannot decode."""
    xref, kind = picture.xref, picture.kind
    if kind in ROWS:
        image = stored_image(document, xref)
        size = (image.w() * image.n() * image.bpc() + 7) // 8 * image.h()
        missing = 1 - len(document.xref_stream(xref)) / max(1, size)
        what = f"damaged picture: {missing:.0%} of it is missing" * (missing > MOST_MISSING)
        return Lost(what, for_all=kind != FAX or is_group_4(document, xref))
    if kind != JPEG:
        return Lost("a picture on it cannot be decoded", for_all=False)
    try:
        open_image(packed_picture(document, xref))
    except UnreadablePage as error:
        return Lost(str(error))
    return Lost()
