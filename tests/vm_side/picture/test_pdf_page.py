"""A PDF page that MuPDF draws only in part: another drawing, or a reason, but never blank."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path

import pymupdf
import pytest
from PIL import Image

from picture.images import UnreadablePage, is_blank
from picture.limits import pixels_of
from picture.pdf import page as pdf_page
from picture.pdf.mupdf import LARGEST_DRAWING, open_once
from picture.pdf.page import open_pdf_page
from picture.pdf.unsaid import NOTE
from picture.pdf.whole import BOX, REPAIRED, tiles_apart
from rig import half_drawn, hostages, pages
from rig.half_drawn import LINES, written


@pytest.mark.parametrize(
    ("make", "note"),
    [
        (half_drawn.errors_first, "drawn by PDFium, which draws more (MuPDF: syntax error: cannot"),
        (half_drawn.errors_amidst, "drawn by PDFium, which draws more (MuPDF: syntax error: canno"),
        (half_drawn.scan_without_end, "MuPDF: premature end of file in jpeg; PDFium draws no more"),
    ],
)
def test_the_better_drawing_is_taken_and_the_note_says_why(
    tmp_path: Path, make: Callable[[Path], Path], note: str
) -> None:
    notes: list[str] = []
    picture = open_pdf_page(make(tmp_path / "a.pdf"), 0, notes)
    assert [said[: len(note)] for said in notes] == [note]
    assert not is_blank(picture) and picture.mode == "L" and picture.size == (1653, 2339)
    again: list[str] = []
    assert open_pdf_page(tmp_path / "a.pdf", 0, again).tobytes() == picture.tobytes()
    assert again == notes


def test_nothing_of_a_page_with_errors_is_missing(tmp_path: Path) -> None:
    whole = open_pdf_page(half_drawn.whole(tmp_path / "whole.pdf"), 0)
    page = open_pdf_page(half_drawn.errors_amidst(tmp_path / "a.pdf"), 0)
    lowest = [picture.point(lambda v: 255 - v).getbbox() for picture in (whole, page)]
    assert lowest[0] is not None and lowest[1] is not None
    assert abs(lowest[0][3] - lowest[1][3]) < 5


@pytest.mark.parametrize(
    ("make", "reason"),
    [
        (half_drawn.cut_scan, "62% of it is missing"),
        (half_drawn.packed_cut_scan, "62% of it is missing"),
        (half_drawn.cut_print, "20% of it is missing"),
        (half_drawn.ended_print, "of it is missing), though MuPDF does not say so"),
        (half_drawn.half_jbig2, "50% of it is missing"),
        (half_drawn.start_of_jbig2, "100% of it is missing"),
        (half_drawn.no_jbig2, "a picture on it cannot be decoded"),
        (half_drawn.no_jpx, "cannot be read): MuPDF: openjpeg error"),
        (half_drawn.cut_content, "what is to be drawn is cut off"),
        (half_drawn.hole_in_content, "what is to be drawn is cut off or damaged"),
        (half_drawn.no_mask, "100% of it is missing"),
        (half_drawn.no_picture, "a picture or a drawing on it is not in the file"),
        (half_drawn.cut_fax, "61% of it is missing"),
        (half_drawn.ended_scan, "it ends where 62% of it is missing"),
        (half_drawn.cut_inline_scan, "a picture among its operators is cut off"),
    ],
)
def test_what_neither_draws_whole_is_failed_with_its_reason(
    tmp_path: Path, make: Callable[[Path], Path], reason: str
) -> None:
    with pytest.raises(UnreadablePage) as error:
        open_pdf_page(make(tmp_path / "a.pdf"), 0)
    assert str(error.value).startswith("not drawn whole (") and reason in str(error.value)


def test_a_picture_of_jbig2_may_lack_its_last_byte_or_have_more(tmp_path: Path) -> None:
    whole = open_pdf_page(half_drawn.jbig2_scan(tmp_path / "whole.pdf", lambda data: data), 0)
    assert not is_blank(whole)
    for number, change in enumerate((lambda data: data[:-12], lambda data: data + b"\r\n")):
        path = half_drawn.jbig2_scan(tmp_path / f"{number}.pdf", change)
        other = open_pdf_page(path, 0)
        assert max(tiles_apart(whole, other)) <= 1


@pytest.mark.parametrize("make", [half_drawn.cut_scan, half_drawn.ended_scan])
@pytest.mark.parametrize("way", ["stamp", "pattern", "letter", "mask"])
def test_a_picture_is_looked_at_by_whichever_way_it_comes_to_the_page(
    tmp_path: Path, way: str, make: Callable[[Path], Path]
) -> None:
    path = half_drawn.cut_scan_in(tmp_path / "a.pdf", way, make)
    with pytest.raises(UnreadablePage, match="62% of it is missing"):
        open_pdf_page(path, 0)


@pytest.mark.parametrize("is_wrong", [False, True])
def test_a_picture_whose_checksum_is_wrong_is_noted(tmp_path: Path, is_wrong: bool) -> None:
    """MuPDF ignores the checksum, because careless writers also leave it wrong."""
    ending = b"none" * is_wrong
    path, notes = tmp_path / "a.pdf", list[str]()
    half_drawn.packed_scan(path, lambda packed: packed[: len(packed) - len(ending)] + ending)
    open_pdf_page(path, 0, notes)
    assert notes == [NOTE] * is_wrong


def test_an_icon_among_the_operators_may_be_cut(tmp_path: Path) -> None:
    path, notes = tmp_path / "a.pdf", list[str]()
    open_pdf_page(half_drawn.inline_scan(path, lambda pixels: pixels[:500], side=40), 0, notes)
    assert len(notes) == 1 and "inline image; PDFium draws no more" in notes[0]
    notes.clear()
    open_pdf_page(half_drawn.inline_scan(path, lambda pixels: pixels), 0, notes)
    assert not notes


def test_one_of_the_contents_of_a_page_may_be_no_stream(tmp_path: Path) -> None:
    path = half_drawn.cut_inline_scan(tmp_path / "a.pdf")
    with pymupdf.open(path) as document:
        (xref,) = document[0].get_contents()
        document.update_object(other := document.get_new_xref(), "<< >>")
        document.xref_set_key(document[0].xref, "Contents", f"[{other} 0 R {xref} 0 R]")
        changed = document.tobytes()
    path.write_bytes(changed)
    with pytest.raises(UnreadablePage, match="a picture among its operators is cut off"):
        open_pdf_page(path, 0)


@pytest.mark.parametrize("size", [(400, 500), (3000, 8)])
def test_a_gray_picture_is_no_half_one(tmp_path: Path, size: tuple[int, int]) -> None:
    """It has the gray that a decoder makes up; also with a shape that no page can have."""
    file = io.BytesIO()
    Image.new("RGB", size, (128, 128, 128)).save(file, "JPEG")
    with pymupdf.open() as document:
        page = document.new_page()
        page.insert_image(page.rect, stream=file.getvalue(), keep_proportion=False)
        page.insert_text((72, 72), "on gray")
        document.save(tmp_path / "a.pdf")
    notes: list[str] = []
    open_pdf_page(tmp_path / "a.pdf", 0, notes)
    assert not notes


def test_of_a_cut_download_the_pages_that_are_there_are_read(tmp_path: Path) -> None:
    path = half_drawn.cut_download(tmp_path / "a.pdf")
    notes: list[str] = []
    assert not is_blank(open_pdf_page(path, 0, notes))
    assert notes == [REPAIRED]
    for index in (1, 2):
        with pytest.raises(UnreadablePage, match=r"not drawn whole.*MuPDF: .*; PDFium"):
            open_pdf_page(path, index)


def test_an_encrypted_page_is_drawn_again_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """PDFium gets a copy that needs no password."""
    path = pages.pdf(tmp_path / "a.pdf", 1, encrypted=True)
    document = pymupdf.open(path)
    assert document.authenticate(pages.PDF_PASSWORD)
    monkeypatch.setattr(pdf_page, "kept_pdf", lambda source: document)
    assert not is_blank(pdf_page.drawn_anyhow(document, path, 0))


@pytest.mark.parametrize("make", [half_drawn.whole, hostages.good])
def test_pages_that_are_whole_are_drawn_once(
    tmp_path: Path, make: Callable[[Path], Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delattr(pdf_page, "drawn_by_pdfium")
    open_pdf_page(make(tmp_path / "a.pdf"), 0)


@pytest.mark.parametrize("content", ["", " \n", "1 1 1 rg 100 100 300 300 re f", "q Q"])
def test_what_both_draw_white_is_blank(tmp_path: Path, content: str) -> None:
    notes: list[str] = []
    assert is_blank(open_pdf_page(written(tmp_path / "a.pdf", content), 0, notes))
    assert not notes


def test_a_page_of_which_all_is_in_a_layer_that_is_off_is_noted(tmp_path: Path) -> None:
    with pymupdf.open() as document:
        off = document.add_ocg("off", on=False)
        for layer in (off, 0):
            file = io.BytesIO()
            pages.article(50, layer).save(file, "PNG")
            document.new_page().insert_image((72, 72, 400, 400), stream=file.getvalue(), oc=layer)
        document.save(tmp_path / "a.pdf")
    notes: list[str] = []
    assert is_blank(open_pdf_page(tmp_path / "a.pdf", 0, notes))
    assert notes == ["the PDF has layers that are off: what is in them is not read"]
    notes.clear()
    assert not is_blank(open_pdf_page(tmp_path / "a.pdf", 1, notes)) and not notes


@pytest.mark.parametrize(
    ("default", "usage"),
    [("/BaseState/OFF", ""), ("/OFF[{} 0 R]", ""), ("", "/Usage<</View<</ViewState/OFF>>>>")],
    ids=["all are", "this one is", "off on a screen"],
)
def test_a_layer_may_be_off_in_several_ways(tmp_path: Path, default: str, usage: str) -> None:
    path, notes = tmp_path / "a.pdf", list[str]()
    half_drawn.whole(path)
    with pymupdf.open(path) as document:
        layer = document.add_ocg("layer")
        document.update_object(layer, f"<</Type/OCG/Name(layer){usage}>>")
        document.xref_set_key(
            document.pdf_catalog(), "OCProperties/D", f"<<{default.format(layer)}>>"
        )
        page = document[0]
        resources = int(document.xref_get_key(page.xref, "Resources")[1].partition(" ")[0])
        document.xref_set_key(resources, "Properties", f"<</L {layer} 0 R>>")
        inner = page.read_contents()
        document.update_stream(page.get_contents()[0], b"/OC /L BDC " + inner + b" EMC")
        changed = document.tobytes()
    path.write_bytes(changed)
    assert is_blank(open_pdf_page(path, 0, notes))
    assert notes == ["the PDF has layers that are off: what is in them is not read"]


def test_a_warning_is_of_the_page_that_has_it(tmp_path: Path) -> None:
    """The damaged page is the second of three."""
    with (
        pymupdf.open(half_drawn.whole(tmp_path / "a.pdf")) as book,
        pymupdf.open(half_drawn.errors_amidst(tmp_path / "b.pdf")) as odd,
    ):
        book.insert_pdf(odd)
        with pymupdf.open(tmp_path / "a.pdf") as again:
            book.insert_pdf(again)
        book.save(tmp_path / "c.pdf")
    told = []
    for index in range(3):
        notes: list[str] = []
        open_pdf_page(tmp_path / "c.pdf", index, notes)
        told.append(len(notes))
    assert told == [0, 1, 0]


# ---- boxes, and pages that are too large ----


@pytest.mark.parametrize(
    "box",
    ["[0 0 0 0]", "[0 0 595 0]", "[9 9 9 9]", "[2000 2000 3000 3000]", "[0 0 595]"],
)
def test_a_crop_box_that_shows_nothing_is_the_media_box(tmp_path: Path, box: str) -> None:
    whole = open_pdf_page(half_drawn.whole(tmp_path / "whole.pdf"), 0)
    path = written(tmp_path / "a.pdf", "\n".join(LINES), {"CropBox": box})
    for _ in range(2):
        notes: list[str] = []
        assert pixels_of(path, 0) == pytest.approx(1653 * 2339, rel=0.01)
        assert open_pdf_page(path, 0, notes).tobytes() == whole.tobytes()
        assert notes == [BOX]


@pytest.mark.parametrize(
    ("box", "size"),
    [
        ("[50 50 400 700]", (973, 1806)),
        ("[400 700 50 50]", (973, 1806)),
        ("[-100 -100 900 900]", (1653, 2339)),
    ],
)
def test_other_boxes_are_respected(tmp_path: Path, box: str, size: tuple[int, int]) -> None:
    path = written(tmp_path / "a.pdf", "\n".join(LINES), {"CropBox": box})
    notes: list[str] = []
    assert open_pdf_page(path, 0, notes).size == size
    assert not notes


@pytest.mark.parametrize("size", [(18_000, 36_000), (14_400, 14_400), (6_000, 6_000)])
def test_a_poster_is_drawn_at_what_fits(tmp_path: Path, size: tuple[int, int]) -> None:
    path = tmp_path / "a.pdf"
    with pymupdf.open() as document:
        sheet = document.new_page(width=size[0], height=size[1])
        sheet.draw_rect((100, 100, size[0] - 100, size[1] // 2), fill=(0, 0, 0))
        document.save(path)
    open_once.cache_clear()
    expected = pixels_of(path, 0)
    picture = open_pdf_page(path, 0)
    assert picture.width * picture.height <= LARGEST_DRAWING + sum(picture.size)
    assert picture.width * picture.height == pytest.approx(expected, rel=0.01)
    assert picture.width / picture.height == pytest.approx(size[0] / size[1], rel=0.01)
