"""What is missing of a page of a PDF that MuPDF has drawn without a complaint."""

import functools
from collections.abc import Sequence

import pymupdf
from PIL import Image, ImageChops

from picture.damaged import ENDS_EARLY
from picture.pdf.lost import JPEG, Lost, lost_of_image
from picture.pdf.mupdf import MUPDF_ERRORS, take_warnings
from picture.pdf.whole import WRONG_SUM

PACKED = "FlateDecode"
# what the decoder of a JPEG that ends too early makes up, as it is drawn
MADE_UP = range(125, 132)  # gray levels
SAMPLE = (128, 128)
LEAST_MADE_UP = 8  # of the sample: a twentieth of a picture that is a hundredth of the page
NOTE = "the checksum of a picture on it is wrong: a part of it may be, too"

Row = tuple[int | str, ...]  # of get_page_images()


def unsaid_of(
    document: pymupdf.Document, index: int, drawn: Image.Image, has_wrong_sum: bool
) -> tuple[Lost, str]:
    """What is missing of a page that was drawn so, and a note.

    has_wrong_sum: something on it is packed with a wrong checksum.
    """
    images: list[Row] = document.get_page_images(index, full=True)
    jpegs = [image for image in images if image[8] == JPEG]
    try:
        if jpegs and shows_made_up(drawn, jpegs):
            losses = (lost_of_image(document, image) for image in jpegs)
            if lost := next((lost for lost in losses if lost.what.startswith(ENDS_EARLY)), None):
                return lost, ""
        packed = [image for image in images if image[8] == PACKED and has_wrong_sum]
        return Lost(), NOTE * any(is_packed_wrongly(document, image) for image in packed)
    except MUPDF_ERRORS:
        return Lost(), ""  # it could read them when it drew the page


def shows_made_up(drawn: Image.Image, jpegs: Sequence[Row]) -> bool:
    """Whether much of a drawing may be of the gray that a JPEG's decoder makes up."""
    if any(image[5] == "DeviceCMYK" for image in jpegs):
        return True
    sample = drawn.resize(SAMPLE, Image.Resampling.NEAREST)
    table = [255 * (level in MADE_UP) for level in range(256)]
    gray = functools.reduce(ImageChops.darker, (band.point(table) for band in sample.split()))
    return gray.histogram()[255] >= LEAST_MADE_UP


def is_packed_wrongly(document: pymupdf.Document, image: Row) -> bool:
    """Whether the bytes of a picture have a wrong checksum."""
    take_warnings()
    document.xref_stream(image[0])
    return WRONG_SUM in take_warnings()
