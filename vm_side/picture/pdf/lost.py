"""What the file itself lacks of a page of a PDF, whichever program draws it."""

import pymupdf

from picture.damaged import MOST_MISSING
from picture.images import UnreadablePage
from picture.opening import open_image
from picture.pdf.mupdf import MUPDF_ERRORS, take_warnings
from picture.pdf.whole import UNDECODED

JPEG = "DCTDecode"
ROWS = ("", "FlateDecode", "LZWDecode", "RunLengthDecode")  # whose pixels come row by row
CHANNELS = {
    "DeviceGray": 1,
    "CalGray": 1,
    "Indexed": 1,
    "DeviceRGB": 3,
    "CalRGB": 3,
    "DeviceCMYK": 4,
}


def lost_of(document: pymupdf.Document, index: int) -> str:
    """In words for people; empty if nothing shows that more than a small part is missing."""
    if not document.is_pdf:
        return ""
    try:
        drawn = [*document[index].get_contents(), *(form[0] for form in forms_of(document, index))]
        if any(is_cut(document, xref) for xref in drawn):
            return "what is to be drawn is cut off or damaged"
        for image in document.get_page_images(index, full=True):
            if lost := lost_of_image(document, image):
                return lost
    except (*MUPDF_ERRORS, IndexError):
        return "what is on it cannot be read"
    return ""


def forms_of(document: pymupdf.Document, index: int) -> list[tuple[int, ...]]:
    """The drawings that a page takes in, each with its number first."""
    return list(document.get_page_xobjects(index))


def is_cut(document: pymupdf.Document, xref: int) -> bool:
    """Whether a stream of drawing operators cannot be unpacked to its end."""
    take_warnings()
    document.xref_stream(xref)
    return bool(UNDECODED.search(take_warnings()))


def lost_of_image(document: pymupdf.Document, image: tuple[int | str, ...]) -> str:
    """What is missing of a picture, by its row in get_page_images()."""
    xref, _, width, height, bits, colours, _, _, kind = image[:9]
    take_warnings()
    pymupdf.Pixmap(document, xref)
    if not UNDECODED.search(take_warnings()):
        return ""
    if kind == JPEG:
        try:
            open_image(document.xref_stream_raw(xref))
        except UnreadablePage as error:
            return str(error)
        return ""
    if kind in ROWS:
        assert isinstance(width, int) and isinstance(height, int) and isinstance(bits, int)
        size = (width * bits * CHANNELS.get(str(colours), 3) + 7) // 8 * height
        missing = 1 - len(document.xref_stream(xref)) / max(1, size)
        return f"damaged picture: {missing:.0%} of it is missing" * (missing > MOST_MISSING)
    return "a picture on it cannot be decoded"
