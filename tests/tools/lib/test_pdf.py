"""PDFs of INPUT: MuPDF's exceptions become errors that callers know."""

from pathlib import Path

import pymupdf
import pytest

from lib import pdf

PASSWORD = "open sesame"


@pytest.fixture
def closed(tmp_path: Path) -> Path:
    """A PDF of two pages with a password."""
    path = tmp_path / "closed.pdf"
    with pymupdf.open() as document:
        for _ in range(2):
            document.new_page(width=300, height=200)
        document.save(path, encryption=pymupdf.mupdf.PDF_ENCRYPT_AES_256, user_pw=PASSWORD)
    return path


def test_a_password_opens(closed: Path) -> None:
    assert pdf.page_count(closed, PASSWORD) == 2
    assert pdf.drawn(closed, 1, 150, PASSWORD).size == (150, 100)


def test_without_it_nothing_is_known(closed: Path) -> None:
    assert pdf.page_count(closed, "open barley") == 0
    with pytest.raises(ValueError):
        pdf.drawn(closed, 1, 150, "")


def test_what_mupdf_raises_is_a_value_error(closed: Path) -> None:
    with pytest.raises(ValueError) as caught, pdf.opened(closed, PASSWORD):
        pymupdf.mupdf.fz_open_file(str(closed.with_name("gone.pdf")))
    assert isinstance(caught.value.__cause__, pymupdf.mupdf.FzErrorBase)
