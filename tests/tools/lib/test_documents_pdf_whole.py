"""The searchable PDF keeps other parts of a PDF, and reports a changed source."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pymupdf
import pytest
from PIL import Image

from lib.documents.document import Sources
from lib.documents.formats import pdf
from rig.known_page import (
    HIGH,
    WIDE,
    document_of,
    entry_of,
    picture_of,
)
from rig.pages import PDF_PASSWORD
from rig.searchable import (
    DPI,
    article,
    as_png,
    as_scan,
    check_places,
    scan_of_article,
    written,
)
from rig.viewers import found_by_pdfium, words_by_poppler

# ---- what else is in a PDF stays ----


def rich_pdf(path: Path, **saving: Any) -> Path:
    """Two scanned pages, with everything that a PDF can have beside its pages."""
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
    assert [text for text, _ in unread] == ["value"]  # the text of the field


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
    """A born-digital page stays byte for byte; a garbled text layer does not count."""
    source = tmp_path / "source.pdf"
    source.write_bytes(article().letters)
    untitled = tuple(cell for cell in article().cells if "#" not in cell.text)
    assert written(tmp_path, source, untitled).read_bytes() == source.read_bytes()


def test_only_what_a_page_lacks_is_laid_over_it(tmp_path: Path) -> None:
    """A page with its own text layer for its first half, and a garbled one for the other half."""
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
