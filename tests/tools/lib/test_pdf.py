"""PDFs of INPUT: what MuPDF raises is an error that callers know; who meets none loads nothing."""

import subprocess
import sys
from pathlib import Path

import pymupdf
import pytest

from lib import pdf
from lib.knobs import ROOT

PASSWORD = "open sesame"
QUICK = ("all", "process", "plan", "upload", "download", "report", "compare", "export")
LOADED = """
import importlib, sys
sys.path[:0] = sys.argv[1:3]
for name in sys.argv[3:]:
    importlib.import_module(name)
print("pymupdf" in sys.modules)
"""


@pytest.fixture
def closed(tmp_path: Path) -> Path:
    """Two pages behind a password."""
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


def test_commands_that_meet_no_pdf_do_not_load_mupdf() -> None:
    folders = [str(ROOT / "tools"), str(ROOT / "vm_side")]
    command = [sys.executable, "-c", LOADED, *folders, *QUICK]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert done.stdout == "False\n"
