"""Find PDFs with content that is not on their pages, but somewhere else in the file."""

import pymupdf
from pymupdf import mupdf

from picture.images import UnreadablePage

OFF = "the PDF has layers that are off: what is in them is not read"


def in_catalog(document: pymupdf.Document, path: str) -> str:
    """Return the value at this path in a PDF's catalog; empty if there is none."""
    catalog = document.pdf_catalog()
    kind, value = document.xref_get_key(catalog, path) if catalog else ("null", "")
    return "" if kind == "null" else str(value)


def check_form(document: pymupdf.Document) -> None:
    """Raise UnreadablePage for a form that only Adobe's programs draw: its page says "wait"."""
    if in_catalog(document, "NeedsRendering") == "true" and in_catalog(document, "AcroForm/XFA"):
        raise UnreadablePage(
            "an XFA form, which only Adobe's programs show: print it to a PDF there"
        )


def beyond_pages(document: pymupdf.Document, said: str) -> str:
    """Say what a file has besides the pages it counts; said has MuPDF's warnings about them."""
    if "too many kids" in said:
        return f"the PDF says it has {document.page_count:,} pages, and holds more: save it again"
    if in_catalog(document, "Collection") and (count := document.embfile_count()):
        return f"the PDF is a portfolio of {count:,} files, which are not read: save each as a file"
    return ""


def note_of_layers(document: pymupdf.Document) -> str:
    """Return the note for a page that shows nothing though something is on it; may be empty."""
    return OFF if any(is_off(document, xref) for xref in document.get_ocgs()) else ""


def is_off(document: pymupdf.Document, layer: int) -> bool:
    """Whether MuPDF leaves out the content of a layer, whichever entry of the PDF says so."""
    pdf = mupdf.pdf_document_from_fz_document(document)
    named = mupdf.pdf_new_indirect(pdf, layer, 0)
    return bool(mupdf.pdf_is_ocg_hidden(pdf, mupdf.PdfResourceStack(), "View", named))
