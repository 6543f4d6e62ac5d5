"""A page with known words in each form in which it can come, and its searchable PDF."""

from __future__ import annotations

import functools
import io
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pymupdf
from PIL import Image

from lib.documents.document import Sources
from lib.documents.formats import pdf
from lib.pages.entries import Cell
from rig import forms
from rig.known_page import (
    HIGH,
    WIDE,
    document_of,
    draw,
    entry_of,
    picture_of,
    words_in,
)
from rig.viewers import Words

LINE = 15 / HIGH  # height of a line of the article, as a share of the page's height
DPI = 150


@dataclass(frozen=True)
class Known:
    """The article: as a PDF with letters, as a picture, as cells, and the truth of its words."""

    letters: bytes
    picture: Image.Image
    cells: tuple[Cell, ...]
    words: Words


@functools.cache
def article() -> Known:
    with pymupdf.open() as book:
        cells = draw(book)
        return Known(book.tobytes(), picture_of(book[0], DPI), tuple(cells), words_in(book[0]))


def written(
    folder: Path, source: Path, cells: tuple[Cell, ...], password: str = "", **values: Any
) -> Path:
    """Write the searchable PDF of a file with one page, or of a PDF's first page."""
    is_pdf = source.suffix == ".pdf"
    entry = entry_of(source, source.parent, 0 if is_pdf else None, **values)
    out = folder / "documents"
    out.mkdir()
    remarks = pdf.write(document_of((entry, cells)), Sources(out, source.parent, password), out)
    assert remarks == []
    assert [path.name for path in out.iterdir()] == ["book.pdf"]
    return out / "book.pdf"


def is_at(word: tuple[float, ...], truth: tuple[float, ...]) -> bool:
    """Whether the middle of a word is on the truth's line, and the word overlaps the truth."""
    return truth[1] <= (word[1] + word[3]) / 2 <= truth[3] and (
        word[0] < truth[2] and truth[0] < word[2]
    )


def check_places(found: Words, truth: Words) -> None:
    """Check that every word is there, in reading order.

    Each is at most a line away from the truth, and 98 % are in their place.
    """
    assert [text for text, _ in found] == [unicodedata.normalize("NFC", text) for text, _ in truth]
    pairs = [(box, true) for (_, box), (_, true) in zip(found, truth, strict=True)]
    assert max(abs(box[1] + box[3] - true[1] - true[3]) / 2 for box, true in pairs) <= LINE
    assert sum(is_at(box, true) for box, true in pairs) >= 0.98 * len(pairs)


# ---- pictures ----


def as_png(path: Path) -> dict[str, Any]:
    article().picture.save(path.with_suffix(".png"), dpi=(DPI, DPI))
    return {}


def as_jpeg(path: Path) -> dict[str, Any]:
    article().picture.convert("RGB").save(path.with_suffix(".jpg"), dpi=(DPI, DPI))
    return {}


def as_fax(path: Path) -> dict[str, Any]:
    fax = article().picture.convert("1", dither=Image.Dither.NONE)
    fax.save(path.with_suffix(".tif"), compression="group4")
    return {}


def lying(orientation: int) -> Callable[[Path], dict[str, Any]]:
    """A JPEG that needs its EXIF tag to be upright."""

    def save(path: Path) -> dict[str, Any]:
        picture = forms.stored(article().picture, orientation)
        exif = Image.Exif()
        exif[0x0112] = orientation
        picture.save(path.with_suffix(".jpg"), exif=exif, dpi=(DPI, DPI))
        return {}

    return save


def scanned_sideways(rotation: int) -> Callable[[Path], dict[str, Any]]:
    """A picture that was turned clockwise by `rotation` before it was read."""

    def save(path: Path) -> dict[str, Any]:
        article().picture.rotate(rotation, expand=True).save(path.with_suffix(".png"))
        return {"rotation": rotation}

    return save


# ---- PDFs ----


def scan_of_article() -> pymupdf.Document:
    """A PDF whose page is the article's picture."""
    book = pymupdf.open()
    page = book.new_page(width=WIDE, height=HIGH)
    file = io.BytesIO()
    article().picture.save(file, "PNG")
    page.insert_image(page.rect, stream=file.getvalue())
    return book


def as_scan(path: Path) -> dict[str, Any]:
    scan_of_article().save(path.with_suffix(".pdf"))
    return {}


def cropped(path: Path) -> dict[str, Any]:
    """The article in the middle of a sheet; the visible part does not begin at 0."""
    with scan_of_article() as scan, pymupdf.open() as book:
        page = book.new_page(width=1000, height=1200)
        place = pymupdf.Rect(200, 120, 200 + WIDE, 120 + HIGH)
        page.show_pdf_page(place, scan, 0)
        page.set_cropbox(place)
        book.save(path.with_suffix(".pdf"))
    return {}


def rotated(by: int, read_at: int = 0) -> Callable[[Path], dict[str, Any]]:
    """A rotated page.

    Its rotation in the PDF makes it upright, or it must be turned once more, by `read_at`.
    """

    def save(path: Path) -> dict[str, Any]:
        upright = (by + read_at) % 360
        size = (WIDE, HIGH) if upright in (0, 180) else (HIGH, WIDE)
        with scan_of_article() as scan, pymupdf.open() as book:
            page = book.new_page(width=size[0], height=size[1])
            page.show_pdf_page(page.rect, scan, 0, rotate=upright)
            page.set_rotation(by)
            book.save(path.with_suffix(".pdf"))
        return {"rotation": read_at}

    return save


def careless(path: Path) -> dict[str, Any]:
    """Operators that leave a scale, a clip and a mode set, and end what they never began."""
    with scan_of_article() as book:
        xref = book[0].get_contents()[0]
        drawing = book.xref_stream(xref)
        book.update_stream(
            xref, b"Q Q q 7 Tr q " + drawing + b" q .1 0 0 .1 50 50 cm 0 0 1 1 re W n"
        )
        book.save(path.with_suffix(".pdf"))
    return {}


def in_large_units(path: Path) -> dict[str, Any]:
    with scan_of_article() as book:
        book.xref_set_key(book[0].xref, "UserUnit", "2")
        book.save(path.with_suffix(".pdf"))
    return {}


def shared_resources(path: Path) -> dict[str, Any]:
    """A page with resources inherited from the page tree, where our font's name is taken."""
    with scan_of_article() as book:
        page = book[0]
        tree = int(book.xref_get_key(page.xref, "Parent")[1].split()[0])
        kind, own = book.xref_get_key(page.xref, "Resources")
        assert kind in ("dict", "xref")
        own = book.xref_object(int(own.split()[0])) if kind == "xref" else own
        taken = "/Font<</Unseen<</Type/Font/Subtype/Type1/BaseFont/Courier>>>>"
        book.xref_set_key(tree, "Resources", own.rstrip().removesuffix(">>") + taken + ">>")
        pymupdf.mupdf.pdf_dict_dels(page._pdf_page().obj(), "Resources")
        book.save(path.with_suffix(".pdf"), garbage=3)
    return {}


def without_xref(path: Path) -> dict[str, Any]:
    """A PDF that viewers must repair before they can read it."""
    data = scan_of_article().tobytes()
    path.with_suffix(".pdf").write_bytes(data[: data.rindex(b"xref\n0 ")])
    return {}


def in_object_streams(path: Path) -> dict[str, Any]:
    scan_of_article().save(path.with_suffix(".pdf"), garbage=4, deflate=True, use_objstms=1)
    return {}


def for_its_owner(path: Path) -> dict[str, Any]:
    """Open to all, but copying and changing are forbidden: nobody knows the owner's password."""
    how = {"encryption": pymupdf.mupdf.PDF_ENCRYPT_RC4_128, "owner_pw": "unknown"}
    scan_of_article().save(
        path.with_suffix(".pdf"), permissions=pymupdf.mupdf.PDF_PERM_PRINT, **how
    )
    return {}


FORMS: dict[str, Callable[[Path], dict[str, Any]]] = {
    "png": as_png,
    "jpeg": as_jpeg,
    "fax": as_fax,
    **{f"exif {n}": lying(n) for n in (2, 3, 4, 5, 6, 7, 8)},
    **{f"sideways {n}": scanned_sideways(n) for n in (90, 180, 270)},
    "scan": as_scan,
    "cropped": cropped,
    **{f"rotated {n}": rotated(n) for n in (90, 180, 270)},
    "rotated and read turned": rotated(90, 180),
    "careless": careless,
    "large units": in_large_units,
    "shared resources": shared_resources,
    "without xref": without_xref,
    "object streams": in_object_streams,
    "for its owner": for_its_owner,
}
