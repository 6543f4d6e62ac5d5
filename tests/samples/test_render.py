"""The sample pages: the committed files are small, complete, and equal to new ones."""

from __future__ import annotations

import io
import re
import subprocess
import sys
import unicodedata
from pathlib import Path

import pymupdf
import pytest
from PIL import Image, ImageChops, ImageStat

from samples import render, typesetting

SAMPLES = Path(__file__).resolve().parents[2] / "samples"
EXPECTED = {
    "72dpi/letter.png": (595, 842),
    "100dpi/article.png": (827, 1170),
    "100dpi/timetable.jpg": (827, 1170),
    "150dpi/two columns.png": (1240, 1755),
    "korean/도서관_안내.png": (992, 1404),
    "korean/workshop.png": (992, 1404),
    "report.pdf": (827, 1170),  # at PDF_DPI
}
PDF_DPI = 100
ALL_FILES_MAX_BYTES = 1_500_000
# With another version of MuPDF the letters may be in slightly different places. A page with another
# text differs by 20 or more (mean over the pixels, 0 to 255).
OTHER_VERSION_TOLERANCE = 8.0


def committed() -> dict[str, Path]:
    """The sample files by their path; some file systems decompose Korean names."""
    return {
        unicodedata.normalize("NFC", path.relative_to(SAMPLES).as_posix()): path
        for path in SAMPLES.rglob("*")
        if path.is_file() and path.suffix != ".pyc"
    }


def pictures(data: bytes, name: str) -> list[Image.Image]:
    """The pages of a file as pictures."""
    if name.endswith(".pdf"):
        with pymupdf.open(stream=data, filetype="pdf") as document:
            pixmaps = [page.get_pixmap(dpi=PDF_DPI, alpha=False) for page in document]
        return [Image.frombytes("RGB", (p.width, p.height), p.samples) for p in pixmaps]
    with Image.open(io.BytesIO(data)) as picture:
        picture.load()
        return [picture.copy()]


def difference(one: Image.Image, other: Image.Image) -> float:
    """Mean difference of two pictures of the same size, 0 to 255."""
    both = (one.convert("L"), other.convert("L"))
    return float(ImageStat.Stat(ImageChops.difference(*both)).mean[0])


def test_the_folder_holds_the_expected_files_and_they_are_small() -> None:
    assert set(committed()) == set(EXPECTED)
    assert sum(path.stat().st_size for path in committed().values()) < ALL_FILES_MAX_BYTES


def test_names_show_a_folder_a_space_and_korean() -> None:
    assert any("/" in name for name in EXPECTED)
    assert any(" " in name for name in EXPECTED)
    assert any(re.search("[가-힣]", name) for name in EXPECTED)


@pytest.mark.parametrize("name", EXPECTED)
def test_size_and_mode(name: str) -> None:
    found = pictures(committed()[name].read_bytes(), name)
    assert len(found) == (2 if name == "report.pdf" else 1)
    assert {page.size for page in found} == {EXPECTED[name]}
    if name.endswith(".png"):
        assert found[0].mode == "L"


@pytest.mark.parametrize("name", EXPECTED)
def test_the_script_renders_what_is_committed(name: str) -> None:
    data = committed()[name].read_bytes()
    sample = next(sample for sample in render.SAMPLES if sample.path == name)
    again = render.encode(sample)
    # The version is written into the file. A JPEG also depends on the library that encodes it.
    exact = _renderer(data, name) == render.RENDERER and not name.endswith(".jpg")
    limit = 0.0 if exact else OTHER_VERSION_TOLERANCE
    old, new = pictures(data, name), pictures(again, name)
    assert [page.size for page in old] == [page.size for page in new]
    assert max(map(difference, old, new)) <= limit, "run: make samples"


def _renderer(data: bytes, name: str) -> str:
    """The program that rendered the file, as the file says."""
    if name.endswith(".pdf"):
        with pymupdf.open(stream=data, filetype="pdf") as document:
            return str((document.metadata or {})["producer"])
    with Image.open(io.BytesIO(data)) as picture:
        picture.load()
        note = picture.info.get("Software") or picture.info.get("comment")
    return note.decode() if isinstance(note, bytes) else str(note)


@pytest.mark.parametrize("name", EXPECTED)
def test_every_file_says_what_rendered_it(name: str) -> None:
    assert re.fullmatch(r"PyMuPDF \d+\.\d+\.\d+", _renderer(committed()[name].read_bytes(), name))


def test_another_page_would_be_noticed_even_with_the_tolerance() -> None:
    same_size = [committed()[f"korean/{name}.png"] for name in ("도서관_안내", "workshop")]
    assert difference(*map(Image.open, same_size)) > 2 * OTHER_VERSION_TOLERANCE


def test_the_pdf_embeds_its_letters_and_can_be_searched() -> None:
    with pymupdf.open(committed()["report.pdf"]) as document:
        assert "The Station Road Garden" in document[0].get_text()
        assert "역 앞 텃밭의 한 해" in document[1].get_text()
        fonts = [font for page in document for font in page.get_fonts()]
    # The name of a subset begins with six letters and a plus; "n/a" would be a missing font.
    assert all(re.match(r"[A-Z]{6}\+", font[3]) and font[1] != "n/a" for font in fonts)


def test_a_page_that_does_not_fit_is_an_error() -> None:
    with pymupdf.open() as document:
        page = document.new_page(width=595, height=842)
        with pytest.raises(ValueError, match="too long"):
            typesetting.Column(page, top=800, bottom=810).text("one two")
        with pytest.raises(ValueError, match="wider than its column"):
            typesetting.Column(page, left=0, right=20).text("incomprehensible")
        with pytest.raises(ValueError, match="has no"):
            typesetting.put(page, 72, 72, "한글", typesetting.Style(font="tiro"))
    assert render.RENDERER.startswith("PyMuPDF")


def test_the_command_writes_all_files_and_always_the_same(tmp_path: Path) -> None:
    command = [sys.executable, render.__file__, "--out", str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout == ""
    written = {path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*.*")}
    assert {unicodedata.normalize("NFC", name) for name in written} == set(EXPECTED)
    for sample in render.SAMPLES:
        if sample.path in {"72dpi/letter.png", "100dpi/timetable.jpg", "report.pdf"}:
            assert (tmp_path / sample.path).read_bytes() == render.encode(sample)
