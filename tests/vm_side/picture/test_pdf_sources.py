"""The pictures that a PDF page is drawn from, and those that it only names."""

from __future__ import annotations

from pathlib import Path

import pymupdf
import pytest

from picture.images import UnreadablePage
from picture.pdf.page import open_pdf_page
from picture.pdf.sources import is_shown, sources_of
from rig import half_drawn

LETTERS = "<</Font<</F<</Subtype/Type3/Resources {0}>>>>>>"
FORM = "<</XObject<</A<</Resources {0}>>/B<</Resources {0}>>>>>>"


@pytest.mark.parametrize("resources", [LETTERS, FORM])
@pytest.mark.parametrize("levels", [1, 40])
def test_resources_that_lead_back_or_are_shared_end(resources: str, levels: int) -> None:
    """With forty levels and two ways each, there are a million million ways."""
    with pymupdf.open() as document:
        page = document.new_page()
        xrefs = [document.get_new_xref() for _ in range(levels)]
        for xref, other in zip(xrefs, [*xrefs[1:], xrefs[0]], strict=True):
            document.update_object(xref, resources.format(f"{other} 0 R"))
        document.xref_set_key(page.xref, "Resources", f"{xrefs[0]} 0 R")
        assert sources_of(document, 0).pictures == []


def two_pages(path: Path, content: str) -> Path:
    """Add a second page with the resources of the first, a cut picture; it draws this content."""
    half_drawn.half_jbig2(path)
    with pymupdf.open(path) as document:
        document.new_page(width=595, height=842)
        first, second = document
        [picture] = first.get_images()
        text, form = document.get_new_xref(), document.get_new_xref()
        names = f"<</XObject<</{picture[7]} {picture[0]} 0 R/Scan1 {form} 0 R>>>>"
        document.update_object(form, "<</Subtype/Form/BBox[0 0 595 842]>>")
        document.update_stream(form, f"q 595 0 0 842 0 0 cm /{picture[7]} Do Q".encode())
        document.update_object(text, "<<>>")
        document.update_stream(text, content.format(picture[7]).encode())
        for page in (first, second):
            document.xref_set_key(page.xref, "Resources", names)
        document.xref_set_key(second.xref, "Contents", f"{text} 0 R")
        changed = document.tobytes()
    path.write_bytes(changed)
    return path


@pytest.mark.parametrize(
    ("content", "is_drawn"),
    [
        ("10 10 200 300 re f", False),
        ("10 10 200 300 re f % {0}, or /{0}2", False),
        ("q 595 0 0 842 0 0 cm /{0} Do Q", True),
        ("/Scan1 Do", True),
    ],
)
def test_a_page_has_not_failed_for_a_picture_of_another(
    tmp_path: Path, content: str, is_drawn: bool
) -> None:
    """Many programs list all pictures in the resources of each page."""
    path = two_pages(tmp_path / "a.pdf", content)
    with pymupdf.open(path) as document:
        [picture] = sources_of(document, 1).pictures
        assert is_shown(document, 1, picture.xref) == is_drawn
    with pytest.raises(UnreadablePage, match="50% of it is missing"):
        open_pdf_page(path, 0)
    if not is_drawn:
        open_pdf_page(path, 1)
