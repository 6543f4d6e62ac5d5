"""A PDF whose pages are not what is in it: that is somewhere else in the file."""

import pymupdf
from pymupdf import mupdf

from picture.images import UnreadablePage

OFF = "the PDF has layers that are off: what is in them is not read"


def in_catalog(document: pymupdf.Document, path: str) -> str:
    """What stands at this path in a PDF's catalog; empty: nothing."""
    catalog = document.pdf_catalog()
    kind, value = document.xref_get_key(catalog, path) if catalog else ("null", "")
    return "" if kind == "null" else str(value)


def check_form(document: pymupdf.Document) -> None:
    """Raise UnreadablePage for a form that Adobe's programs draw: its only page says to wait."""
    if in_catalog(document, "NeedsRendering") == "true" and in_catalog(document, "AcroForm/XFA"):
        raise UnreadablePage(
            "an XFA form, which Adobe's programs alone show: print it to a PDF there"
        )


def beyond_pages(document: pymupdf.Document, said: str) -> str:
    """What is in a file beyond the pages that it counts; said is what MuPDF said of its pages."""
    if "too many kids" in said:
        return f"the PDF says it has {document.page_count:,} pages, and holds more: save it anew"
    if in_catalog(document, "Collection") and (count := document.embfile_count()):
        return f"the PDF is a portfolio of {count:,} files, which are not read: save each as a file"
    return ""


def note_of_layers(document: pymupdf.Document) -> str:
    """What is to be noted of a page of which nothing shows, though something is on it."""
    return OFF if any(is_off(document, xref) for xref in document.get_ocgs()) else ""


def is_off(document: pymupdf.Document, layer: int) -> bool:
    """Whether MuPDF leaves out what is in a layer, whichever of several entries says so."""
    pdf = mupdf.pdf_document_from_fz_document(document)
    named = mupdf.pdf_new_indirect(pdf, layer, 0)
    return bool(mupdf.pdf_is_ocg_hidden(pdf, mupdf.PdfResourceStack(), "View", named))
