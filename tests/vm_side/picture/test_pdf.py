"""A page of a PDF as a picture."""

from __future__ import annotations

import io
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pymupdf
import pytest
from PIL import Image

from picture.images import (
    UnreadablePage,
    is_blank,
)
from picture.pdf import mupdf
from picture.pdf.mupdf import open_pdf
from picture.pdf.page import open_pdf_page
from rig import pages


def a_pdf(path: Path, *sizes: tuple[float, float]) -> Path:
    """A PDF with empty pages of these sizes, in points."""
    with pymupdf.open() as document:
        for width, height in sizes:
            document.new_page(width=width, height=height)
        document.save(path)
    return path


@pytest.mark.parametrize(
    ("size", "expected"),
    [
        ((595, 842), (1653, 2339)),
        ((612, 792), (1700, 2200)),
        ((1620, 100), (4500, 278)),
        ((1621, 100), (1621, 100)),
        ((100, 1621), (100, 1621)),
        ((5000, 3000), (5000, 3000)),
    ],
    ids=["a4", "letter", "guard", "past-guard", "past-guard-high", "poster"],
)
def test_a_pdf_page_is_rendered_at_200_dpi_or_at_72_past_the_guard(
    tmp_path: Path, size: tuple[float, float], expected: tuple[int, int]
) -> None:
    assert open_pdf_page(a_pdf(tmp_path / "a.pdf", size), 0).size == expected


def test_a_pdf_page_has_the_pixels_of_the_reference(tmp_path: Path) -> None:
    path = pages.pdf(tmp_path / "a.pdf")
    for index in range(2):
        with pymupdf.open(path) as document:
            pixmap = document[index].get_pixmap(dpi=200, alpha=False)
        reference = Image.frombytes("RGB", (pixmap.width, pixmap.height), pixmap.samples)
        assert open_pdf_page(path, index).convert("RGB").tobytes() == reference.tobytes()


def test_the_least_colour_on_a_pdf_page_is_kept(tmp_path: Path) -> None:
    path = tmp_path / "a.pdf"
    with pymupdf.open() as document:
        for colour in ((0.5, 0.5, 0.5), (0.5, 0.5, 0.52), (0.5, 0.52, 0.5)):
            sheet = document.new_page(width=200, height=300)
            sheet.draw_rect((100, 100, 101, 101), color=None, fill=colour)
        document.save(path)
    assert [open_pdf_page(path, index).mode for index in range(3)] == ["L", "RGB", "RGB"]


def test_a_rotated_pdf_page_is_upright(tmp_path: Path) -> None:
    with pymupdf.open() as document:
        document.new_page(width=595, height=842).set_rotation(90)
        document.save(tmp_path / "a.pdf")
    assert open_pdf_page(tmp_path / "a.pdf", 0).size == (2339, 1653)


def test_a_pdf_page_that_is_too_long_says_why(tmp_path: Path) -> None:
    with pytest.raises(UnreadablePage) as error:
        open_pdf_page(a_pdf(tmp_path / "a.pdf", (3, 900)), 0)
    assert str(error.value) == "9x2500 is longer than 200:1: cut it into pieces"


def test_a_pdf_page_without_area_says_why(tmp_path: Path) -> None:
    path = a_pdf(tmp_path / "a.pdf", (595, 842))
    with pymupdf.open(path) as document:
        document.xref_set_key(document[0].xref, "UserUnit", "0")
        document.save(tmp_path / "b.pdf")
    with pytest.raises(UnreadablePage, match="no area"):
        open_pdf_page(tmp_path / "b.pdf", 0)


@pytest.mark.parametrize("box", [b"[0 0 0 0]", b"[0 0 0 842]", b"[9 9 9 9]"])
def test_a_pdf_page_without_size_is_a_blank_letter(tmp_path: Path, box: bytes) -> None:
    raw = a_pdf(tmp_path / "a.pdf", (595, 842)).read_bytes()
    damaged, count = re.subn(rb"/MediaBox ?\[0 0 595 842\]", b"/MediaBox" + box, raw)
    assert count == 1
    (tmp_path / "a.pdf").write_bytes(damaged)
    picture = open_pdf_page(tmp_path / "a.pdf", 0)
    assert picture.size == (1700, 2200)
    assert is_blank(picture)


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (b"", "the file is empty"),
        (b"%PDF-1.7\n", "damaged beyond repair, or no PDF at all"),
        (b"Dear Sir or Madam,\n" * 50, "damaged beyond repair, or no PDF at all"),
    ],
)
def test_a_bad_pdf_says_why(tmp_path: Path, content: bytes, expected: str) -> None:
    (tmp_path / "a.pdf").write_bytes(content)
    with pytest.raises(UnreadablePage) as error:
        open_pdf_page(tmp_path / "a.pdf", 0)
    assert str(error.value) == expected


READ_ALL = """
import sys
from pathlib import Path
from picture.images import UnreadablePage
from picture.pdf.page import open_pdf_page
for name in sys.argv[1:]:
    try:
        open_pdf_page(Path(name), 0)
    except UnreadablePage:
        pass
"""


def test_mupdf_keeps_its_complaints_to_itself(tmp_path: Path) -> None:
    """They would break the progress bar. In its own process, as MuPDF keeps its first stream."""
    raw = pages.pdf(tmp_path / "half.pdf").read_bytes()
    damaged = {
        "half.pdf": raw[: len(raw) // 2],
        "head.pdf": raw[:64],
        "filter.pdf": raw.replace(b"/FlateDecode", b"/FlbteDecode"),
        "letter.pdf": b"Dear Sir,\n" * 99,
    }
    for name, content in damaged.items():
        (tmp_path / name).write_bytes(content)
    paths = [tmp_path / name for name in damaged]
    ended = subprocess.run(
        [sys.executable, "-c", READ_ALL, *paths],
        env={**os.environ, "PYTHONPATH": str(Path(mupdf.__file__).parents[2])},
        capture_output=True,
        check=True,
    )
    assert (ended.stdout, ended.stderr) == (b"", b"")


def test_a_pdf_cut_anywhere_is_a_page_or_a_reason(tmp_path: Path) -> None:
    raw = pages.pdf(tmp_path / "a.pdf").read_bytes()
    for size in range(0, len(raw), len(raw) // 40):
        (tmp_path / "a.pdf").write_bytes(raw[:size])
        try:
            open_pdf_page(tmp_path / "a.pdf", 0)
        except UnreadablePage as error:
            assert str(tmp_path) not in str(error)


@pytest.mark.parametrize(
    ("make", "expected"),
    [
        (
            pages.encrypted_pdf,
            "the PDF wants a password: give it in PDF_PASSWORD, or save a copy without one",
        ),
        (pages.truncated_pdf, "damaged beyond repair, or no PDF at all"),
        (
            lambda folder: folder / "gone.pdf",
            "the file cannot be opened: No such file or directory",
        ),
        (lambda folder: folder, "the file cannot be opened: Is a directory"),
    ],
)
def test_a_pdf_that_cannot_be_opened_says_why(tmp_path: Path, make: Any, expected: str) -> None:
    with pytest.raises(UnreadablePage) as error:
        open_pdf_page(make(tmp_path), 0)
    assert str(error.value) == expected


@pytest.mark.parametrize(
    ("lock", "told"),
    [
        ("/Filter/FOPN_foweb/V 1/R 2", "unknown encryption handler: 'FOPN_foweb'"),
        ("/Filter/Adobe.PubSec/V 4", "unknown encryption handler: 'Adobe.PubSec'"),
        ("/Filter/Standard/V 9/R 9/O(a)/U(b)/P -4", "unknown encryption version"),
    ],
)
def test_a_pdf_that_is_encrypted_for_others_says_so(tmp_path: Path, lock: str, told: str) -> None:
    raw = a_pdf(tmp_path / "a.pdf", (595, 842)).read_bytes()
    assert raw.count(b"/Root") == 1
    locked = raw.replace(b"/Root", f"/Encrypt<<{lock}>>/Root".encode())
    with pytest.raises(UnreadablePage) as error:
        open_pdf_page(locked, 0)
    reason = f"encrypted for other programs ({told}): save a copy without encryption"
    assert str(error.value) == reason


@pytest.mark.parametrize("index", [2, 99])
def test_a_pdf_page_that_is_not_there_is_a_reason(tmp_path: Path, index: int) -> None:
    with pytest.raises(UnreadablePage, match=f"damaged PDF page: page {index} not in document"):
        open_pdf_page(pages.pdf(tmp_path / "a.pdf"), index)


def test_a_pdf_stays_open_for_its_next_page(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened: list[Path] = []

    def counted(path: Path) -> pymupdf.Document:
        opened.append(path)
        return open_pdf(path)

    monkeypatch.setattr(mupdf, "open_pdf", counted)
    book, other = pages.pdf(tmp_path / "a.pdf", 3), pages.pdf(tmp_path / "b.pdf", 1)
    first, second = (open_pdf_page(book, index).tobytes() for index in (0, 1))
    assert first != second
    assert open_pdf_page(book, 0).tobytes() == first
    assert opened == [book]
    open_pdf_page(other, 0)
    open_pdf_page(book, 2)
    assert opened == [book, other, book]


def test_a_pdf_that_changed_is_opened_again(tmp_path: Path) -> None:
    path = pages.pdf(tmp_path / "a.pdf", 1)
    before = open_pdf_page(path, 0).tobytes()
    pages.pdf(tmp_path / "b.pdf", 2).replace(path)
    assert open_pdf_page(path, 0).tobytes() == before
    open_pdf_page(path, 1)
    path.unlink()
    with pytest.raises(UnreadablePage, match="cannot be opened: No such file"):
        open_pdf_page(path, 0)


def test_a_pdf_of_scans_does_not_fill_the_memory(tmp_path: Path) -> None:
    """MuPDF would keep each decoded scan, 12 MB."""
    path = tmp_path / "scans.pdf"
    with pymupdf.open() as document:
        for _ in range(12):
            scan = io.BytesIO()
            Image.effect_noise((2000, 2000), 50).convert("RGB").save(scan, "JPEG")
            sheet = document.new_page(width=720, height=720)
            sheet.insert_image(sheet.rect, stream=scan.getvalue())
        document.save(path)
    open_pdf_page(path, 0)
    before = resident_bytes()
    for index in range(1, 12):
        open_pdf_page(path, index)
    assert resident_bytes() - before < 50_000_000


def resident_bytes() -> int:
    """The memory that this process uses now (Linux)."""
    pages_held = int(Path("/proc/self/statm").read_text().split()[1])
    return pages_held * os.sysconf("SC_PAGE_SIZE")
