"""pdf: a searchable PDF, with the pages as they are and their text over them, invisible."""

from collections.abc import Mapping
from pathlib import Path

import numpy
import pymupdf

from lib.documents.document import Document, Page, Sources
from lib.documents.searchable.glyphless import Letters
from lib.documents.searchable.layer import layer_of
from lib.documents.searchable.objects import MUPDF_ERRORS, put_stream, to_own_space
from lib.documents.searchable.outline import put_outline
from lib.documents.searchable.own_text import lacking, words_of
from lib.documents.searchable.sheets import bind, open_pdf
from lib.files import PART

LOOKED_AT_DPI = 120  # enough to find the lines of a page
MOST_PIXELS = 8_000_000


def write(document: Document, sources: Sources, folder: Path) -> list[str]:
    """Write <name>.pdf. Raises OSError, ValueError."""
    if sources.input is None:
        raise ValueError("a searchable PDF is made from the pages' own files: give INPUT")
    pymupdf.TOOLS.mupdf_display_errors(False)
    pymupdf.TOOLS.mupdf_display_warnings(False)
    target = folder / f"{document.name}.pdf"
    try:
        pages, remarks = bind(document, sources.input, sources.password, target)
        with open_pdf(target, sources.password) as pdf:
            laid, more = lay(pdf, pages)
            put_outline(pdf, document, laid)
            save(pdf, target)
    except MUPDF_ERRORS as error:
        raise ValueError(f"{document.name}: {error}") from error
    return remarks + more


def lay(pdf: pymupdf.Document, pages: Mapping[int, Page]) -> tuple[dict[str, int], list[str]]:
    """Lay the text of each page (place in the PDF -> page) over it.

    Return name of the page -> its place in the PDF, and remarks.
    """
    letters, laid, remarks, done = Letters(), dict[str, int](), list[str](), set[int]()
    for index, page in sorted(pages.items()):
        try:
            sheet = pdf[index]
            if sheet.xref not in done:  # a PDF may show one page twice
                lay_over(sheet, page, letters)
            done.add(sheet.xref)
            laid[page.entry.page] = index
        except (*MUPDF_ERRORS, IndexError) as error:
            remarks.append(f"page {index + 1}: without its text ({error})")
        pymupdf.TOOLS.store_shrink(100)
    letters.write(pdf)
    return laid, remarks


def lay_over(sheet: pymupdf.Page, page: Page, letters: Letters) -> None:
    """Turn a page as it was read, and lay its text over it.

    The text is drawn first, before the page's own content can change where it is drawn.
    """
    if page.entry.rotation:
        sheet.set_rotation((sheet.rotation + page.entry.rotation) % 360)
    if sheet.rect.is_empty:  # viewers show nothing of it
        return
    if cells := lacking(words_of(sheet), page.cells):
        pdf = sheet.parent
        scale = min(LOOKED_AT_DPI / 72, (MOST_PIXELS / abs(sheet.rect.get_area())) ** 0.5)
        look = pymupdf.Matrix(scale, scale)
        pixmap = sheet.get_pixmap(matrix=look, colorspace=pymupdf.csGRAY, alpha=False)
        gray = numpy.frombuffer(pixmap.samples, numpy.uint8).reshape(pixmap.height, pixmap.width)
        matrix = ~look * to_own_space(sheet)
        layer = layer_of(cells, gray, matrix, letters, letters.font_for(sheet))
        own = (f"{number} 0 R" for number in sheet.get_contents())
        first = put_stream(pdf, layer.encode("ascii"))
        pdf.xref_set_key(sheet.xref, "Contents", f"[{first} 0 R {' '.join(own)}]")


def save(pdf: pymupdf.Document, target: Path) -> None:
    """Append what was added to the original's bytes; if that is not possible, write the file again.

    An encrypted file stays encrypted.
    """
    if not pdf.is_dirty:
        return
    if pdf.can_save_incrementally():
        pdf.saveIncr()
        return
    part = target.with_name(target.name + PART)
    pdf.save(part, encryption=pymupdf.mupdf.PDF_ENCRYPT_KEEP)
    part.replace(target)
