"""The searchable PDF, opened by poppler, by PDFium and by MuPDF."""

from __future__ import annotations

import functools
import io
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy
import pymupdf
import pytest
from PIL import Image

from lib.documents.document import Sources
from lib.documents.formats import pdf
from lib.pages.entries import Cell
from rig.known_page import (
    HIGH,
    WIDE,
    document_of,
    draw,
    entry_of,
    picture_of,
    words_in,
)
from rig.pages import PDF_PASSWORD
from rig.pdf_viewer import open_viewer
from rig.viewers import Words, drawn_by_pdfium, found_by_pdfium, poppler, words_by_poppler

LINE = 15 / HIGH  # of the article, in parts of the page's height
DPI = 150


@dataclass(frozen=True)
class Known:
    """The article: with letters, as a picture, its cells, and the truth of its words."""

    letters: bytes
    picture: Image.Image
    cells: tuple[Cell, ...]
    words: Words


@functools.cache
def article() -> Known:
    with pymupdf.open() as book:
        cells = draw(book)
        return Known(book.tobytes(), picture_of(book[0], DPI), tuple(cells), words_in(book[0]))


def written(
    folder: Path, source: Path, cells: tuple[Cell, ...], password: str = "", **values: Any
) -> Path:
    """The searchable PDF of a file with one page, or of a PDF's page."""
    is_pdf = source.suffix == ".pdf"
    entry = entry_of(source, source.parent, 0 if is_pdf else None, **values)
    out = folder / "documents"
    out.mkdir()
    remarks = pdf.write(document_of((entry, cells)), Sources(out, source.parent, password), out)
    assert remarks == []
    assert [path.name for path in out.iterdir()] == ["book.pdf"]
    return out / "book.pdf"


def is_at(word: tuple[float, ...], truth: tuple[float, ...]) -> bool:
    """Whether a word's middle stands on the truth's line, and over the truth in part."""
    return truth[1] <= (word[1] + word[3]) / 2 <= truth[3] and (
        word[0] < truth[2] and truth[0] < word[2]
    )


def check_places(found: Words, truth: Words) -> None:
    """Every word is there, in the order of reading and to within a line; nearly all on theirs."""
    assert [text for text, _ in found] == [unicodedata.normalize("NFC", text) for text, _ in truth]
    pairs = [(box, true) for (_, box), (_, true) in zip(found, truth, strict=True)]
    assert max(abs(box[1] + box[3] - true[1] - true[3]) / 2 for box, true in pairs) <= LINE
    assert sum(is_at(box, true) for box, true in pairs) >= 0.98 * len(pairs)


# ---- pictures ----


def as_png(path: Path) -> dict[str, Any]:
    article().picture.save(path.with_suffix(".png"), dpi=(DPI, DPI))
    return {}


def as_jpeg(path: Path) -> dict[str, Any]:
    article().picture.convert("RGB").save(path.with_suffix(".jpg"), dpi=(DPI, DPI))
    return {}


def as_fax(path: Path) -> dict[str, Any]:
    fax = article().picture.convert("1", dither=Image.Dither.NONE)
    fax.save(path.with_suffix(".tif"), compression="group4")
    return {}


def lying(orientation: int) -> Callable[[Path], dict[str, Any]]:
    """A JPEG that EXIF turns upright."""

    def save(path: Path) -> dict[str, Any]:
        turn = {
            2: Image.Transpose.FLIP_LEFT_RIGHT,
            3: Image.Transpose.ROTATE_180,
            4: Image.Transpose.FLIP_TOP_BOTTOM,
            5: Image.Transpose.TRANSPOSE,
            6: Image.Transpose.ROTATE_90,
            7: Image.Transpose.TRANSVERSE,
            8: Image.Transpose.ROTATE_270,
        }[orientation]
        exif = Image.Exif()
        exif[0x0112] = orientation
        article().picture.transpose(turn).save(path.with_suffix(".jpg"), exif=exif, dpi=(DPI, DPI))
        return {}

    return save


def scanned_sideways(rotation: int) -> Callable[[Path], dict[str, Any]]:
    """A picture that was turned clockwise before it was read."""

    def save(path: Path) -> dict[str, Any]:
        article().picture.rotate(rotation, expand=True).save(path.with_suffix(".png"))
        return {"rotation": rotation}

    return save


# ---- PDFs ----


def scan_of_article() -> pymupdf.Document:
    """A PDF whose page is the article's picture."""
    book = pymupdf.open()
    page = book.new_page(width=WIDE, height=HIGH)
    file = io.BytesIO()
    article().picture.save(file, "PNG")
    page.insert_image(page.rect, stream=file.getvalue())
    return book


def as_scan(path: Path) -> dict[str, Any]:
    scan_of_article().save(path.with_suffix(".pdf"))
    return {}


def cropped(path: Path) -> dict[str, Any]:
    """The article in the middle of a sheet; what is shown of it does not begin at 0."""
    with scan_of_article() as scan, pymupdf.open() as book:
        page = book.new_page(width=1000, height=1200)
        place = pymupdf.Rect(200, 120, 200 + WIDE, 120 + HIGH)
        page.show_pdf_page(place, scan, 0)
        page.set_cropbox(place)
        book.save(path.with_suffix(".pdf"))
    return {}


def rotated(by: int, read_at: int = 0) -> Callable[[Path], dict[str, Any]]:
    """A page that lies in the PDF and is shown turned, so that it is read upright; or that is
    upright only once it is turned again.
    """

    def save(path: Path) -> dict[str, Any]:
        upright = (by + read_at) % 360
        size = (WIDE, HIGH) if upright in (0, 180) else (HIGH, WIDE)
        with scan_of_article() as scan, pymupdf.open() as book:
            page = book.new_page(width=size[0], height=size[1])
            page.show_pdf_page(page.rect, scan, 0, rotate=upright)
            page.set_rotation(by)
            book.save(path.with_suffix(".pdf"))
        return {"rotation": read_at}

    return save


def careless(path: Path) -> dict[str, Any]:
    """Operators that leave a scale, a clip and a mode behind, and end what was never begun."""
    with scan_of_article() as book:
        xref = book[0].get_contents()[0]
        drawing = book.xref_stream(xref)
        book.update_stream(
            xref, b"Q Q q 7 Tr q " + drawing + b" q .1 0 0 .1 50 50 cm 0 0 1 1 re W n"
        )
        book.save(path.with_suffix(".pdf"))
    return {}


def in_large_units(path: Path) -> dict[str, Any]:
    with scan_of_article() as book:
        book.xref_set_key(book[0].xref, "UserUnit", "2")
        book.save(path.with_suffix(".pdf"))
    return {}


def shared_resources(path: Path) -> dict[str, Any]:
    """A page that has its resources from the tree, in which our font's name is taken."""
    with scan_of_article() as book:
        page = book[0]
        tree = int(book.xref_get_key(page.xref, "Parent")[1].split()[0])
        kind, own = book.xref_get_key(page.xref, "Resources")
        assert kind in ("dict", "xref")
        own = book.xref_object(int(own.split()[0])) if kind == "xref" else own
        taken = "/Font<</Unseen<</Type/Font/Subtype/Type1/BaseFont/Courier>>>>"
        book.xref_set_key(tree, "Resources", own.rstrip().removesuffix(">>") + taken + ">>")
        pymupdf.mupdf.pdf_dict_dels(page._pdf_page().obj(), "Resources")
        book.save(path.with_suffix(".pdf"), garbage=3)
    return {}


def without_xref(path: Path) -> dict[str, Any]:
    """A PDF that viewers must mend before they can read it."""
    data = scan_of_article().tobytes()
    path.with_suffix(".pdf").write_bytes(data[: data.rindex(b"xref\n0 ")])
    return {}


def in_object_streams(path: Path) -> dict[str, Any]:
    scan_of_article().save(path.with_suffix(".pdf"), garbage=4, deflate=True, use_objstms=1)
    return {}


def for_its_owner(path: Path) -> dict[str, Any]:
    """Open to all, but nothing may be copied or changed: the owner's password is not known."""
    how = {"encryption": pymupdf.mupdf.PDF_ENCRYPT_RC4_128, "owner_pw": "unknown"}
    scan_of_article().save(
        path.with_suffix(".pdf"), permissions=pymupdf.mupdf.PDF_PERM_PRINT, **how
    )
    return {}


FORMS: dict[str, Callable[[Path], dict[str, Any]]] = {
    "png": as_png,
    "jpeg": as_jpeg,
    "fax": as_fax,
    **{f"exif {n}": lying(n) for n in (2, 3, 4, 5, 6, 7, 8)},
    **{f"sideways {n}": scanned_sideways(n) for n in (90, 180, 270)},
    "scan": as_scan,
    "cropped": cropped,
    **{f"rotated {n}": rotated(n) for n in (90, 180, 270)},
    "rotated and read turned": rotated(90, 180),
    "careless": careless,
    "large units": in_large_units,
    "shared resources": shared_resources,
    "without xref": without_xref,
    "object streams": in_object_streams,
    "for its owner": for_its_owner,
}


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
    assert abs(page - numpy.asarray(article().picture, int)).mean() < 3  # it stands upright
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
    assert wide / high == pytest.approx(WIDE / HIGH, abs=0.02)  # it is the page that is seen
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
    """A page with a table below a heading over all of its columns."""
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
    """As the number of a preprint, upwards at the edge; and Chinese from top to bottom."""
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
    """The box around what is in a box of the article, once it is turned counterclockwise."""
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


# ---- what else is in a PDF stays ----


def rich_pdf(path: Path, **saving: Any) -> Path:
    """Two scanned pages with all that a PDF can have beside its pages."""
    with scan_of_article() as book, scan_of_article() as another:
        book.insert_pdf(another)
        book.set_toc([[1, "The author's own", 1], [2, "Below it", 2]])
        book.set_metadata({"title": "A title (with \\ signs)", "author": "저자"})
        book.set_page_labels([{"startpage": 0, "style": "r", "prefix": "", "firstpagenum": 4}])
        book.embfile_add("data.csv", b"1,2,3", filename="data.csv")
        book[0].insert_link(
            {
                "kind": pymupdf.LINK_URI,
                "from": pymupdf.Rect(9, 9, 99, 20),
                "uri": "http://127.0.0.1/",
            }
        )
        field = pymupdf.Widget()
        field.field_name, field.field_value = "name", "value"
        field.field_type = pymupdf.mupdf.PDF_WIDGET_TYPE_TEXT
        field.rect = pymupdf.Rect(300, 9, 400, 25)
        book[1].add_widget(field)
        book.save(path, **saving)
    return path


def told_of(path: Path, password: str = "") -> dict[str, Any]:
    with pymupdf.open(path) as book:
        if book.needs_pass:
            assert book.authenticate(password)
        return {
            "outline": book.get_toc(),
            "metadata": book.metadata,
            "labels": [page.get_label() for page in book],
            "attached": {name: book.embfile_get(name) for name in book.embfile_names()},
            "links": [[link["uri"] for link in page.get_links()] for page in book],
            "fields": [[w.field_value for w in page.widgets()] for page in book],
            "pixels": [picture_of(page).tobytes() for page in book],
        }


ENCRYPTED = {
    "encryption": pymupdf.mupdf.PDF_ENCRYPT_AES_256,
    "user_pw": PDF_PASSWORD,
    "owner_pw": "another",
}


@pytest.mark.parametrize("saving", [{}, ENCRYPTED], ids=["open", "encrypted"])
def test_what_else_is_in_a_pdf_stays_and_so_do_pages_that_were_not_read(
    tmp_path: Path, saving: dict[str, Any]
) -> None:
    source = rich_pdf(tmp_path / "source.pdf", **saving)
    made = written(tmp_path, source, article().cells, PDF_PASSWORD)
    assert told_of(made, PDF_PASSWORD) == told_of(source, PDF_PASSWORD)
    assert made.read_bytes().startswith(source.read_bytes())
    password = PDF_PASSWORD if saving else None
    assert [found_by_pdfium(made, "korean", n, password) for n in (0, 1)] == [1, 0]
    if saving:
        with pymupdf.open(made) as book:
            assert book.needs_pass
    read, unread = words_by_poppler(made, *(["-upw", PDF_PASSWORD] if saving else []))
    check_places(read, article().words)
    assert [text for text, _ in unread] == ["value"]  # the field's


def test_headings_become_bookmarks_where_the_author_made_none(tmp_path: Path) -> None:
    scan_of_article().save(tmp_path / "source.pdf")
    made = written(tmp_path, tmp_path / "source.pdf", article().cells)
    with pymupdf.open(made) as book:
        rows = book.get_toc(simple=False)
    assert [row[:3] for row in rows] == [[1, "A page that is known", 1], [2, "1. Korean", 1]]
    tops = [row[3]["to"].y for row in rows]
    headings = article().cells[0], article().cells[2]
    assert tops == pytest.approx([cell.box[1] * HIGH for cell in headings], abs=1)


def test_text_that_a_page_has_already_is_not_laid_over_it_twice(tmp_path: Path) -> None:
    """A born-digital page stays byte for byte; a garbled layer counts for nothing."""
    source = tmp_path / "source.pdf"
    source.write_bytes(article().letters)
    untitled = tuple(cell for cell in article().cells if "#" not in cell.text)
    assert written(tmp_path, source, untitled).read_bytes() == source.read_bytes()


def test_only_what_a_page_lacks_is_laid_over_it(tmp_path: Path) -> None:
    """A page with a layer of its own for its first half; the other half's is garbled."""
    cells = article().cells
    with scan_of_article() as book:
        for cell in cells[:4]:
            box = pymupdf.Rect(cell.box) * pymupdf.Matrix(WIDE, HIGH) + (0, -2, 0, 20)
            font = "korea" if "돌" in cell.text else "helv"
            text = cell.text.lstrip("# ")
            assert book[0].insert_textbox(box, text, fontsize=6, fontname=font, render_mode=3) > 0
        box = pymupdf.Rect(cells[4].box) * pymupdf.Matrix(WIDE, HIGH)
        assert book[0].insert_textbox(box, "Uif nbdijof sfbet fwfsz qbhf " * 9, render_mode=3) > 0
        book.save(tmp_path / "source.pdf")
    made = written(tmp_path, tmp_path / "source.pdf", cells)
    counts = {
        word: found_by_pdfium(made, word) for word in ("known", "korean", "돌려준다", "footer")
    }
    assert counts == {"known": 1, "korean": 1, "돌려준다": 4, "footer": 0}
    assert found_by_pdfium(made, "The machine reads every page") == 2 + 3
    assert found_by_pdfium(made, "17") == 1


def test_what_was_made_searchable_needs_no_more(tmp_path: Path) -> None:
    as_scan(tmp_path / "source")
    made = written(tmp_path, tmp_path / "source.pdf", article().cells)
    again = tmp_path / "again"
    again.mkdir()
    made = made.rename(again / "again.pdf")
    assert written(again, made, article().cells).read_bytes() == made.read_bytes()


# ---- several files, and what is not as it was ----


def test_pictures_of_a_folder_and_frames_of_a_tiff_are_pages(tmp_path: Path) -> None:
    root, out = tmp_path / "in", tmp_path / "out"
    root.mkdir()
    out.mkdir()
    picture = article().picture
    picture.save(root / "1.png", dpi=(DPI, DPI))
    picture.convert("RGB").save(root / "2.jpg")
    upside_down = picture.transpose(Image.Transpose.ROTATE_180)
    picture.save(root / "3.tiff", save_all=True, append_images=[upside_down], dpi=(DPI, DPI))
    for name in ("4.png", "5.png", "6.png"):
        picture.save(root / name)
    pages = [
        (entry_of(root / "1.png", root), article().cells),
        (entry_of(root / "2.jpg", root, status="failed"), ()),
        (entry_of(root / "3.tiff", root, 0), article().cells),
        (entry_of(root / "3.tiff", root, 1, rotation=180), article().cells),
        *((entry_of(root / f"{n}.png", root), article().cells) for n in (4, 5, 6)),
    ]
    (root / "4.png").unlink()
    picture.convert("RGB").save(root / "5.png")
    cut = (root / "6.png").read_bytes()[:20]
    (root / "6.png").write_bytes(cut)
    pages[-1] = entry_of(root / "6.png", root), article().cells
    remarks = pdf.write(document_of(*pages), Sources(out, root), out)
    assert [remark.partition(":")[0] for remark in remarks] == ["4.png", "5.png", "6.png"]
    assert "no longer in INPUT" in remarks[0]
    assert "has changed" in remarks[1]
    assert "cannot be opened" in remarks[2]
    first, failed, third, fourth = words_by_poppler(out / "book.pdf")
    for words in (first, third, fourth):
        check_places(words, article().words)
    assert failed == []
    with pymupdf.open(out / "book.pdf") as book:
        assert book.metadata is not None
        assert book.metadata["title"] == "book"
        assert [page.rotation for page in book] == [0, 0, 0, 180]
        assert [row[2] for row in book.get_toc()] == [1, 1, 3, 3, 4, 4]


def test_a_broken_page_or_outline_costs_no_other_its_text(tmp_path: Path) -> None:
    source, out = tmp_path / "source.pdf", tmp_path / "out"
    out.mkdir()
    with scan_of_article() as book, scan_of_article() as another:
        book.insert_pdf(another)
        book.insert_pdf(another)
        book.update_object(book.page_xref(1), "(no page)")
        outlines = book.get_new_xref()
        book.update_object(outlines, f"<</First {outlines} 0 R/Last {outlines} 0 R>>")
        book.xref_set_key(book.pdf_catalog(), "Outlines", f"{outlines} 0 R")
        book.save(source)
    pages = [(entry_of(source, tmp_path, n), article().cells) for n in (0, 1, 2, 7)]
    remarks = pdf.write(document_of(*pages), Sources(out, tmp_path), out)
    assert [remark.partition(":")[0] for remark in remarks] == ["page 2", "page 8"]
    assert [found_by_pdfium(out / "book.pdf", "korean", n) for n in (0, 2)] == [1, 1]


def test_a_broken_frame_costs_no_other_its_page(tmp_path: Path) -> None:
    source, out = tmp_path / "source.tif", tmp_path / "out"
    out.mkdir()
    picture = article().picture
    picture.save(source, save_all=True, append_images=[picture], dpi=(DPI, DPI))
    pages = [(entry_of(source, tmp_path, n), article().cells) for n in (0, 5, 1)]
    (remark,) = pdf.write(document_of(*pages), Sources(out, tmp_path), out)
    assert "source_page_5: left out, it cannot be opened" in remark
    assert len(words_by_poppler(out / "book.pdf")) == 2


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda path: path.unlink(), "no longer in INPUT"),
        (lambda path: path.write_bytes(path.read_bytes() + b"\n"), "has changed since it was read"),
    ],
    ids=["gone", "changed"],
)
def test_a_file_that_is_not_what_was_read_becomes_no_document(
    tmp_path: Path, change: Callable[[Path], Any], said: str
) -> None:
    as_scan(tmp_path / "source")
    source = tmp_path / "source.pdf"
    document = document_of((entry_of(source, tmp_path, 0), article().cells))
    change(source)
    with pytest.raises(ValueError, match=f"source.pdf: .*{said}"):
        pdf.write(document, Sources(tmp_path, tmp_path), tmp_path)


@pytest.mark.parametrize(
    ("content", "given", "said"),
    [
        (None, "", "wants another password than PDF_PASSWORD"),
        (None, "wrong", "wants another password than PDF_PASSWORD"),
        (b"%PDF-1.7\n%nothing else", "", "damaged beyond repair"),
    ],
    ids=["no password", "another password", "damaged"],
)
def test_a_pdf_that_cannot_be_opened_is_an_error_that_says_why(
    tmp_path: Path, content: bytes | None, given: str, said: str
) -> None:
    source = tmp_path / "source.pdf"
    if content is None:
        rich_pdf(source, **ENCRYPTED)
    else:
        source.write_bytes(content)
    with pytest.raises(ValueError, match=said):
        written(tmp_path, source, article().cells, given)


def test_without_input_it_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="give INPUT"):
        pdf.write(document_of(), Sources(tmp_path), tmp_path)


def test_a_way_out_of_input_is_not_gone(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    as_png(tmp_path / "secret")
    entry = entry_of(tmp_path / "secret.png", tmp_path, input="../secret.png")
    with pytest.raises(ValueError, match=r"secret.png: left out"):
        pdf.write(document_of((entry, ())), Sources(tmp_path, tmp_path / "in"), tmp_path)


# ---- scripts ----

SCRIPTS = {
    "Hebrew": "שלום עולם, זה מבחן 123 PDF סוף",
    "Arabic": "السلام عليكم ورحمة الله 2024 وبركاته",
    "Thai": "ภาษาไทยไม่มีช่องว่าง",
    "Hindi": "हिन्दी में लिखा गया पाठ",
    "Japanese": "日本語の文章、カタカナも。",
    "Chinese": "中文也可以搜索。",
    "Russian": "Привет, мир",
    "Vietnamese": "Tiếng Việt có dấu",
    "mixed": "English עברית 한국어",
}


def test_words_of_all_scripts_are_found(tmp_path: Path) -> None:
    Image.new("L", (600, 800), 255).save(tmp_path / "source.png")
    cells = tuple(
        Cell((0.1, 0.05 + 0.1 * n, 0.7, 0.08 + 0.1 * n), "Text", text)
        for n, text in enumerate(SCRIPTS.values())
    )
    made = written(tmp_path, tmp_path / "source.png", cells)
    said = poppler(made)
    for text in SCRIPTS.values():
        for word in text.split():
            assert found_by_pdfium(made, word.strip(",")) == 1, word
            assert word.strip(",") in said


def test_a_phrase_is_found_over_the_end_of_a_line(tmp_path: Path) -> None:
    as_png(tmp_path / "source")
    made = written(tmp_path, tmp_path / "source.png", article().cells)
    assert found_by_pdfium(made, "a person would read it. Tables, formulas") == 5
    assert found_by_pdfium(made, "표와 수식과 각주는 따로 보관하므로") == 4


# ---- hostile texts ----

HOSTILE = {
    "operators": "ET Q q 0 0 1 RG BT (owned) Tj endstream endobj",
    "strings": r"a ) b ( c \) d \\ <41> >> << /Name %comment",
    "controls": "nul\0bell\x07escape\x1b[31m back\x08 feed\x0c",
    "direction": "\u202egnp.exe\u202c \u2066isolated\u2069 \ufeffmark",
    "halves": "half \ud800 and \udfff of a pair",
    "beyond": "beyond the plane 😀 𝒳 𠀀 end",
    "marks": "z" + "\u0351" * 500 + " e\u0301 n\u0303 end",
    "apart": unicodedata.normalize("NFD", "한글이 나뉘었다"),
    "many letters": "".join(map(chr, range(0x4E00, 0x9FFF))),
    "empty": " \n\t\n ",
}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_text_is_text(tmp_path: Path, name: str) -> None:
    as_png(tmp_path / "source")
    text = HOSTILE[name]
    cells = (Cell((0.1, 0.1, 0.9, 0.3), "Title", text), Cell((0.1, 0.5, 0.9, 0.6), "Text", "after"))
    made = written(tmp_path, tmp_path / "source.png", cells)
    said = poppler(made, "-raw")
    assert "after" in said
    assert found_by_pdfium(made, "after") >= 1
    with pymupdf.open(made) as book:
        assert picture_of(book[0], DPI).tobytes() == article().picture.tobytes()
        for row in book.get_toc():
            assert row[1].isprintable()
    wanted = {
        "operators": "ET Q q 0 0 1 RG BT (owned) Tj endstream endobj",
        "strings": r") b ( c ) d \ <41> >> << /Name %comment",
        "controls": "nulbellescape[31m back",
        "direction": "gnp.exe isolated mark",
        "beyond": "beyond the plane 😀 𝒳 𠀀 end",
        "apart": "한글이 나뉘었다",
        "marks": "é ñ end",
    }.get(name, "")
    assert wanted in " ".join(said.split())


def test_a_text_without_an_end_is_written_within_bounds(tmp_path: Path) -> None:
    as_png(tmp_path / "source")
    words = "word " * 40_000
    boxes = [
        (0.1, 0.1, 0.9, 0.2),
        (0.0, 0.0, 0.0, 0.0),
        (0.5, 0.5, 0.5001, 1.0),
        (1.0, 1.0, 1.0, 1.0),
    ]
    cells = tuple(
        Cell(box, "Text", words if n == 0 else f"corner{n}") for n, box in enumerate(boxes)
    )
    made = written(tmp_path, tmp_path / "source.png", cells)
    with pymupdf.open(made) as book:  # poppler leaves out most letters that are as small as dust
        assert book[0].get_text().split().count("word") == 40_000
    assert all(found_by_pdfium(made, f"corner{n}") == 1 for n in (1, 2, 3))
