"""The text layer of a PDF page: where its words are, and when it is not used as a witness."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pymupdf
import pytest
from PIL import Image

from picture.images import model_picture
from picture.pdf import text_layer
from picture.pdf.page import open_pdf_page
from picture.pdf.text_layer import is_sane, words_on
from picture.upright import turned

SENTENCE = "The ferry leaves the harbour at seven, and nobody on the island is awake to see it go."


def layer_of(document: pymupdf.Document, path: Path) -> list[str]:
    """The texts of a document's first page."""
    document.save(path)
    picture = model_picture(open_pdf_page(path, 0), 1_000_000, 0)
    return [word.text for word in words_on(picture, path, 0, 0)]


def page_of(document: pymupdf.Document) -> pymupdf.Page:
    page = document.new_page(width=400, height=600)
    for line in range(6):
        page.insert_text((40, 60 + 20 * line), SENTENCE[:60])
    return page


@pytest.mark.parametrize("turn", [0, 90, 180, 270])
@pytest.mark.parametrize("crop", [None, (30, 40, 380, 560)])
@pytest.mark.parametrize("rotation", [0, 90, 180, 270])
def test_a_word_lies_where_it_is_drawn(
    tmp_path: Path, rotation: int, crop: tuple[int, ...] | None, turn: int
) -> None:
    """However the page is turned, cropped and scaled before."""
    with pymupdf.open() as document:
        page = document.new_page(width=400, height=600)
        page.insert_text((150, 200), "harbour", fontsize=30)
        page.set_rotation(rotation)
        if crop:
            page.set_cropbox(pymupdf.Rect(crop))
        document.save(tmp_path / "a.pdf")
    picture = model_picture(turned(open_pdf_page(tmp_path / "a.pdf", 0), turn), 1_000_000, 0)
    (word,) = words_on(picture, tmp_path / "a.pdf", 0, turn)
    assert word.text == "harbour"
    ink = picture.point(lambda level: 255 * (level < 128)).getbbox()
    assert ink is not None
    assert all(a <= b + 2 for a, b in zip(word.bbox[:2], ink[:2], strict=True))
    assert all(a >= b - 2 for a, b in zip(word.bbox[2:], ink[2:], strict=True))
    area = (word.bbox[2] - word.bbox[0]) * (word.bbox[3] - word.bbox[1])
    assert area < 3 * (ink[2] - ink[0]) * (ink[3] - ink[1])


def scan(document: pymupdf.Document, page: pymupdf.Page) -> None:
    """Put a picture of the page over it, as OCR programs do."""
    picture = page.get_pixmap(dpi=100)
    page.insert_image(page.rect, pixmap=picture)


def invisible(document: pymupdf.Document, page: pymupdf.Page) -> None:
    """Draw a line, and a text that is not drawn: render mode 3."""
    page.add_redact_annot(page.rect)
    page.apply_redactions()
    page.insert_text((40, 60), SENTENCE[:60], render_mode=3)
    page.draw_line((40, 60), (300, 60))


def white(document: pymupdf.Document, page: pymupdf.Page) -> None:
    """Cover the text with a white patch."""
    page.draw_rect(page.rect, fill=(1, 1, 1), color=(1, 1, 1))
    page.draw_line((40, 500), (300, 500))


def without_letters(document: pymupdf.Document, page: pymupdf.Page) -> None:
    """Write the text in a font with glyph numbers only, as some programs do."""
    page.add_redact_annot(page.rect)
    page.apply_redactions()
    write_without_letters(document, page, SENTENCE[:60])


def write_without_letters(document: pymupdf.Document, page: pymupdf.Page, text: str) -> None:
    writer = pymupdf.TextWriter(page.rect)
    writer.append((40, 300), text, font=pymupdf.Font("korea"))
    writer.write_text(page)
    for xref in range(1, document.xref_length()):
        if document.xref_get_key(xref, "ToUnicode")[0] != "null":
            document.xref_set_key(xref, "ToUnicode", "null")
            document.xref_set_key(xref, "DescendantFonts/CIDSystemInfo", "null")


@pytest.mark.parametrize("spoil", [scan, invisible, white, without_letters])
def test_what_is_no_witness_says_nothing(
    tmp_path: Path, spoil: Callable[[pymupdf.Document, pymupdf.Page], None]
) -> None:
    with pymupdf.open() as document:
        page = page_of(document)
        document.save(tmp_path / "before.pdf")
        spoil(document, page)
        said = layer_of(document, tmp_path / "a.pdf")
    assert [text for text in said if text] == []
    with pymupdf.open(tmp_path / "before.pdf") as document:
        assert "ferry" in layer_of(document, tmp_path / "b.pdf")


def test_of_a_picture_on_the_page_it_is_known_that_nothing_is_known(tmp_path: Path) -> None:
    with pymupdf.open() as document:
        page = page_of(document)
        page.insert_image((40, 300, 240, 500), pixmap=page.get_pixmap(dpi=40))
        document.save(tmp_path / "a.pdf")
    picture = model_picture(open_pdf_page(tmp_path / "a.pdf", 0), 1_000_000, 0)
    found = words_on(picture, tmp_path / "a.pdf", 0, 0)
    (unknown,) = [word for word in found if not word.text]
    assert 0.9 < (unknown.bbox[3] - unknown.bbox[1]) / (picture.height * 200 / 600) < 1.1
    assert [word.text for word in found if word.text][:3] == ["The", "ferry", "leaves"]


def test_a_word_of_which_the_letters_are_not_known_is_there(tmp_path: Path) -> None:
    with pymupdf.open() as document:
        write_without_letters(document, page_of(document), "lantern")
        said = layer_of(document, tmp_path / "a.pdf")
    assert said[:2] == ["The", "ferry"] and said[-1] == ""


def test_a_page_of_too_many_words_has_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(text_layer, "MOST_WORDS", 10)
    with pymupdf.open() as document:
        page_of(document)
        assert layer_of(document, tmp_path / "a.pdf") == []


def test_a_file_that_is_gone_bad_has_none(tmp_path: Path) -> None:
    """It was drawn a moment ago, so the page must not be lost because of this."""
    with pymupdf.open() as document:
        page_of(document)
        document.save(tmp_path / "a.pdf")
    assert words_on(Image.new("L", (100, 100)), tmp_path / "a.pdf", 5, 0) == ()


@pytest.mark.parametrize(
    ("text", "is_good"),
    [
        (SENTENCE * 3, True),
        (
            "Die Fähre verläßt den Hafen um sieben, und niemand ist wach, der sie fahren sähe. "
            * 3,
            True,
        ),
        (
            "Con tàu rời bến cảng lúc bảy giờ và không ai trên đảo thức dậy để nhìn nó đi cả. " * 3,
            True,
        ),
        ("배는 일곱 시에 항구를 떠나고 섬에서 깨어 있는 사람은 아무도 없다." * 3, True),
        ("渡船七点离港，岛上没有人醒来看它离开。" * 5, True),
        ("SKU-11X BRT-94K " * 2, True),  # too short to judge
        ("".join(chr(ord(sign) - 29) for sign in SENTENCE.replace(" ", "")) * 3, False),
        ("배는 일곱 시에 항구를 떠나고 섬에서".encode("euc-kr").decode("latin-1") * 12, False),
        ("\ufffd\ufffd\ufffd" + SENTENCE[:10], False),
        ("\ue001\ue00a\ue013" * 9, False),
        ("שלום עולם" * 20, False),
    ],
)
def test_a_layer_is_sane_if_somebody_could_have_written_it(text: str, is_good: bool) -> None:
    assert is_sane(text.split()) is is_good
