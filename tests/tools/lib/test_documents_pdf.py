"""The searchable PDF in poppler, PDFium and Chromium: words in place, the page unchanged."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy
import pymupdf
import pytest
from PIL import Image

from lib.pages.entries import Cell
from rig.known_page import (
    HIGH,
    WIDE,
    picture_of,
    words_in,
)
from rig.pdf_viewer import open_viewer
from rig.searchable import (
    DPI,
    FORMS,
    article,
    as_jpeg,
    check_places,
    written,
)
from rig.viewers import drawn_by_pdfium, found_by_pdfium, words_by_poppler


@pytest.mark.parametrize("form", FORMS)
def test_each_word_is_found_in_its_place_and_the_page_is_as_it_was(
    tmp_path: Path, form: str
) -> None:
    values = FORMS[form](tmp_path / "source")
    (source,) = tmp_path.iterdir()
    made = written(tmp_path, source, article().cells, **values)
    is_pdf = source.suffix == ".pdf"
    (words,) = words_by_poppler(made, original=source if form == "careless" else None)
    check_places(words, article().words)
    assert found_by_pdfium(made, "korean") == 1
    assert found_by_pdfium(made, "돌려준다") == 4
    with pymupdf.open(made) as book:
        shown = picture_of(book[0], DPI)
        page = numpy.asarray(shown.resize(article().picture.size), int)
    assert abs(page - numpy.asarray(article().picture, int)).mean() < 3  # it is upright
    if is_pdf and not values.get("rotation"):
        with pymupdf.open(source) as original, pymupdf.open(made) as book:
            assert picture_of(original[0]).tobytes() == picture_of(book[0]).tobytes()
        if form != "without xref":  # which PDFium cannot open
            assert (drawn_by_pdfium(source) == drawn_by_pdfium(made)).all()


def test_chromium_marks_each_word_in_its_place_when_all_is_selected(tmp_path: Path) -> None:
    as_jpeg(tmp_path / "source")
    made = written(tmp_path, tmp_path / "source.jpg", article().cells)
    with open_viewer(made, 800, 1100) as viewer:
        marked = viewer.select_all()
    high, wide = marked.shape
    assert wide / high == pytest.approx(WIDE / HIGH, abs=0.02)  # the viewer shows the page
    for text, (left, top, right, bottom) in article().words:
        word = marked[int(top * high) : int(bottom * high), int(left * wide) : int(right * wide)]
        assert word.mean() > 0.1, text  # black letters stay black
    assert marked.mean() < 0.3


# ---- tables, and lines that are turned ----

ROWS = (
    ("Item", "Amount in 2024", "Note"),
    ("apples", "12", "of the garden, in a note that goes on over a second line"),
    ("표의 둘째 줄", "3,456.78", "짧은 설명"),
    ("pears", "", "none were left"),
    ("Total", "3,468.78", ""),
)
LEFT, TOP, ROW_HIGH = 70, 100, 40
EDGES = (LEFT, 200, 330, 525)


def table_page(ruled: bool) -> tuple[pymupdf.Document, tuple[Cell, ...]]:
    """A page with a table, below a heading across all of its columns."""
    book = pymupdf.open()
    page = book.new_page(width=WIDE, height=HIGH)
    page.insert_text((LEFT + 120, TOP + 20), "A heading over all of it", fontsize=11)
    for row, texts in enumerate(ROWS, 1):
        for column, text in enumerate(texts):
            font = "korea" if "표" in text or "짧" in text else "helv"
            place = pymupdf.Rect(
                EDGES[column] + 6, TOP + row * ROW_HIGH + 6, EDGES[column + 1], 842
            )
            page.insert_textbox(place, text, fontsize=10, fontname=font)
    bottom = TOP + ROW_HIGH * (len(ROWS) + 1)
    if ruled:
        for row in range(len(ROWS) + 2):
            y = TOP + row * ROW_HIGH
            page.draw_line((LEFT, y), (EDGES[-1], y))
        for x in EDGES:
            page.draw_line((x, TOP + (ROW_HIGH if 0 < EDGES.index(x) < 3 else 0)), (x, bottom))
    body = "".join(f"<tr>{''.join(f'<td>{text}</td>' for text in texts)}</tr>" for texts in ROWS)
    html = f"<table><tr><th colspan='3'>A heading over all of it</th></tr>{body}</table>"
    box = (LEFT / WIDE, TOP / HIGH, EDGES[-1] / WIDE, bottom / HIGH)
    return book, (Cell(box, "Table", html),)


@pytest.mark.parametrize("ruled", [True, False], ids=["ruled", "bare"])
def test_a_table_s_words_stand_in_their_cells(tmp_path: Path, ruled: bool) -> None:
    book, cells = table_page(ruled)
    with book:
        truth = words_in(book[0])
        picture_of(book[0], DPI).save(tmp_path / "source.png")
    made = written(tmp_path, tmp_path / "source.png", cells)
    (words,) = words_by_poppler(made)
    check_places(words, truth)
    assert found_by_pdfium(made, "둘째 줄") == 1
    assert found_by_pdfium(made, "3,456.78") == 1


def test_a_line_that_is_turned_is_laid_along_its_box(tmp_path: Path) -> None:
    """For example, a preprint's number upwards at the edge, and Chinese from top to bottom."""
    with pymupdf.open() as book:
        page = book.new_page(width=WIDE, height=HIGH)
        page.insert_text((40, 600), "preprint:2411.01234v1 of November", fontsize=14, rotate=90)
        truth = words_in(page)
        picture_of(page, DPI).save(tmp_path / "source.png")
    box = tuple(f([at[n] for _, at in truth]) for n, f in enumerate((min, min, max, max)))
    cells = (
        Cell((box[0], box[1], box[2], box[3]), "Page-header", "preprint:2411.01234v1 of November"),
        Cell((0.9, 0.1, 0.93, 0.5), "Text", "从上到下写的一行字"),
    )
    made = written(tmp_path, tmp_path / "source.png", cells)
    with pymupdf.open(made) as book:
        blocks = book[0].get_text("dict")["blocks"]
        lines = [line for block in blocks for line in block.get("lines", ())]
        assert [line["dir"] for line in lines] == [(0, -1), (0, 1)]
        found = words_in(book[0])
    for (text, place), (wanted, true) in zip(found, truth, strict=False):
        assert text == wanted
        assert place == pytest.approx(true, abs=0.01)
    assert found_by_pdfium(made, "2411.01234") == 1
    assert found_by_pdfium(made, "从上到下") == 1


def leant(box: tuple[float, ...], degrees: float) -> tuple[float, float, float, float]:
    """A box around the content of a box of the article, after a counterclockwise turn."""
    turn = pymupdf.Matrix(-degrees)
    corners = [
        pymupdf.Point((x - 0.5) * WIDE, (y - 0.5) * HIGH) * turn
        for x in (box[0], box[2])
        for y in (box[1], box[3])
    ]
    across = [corner.x / WIDE + 0.5 for corner in corners]
    down = [corner.y / HIGH + 0.5 for corner in corners]
    return min(across), min(down), max(across), max(down)


@pytest.mark.parametrize("degrees", [-1.2, 0.4, 2.0])
def test_the_lines_of_a_scan_that_is_askew_lean_with_it(tmp_path: Path, degrees: float) -> None:
    askew = article().picture.rotate(degrees, Image.Resampling.BICUBIC, fillcolor=255)
    askew.save(tmp_path / "source.png", dpi=(DPI, DPI))
    cells = tuple(replace(cell, box=leant(cell.box, degrees)) for cell in article().cells)
    made = written(tmp_path, tmp_path / "source.png", cells)
    (words,) = words_by_poppler(made)
    check_places(words, [(text, leant(box, degrees)) for text, box in article().words])
