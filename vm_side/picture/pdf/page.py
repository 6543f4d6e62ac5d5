"""A page of a PDF -> its picture: MuPDF's drawing, or PDFium's if that is better."""

from pathlib import Path

import pymupdf
from PIL import Image

from picture.images import UnreadablePage, is_blank
from picture.pdf.elsewhere import note_of_layers
from picture.pdf.lost import Lost, lost_of
from picture.pdf.mupdf import (
    MUPDF_ERRORS,
    Drawing,
    check_memory,
    drawn_by_mupdf,
    forget,
    kept_pdf,
    page_of,
    scale_of,
    take_warnings,
)
from picture.pdf.pdfium import drawn_by_pdfium
from picture.pdf.unsaid import unsaid_of
from picture.pdf.whole import BOX, REPAIRED, Drawn, choose, tiles_apart


def open_pdf_page(source: Path | bytes, index: int, notes: list[str] | None = None) -> Image.Image:
    """Draw one page of a PDF; index counts from 0. Adds to notes what is odd about it.

    MuPDF draws it, as in the reference. If MuPDF complains, fails, or draws nothing of what is on
    the page, PDFium draws it, too, and we take the better drawing. Raises UnreadablePage.
    """
    document = kept_pdf(source)
    odd = notes if notes is not None else []
    is_boxed = False
    take_warnings()  # drop earlier ones: they are not about this page
    try:
        page, is_boxed = page_of(document, index)
        first = drawn_by_mupdf(page)
    except IndexError as error:
        raise UnreadablePage(f"damaged PDF page: {error}") from error
    except MUPDF_ERRORS as error:
        forget()  # the document may be in a bad state
        check_memory(error)
        first = Drawing(None, f"damaged PDF page: {error}")
    odd += [REPAIRED] * document.is_repaired + [BOX] * is_boxed
    picture = first.picture
    if picture is None or first.said or first.is_even:
        picture, note = the_better(document, source, index, first)
        odd += filter(None, [note, note_of_layers(document) if first.is_even else ""])
    lost, note = unsaid_of(document, index, picture, first.has_wrong_sum)
    if lost.what:
        raise UnreadablePage(f"not drawn whole ({lost.what}), though MuPDF does not say so")
    odd += [note] * bool(note)
    if first.said or is_boxed:
        forget()
    return picture


def the_better(
    document: pymupdf.Document, source: Path | bytes, index: int, first: Drawing
) -> tuple[Image.Image, str]:
    """Return MuPDF's drawing or PDFium's, and a note. Raises UnreadablePage if neither is good."""
    mupdf, pdfium, refused = first.picture, None, ""
    only_mupdf = only_pdfium = 0
    try:
        pdfium = drawn_anyhow(document, source, index)
        only_mupdf, only_pdfium = tiles_apart(mupdf, pdfium)
    except UnreadablePage as error:
        refused = str(error)
    has_more = first.said and mupdf is not None
    lost = lost_of(document, index, first.said) if has_more else Lost()
    choice = choose(
        Drawn(
            said=first.said,
            failed=mupdf is None,
            is_even=mupdf is not None and is_blank(mupdf),
            refused=refused,
            only_mupdf=only_mupdf,
            only_pdfium=only_pdfium,
            lost=lost.what,
            for_all=lost.for_all,
        )
    )
    picture = pdfium if choice.by_pdfium else mupdf
    if choice.reason or picture is None:
        forget()
        raise UnreadablePage(choice.reason)
    return picture, choice.note


def drawn_anyhow(document: pymupdf.Document, source: Path | bytes, index: int) -> Image.Image:
    """Draw with PDFium; if it cannot draw the file, then MuPDF's repaired, decrypted copy.

    Raises UnreadablePage.
    """

    def scale(wide: float, high: float) -> float:
        return scale_of(pymupdf.Rect(0, 0, wide, high))

    try:
        return drawn_by_pdfium(source, index, scale)
    except UnreadablePage as refused:
        try:
            copy = document.tobytes(encryption=pymupdf.mupdf.PDF_ENCRYPT_NONE)
        except MUPDF_ERRORS:
            raise refused from None
        return drawn_by_pdfium(copy, index, scale)
