"""Decide if a page of a PDF was drawn whole, by MuPDF's warnings and by PDFium's drawing."""

import re
from dataclasses import dataclass

from PIL import Image, ImageChops, ImageFilter

TILE = 32  # pixels: about a line of text at 200 dpi
STEP = 48  # gray levels between neighbours that make an edge
CLEARLY_MORE = 2  # more than twice the tiles that only the other one has, plus two

REPAIRED = "the PDF is damaged and was repaired: parts of it may be missing"
BOX = "its CropBox shows nothing: the whole MediaBox was drawn"

# said of good pages, too; nothing of the drawing is missing
HARMLESS = re.compile(
    r"""
    \.\.\.\ repeated\ | bogus\ font\ (ascent|descent) | found\ duplicate\ | \bICC\b | \bicc\b
    | ignoring\ zlib\ error:\ incorrect\ (data|header)\ check | line\ feed\ missing\ after\ stream
    | stream\ Length\ incorrect | \blink\b | outline | structure\ tree | marked\ content
    """,
    re.VERBOSE,
)
# said if the file has only the name of a picture or a drawing
NOT_THERE = "no XObject subtype specified"
# said if a picture among the operators ends too early; what follows may be lost, too
AFTER_INLINE = "after inline image"
# said if packed bytes have changed, or if a careless program wrote a wrong checksum
WRONG_SUM = "incorrect data check"
# said if something could not be read or decoded to its end
UNDECODED = re.compile(
    r"""
    jbig2 | openjpeg | JPX | jpeg | \bfax\b | zlib | flate | lzw | premature | truncated
    | read\ error | cannot\ (load|complete)\ (content|image|jbig2)
    """,
    re.VERBOSE | re.IGNORECASE,
)


@dataclass(frozen=True)
class Drawn:
    """A page that was drawn twice, because MuPDF complained, failed, or drew nothing.

    said is MuPDF's complaint, empty if it had none. only_mupdf and only_pdfium count the tiles in
    which only one of them drew something. lost says what is missing; for_all: no program can draw
    that.
    """

    said: str = ""
    failed: bool = False
    is_even: bool = False
    refused: str = ""
    """Why PDFium could not draw it."""
    only_mupdf: int = 0
    only_pdfium: int = 0
    lost: str = ""
    for_all: bool = False


@dataclass(frozen=True)
class Choice:
    """Which drawing to send, and a note about it; or the reason to send none."""

    by_pdfium: bool = False
    note: str = ""
    reason: str = ""


def choose(drawn: Drawn) -> Choice:
    """Choose the better drawing; none if neither can be trusted."""
    why = f"MuPDF: {drawn.said}" if drawn.said else "MuPDF draws nothing of what is on it"
    if drawn.refused:
        return Choice(reason=f"not drawn whole: {why}; PDFium: {drawn.refused}")
    if drawn.lost and drawn.for_all:
        return Choice(reason=f"not drawn whole ({drawn.lost}): {why}")
    if drawn.only_pdfium > CLEARLY_MORE * drawn.only_mupdf + CLEARLY_MORE:
        return Choice(by_pdfium=True, note=f"drawn by PDFium, which draws more ({why})")
    if drawn.failed or drawn.lost or (drawn.said and drawn.is_even):
        lost = f" ({drawn.lost})" if drawn.lost else ""
        return Choice(reason=f"not drawn whole{lost}: {why}; PDFium draws no more")
    if drawn.is_even:
        return Choice()  # white ink, or a scan of an empty sheet
    return Choice(note=f"{why}; PDFium draws no more")


def complaint(warnings: str) -> str:
    """Return the MuPDF warning that tells most, if the drawing may not be whole; else empty."""
    lines = (line.strip() for line in warnings.splitlines())
    told = [line for line in lines if line and not HARMLESS.search(line)]
    inline = [line for line in told if AFTER_INLINE in line]
    undecoded = [line for line in told if UNDECODED.search(line) or NOT_THERE in line]
    return (inline or undecoded or told or [""])[0][:120]


def tiles_apart(mupdf: Image.Image | None, pdfium: Image.Image) -> tuple[int, int]:
    """Count the tiles in which only MuPDF, and only PDFium, has drawn something.

    Letters may be a little displaced, so a neighbouring tile counts as the same.
    """
    there = inked(pdfium, mupdf.size if mupdf else pdfium.size)
    here = inked(mupdf, mupdf.size) if mupdf else Image.new("L", there.size, 0)
    return alone(here, there), alone(there, here)


def inked(page: Image.Image, size: tuple[int, int]) -> Image.Image:
    """Make a map of the page, a pixel for each tile: white if it has edges, else black."""
    gray = page.convert("L")
    if gray.size != size:
        gray = gray.resize(size)
    edges = gray.filter(ImageFilter.FIND_EDGES).point(lambda level: 255 * (level > STEP))
    # the filter leaves the picture's own border as it is
    edges.paste(0, (0, 0, edges.width, 1))
    edges.paste(0, (0, edges.height - 1, edges.width, edges.height))
    edges.paste(0, (0, 0, 1, edges.height))
    edges.paste(0, (edges.width - 1, 0, edges.width, edges.height))
    return edges.reduce(TILE).point(lambda level: 255 * (level > 1))


def alone(one: Image.Image, other: Image.Image) -> int:
    """Count the tiles that are white in one map, and black with all around them in the other."""
    around = other.filter(ImageFilter.MaxFilter(3))
    return ImageChops.subtract(one, around).histogram()[255]
