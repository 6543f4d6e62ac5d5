"""Find what is missing of a page of a PDF although MuPDF did not complain."""

import functools

import pymupdf
from PIL import Image, ImageChops

from picture.damaged import ENDS_EARLY, MOST_MISSING
from picture.pdf import jbig2
from picture.pdf.lost import JPEG, Lost, lost_of_picture
from picture.pdf.mupdf import MUPDF_ERRORS, take_warnings
from picture.pdf.sources import Stored, is_shown, packed_picture, sources_of
from picture.pdf.whole import WRONG_SUM

PACKED, JBIG2 = "FlateDecode", "JBIG2Decode"
# what the decoder makes up for the end of a cut JPEG, as the drawing shows it
MADE_UP = range(125, 132)  # gray levels
SAMPLE = (128, 128)
LEAST_MADE_UP = 8  # pixels of it: a twentieth of a picture that covers a hundredth of the page
NOTE = "the checksum of a picture on it is wrong: a part of it may be, too"


def unsaid_of(
    document: pymupdf.Document, index: int, drawn: Image.Image, has_wrong_sum: bool
) -> tuple[Lost, str]:
    """Return what is missing of a page with this drawing, and a note.

    has_wrong_sum: something on the page is packed with a wrong checksum.
    """
    try:
        pictures = sources_of(document, index).pictures
        jpegs = [each for each in pictures if each.kind == JPEG]
        may_be_cut = [each for each in pictures if each.kind == JBIG2]
        if any(each.is_cmyk for each in jpegs) or (jpegs and shows_made_up(drawn)):
            may_be_cut += jpegs
        for picture in may_be_cut:
            lost = unsaid_of_picture(document, picture)
            if lost.what and is_shown(document, index, picture.xref):
                return lost, ""
        packed = [each for each in pictures if PACKED in each.filters and has_wrong_sum]
        return Lost(), NOTE * any(is_packed_wrongly(document, each) for each in packed)
    except MUPDF_ERRORS:
        return Lost(), ""  # MuPDF could read them when it drew the page


def shows_made_up(drawn: Image.Image) -> bool:
    """Whether much of a drawing has the gray that a JPEG's decoder makes up.

    For CMYK it makes up another colour.
    """
    sample = drawn.resize(SAMPLE, Image.Resampling.NEAREST)
    table = [255 * (level in MADE_UP) for level in range(256)]
    gray = functools.reduce(ImageChops.darker, (band.point(table) for band in sample.split()))
    return gray.histogram()[255] >= LEAST_MADE_UP


def unsaid_of_picture(document: pymupdf.Document, picture: Stored) -> Lost:
    """Return what is missing of a picture: a JPEG that ends too early, or a JBIG2."""
    if picture.kind == JPEG:
        lost = lost_of_picture(document, picture)
        return lost if lost.what.startswith(ENDS_EARLY) else Lost()
    missing = jbig2.part_missing(packed_picture(document, picture.xref))
    return Lost(f"damaged picture: {missing:.0%} of it is missing" * (missing > MOST_MISSING))


def is_packed_wrongly(document: pymupdf.Document, picture: Stored) -> bool:
    """Whether the packed bytes of a picture have a wrong checksum."""
    take_warnings()
    document.xref_stream(picture.xref)
    return WRONG_SUM in take_warnings()
