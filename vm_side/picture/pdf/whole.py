"""Was a page of a PDF drawn whole? What MuPDF says of it, and how PDFium's drawing differs."""

import re
from dataclasses import dataclass

from PIL import Image, ImageChops, ImageFilter

TILE = 32  # pixels: about a line of text at 200 dpi
STEP = 48  # gray levels between neighbours that make an edge
CLEARLY_MORE = 2  # times as many tiles as the other one has alone, and two more

REPAIRED = "the PDF is damaged and was repaired: parts of it may be missing"
BOX = "its CropBox shows nothing: the whole MediaBox was drawn"

# said of sound pages, too; nothing of the drawing is missing
HARMLESS = re.compile(
    r"""
    \.\.\.\ repeated\ | bogus\ font\ (ascent|descent) | found\ duplicate\ | \bICC\b | \bicc\b
    | ignoring\ zlib\ error:\ incorrect\ (data|header)\ check | line\ feed\ missing\ after\ stream
    | stream\ Length\ incorrect | \blink\b | outline | structure\ tree | marked\ content
    """,
    re.VERBOSE,
)
# said of a picture or a drawing of which there is but the name
NOT_THERE = "no XObject subtype specified"
# said of a picture among the operators that ends before its end; what follows may be lost, too
AFTER_INLINE = "after inline image"
# said of packed bytes that are others than those that were packed, or whose writer was careless
WRONG_SUM = "incorrect data check"
# said of what no other page of the same file would have drawn whole
UNDECODED = re.compile(
    r"""
    jbig2 | openjpeg | JPX | jpeg | \bfax\b | zlib | flate | lzw | premature | truncated
    | read\ error | cannot\ (load|complete)\ (content|image|jbig2)
    """,
    re.VERBOSE | re.IGNORECASE,
)


@dataclass(frozen=True)
class Drawn:
    """A page that was drawn twice, since MuPDF complained, failed, or drew nothing.

    said is MuPDF's complaint, empty if it had none. only_mupdf and only_pdfium count the tiles in
    which one alone drew something. lost says what is missing, for_all that nobody can draw it.
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
    """Whose drawing is sent, and the note for it; or why none is."""

    by_pdfium: bool = False
    note: str = ""
    reason: str = ""


def choose(drawn: Drawn) -> Choice:
    """The better drawing; none where neither can be trusted."""
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
        return Choice()  # white ink, or a scan of nothing
    return Choice(note=f"{why}; PDFium draws no more")


def complaint(warnings: str) -> str:
    """The first of MuPDF's warnings that tells of a drawing that is not whole, or nothing."""
    lines = (line.strip() for line in warnings.splitlines())
    told = [line for line in lines if line and not HARMLESS.search(line)]
    inline = [line for line in told if AFTER_INLINE in line]
    undecoded = [line for line in told if UNDECODED.search(line) or NOT_THERE in line]
    return (inline or undecoded or told or [""])[0][:120]


def tiles_apart(mupdf: Image.Image | None, pdfium: Image.Image) -> tuple[int, int]:
    """In how many tiles only the one, and only the other, has drawn something.

    Letters may stand a little aside: a neighbouring tile counts as the same.
    """
    there = inked(pdfium, mupdf.size if mupdf else pdfium.size)
    here = inked(mupdf, mupdf.size) if mupdf else Image.new("L", there.size, 0)
    return alone(here, there), alone(there, here)


def inked(page: Image.Image, size: tuple[int, int]) -> Image.Image:
    """A map of the page in tiles: white where there is an edge, else black."""
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
    """Tiles that are white in one map, and black around there in the other."""
    around = other.filter(ImageFilter.MaxFilter(3))
    return ImageChops.subtract(one, around).histogram()[255]
