"""Which drawing of a PDF page is sent, and what MuPDF's warnings mean."""

from __future__ import annotations

import pytest
from PIL import Image

from picture.pdf.whole import Drawn, choose, complaint, tiles_apart
from rig import pages

SAID = "syntax error: x"


@pytest.mark.parametrize(
    ("drawn", "expected"),
    [
        # MuPDF complained
        (Drawn(SAID), "note"),
        (Drawn(SAID, only_pdfium=2), "note"),
        (Drawn(SAID, only_pdfium=3), "pdfium"),
        (Drawn(SAID, only_mupdf=10, only_pdfium=22), "note"),
        (Drawn(SAID, only_mupdf=10, only_pdfium=23), "pdfium"),
        (Drawn(SAID, only_mupdf=500), "note"),
        (Drawn(SAID, is_even=True, only_pdfium=90), "pdfium"),
        (Drawn(SAID, is_even=True), "none"),
        (Drawn(SAID, refused="no"), "none"),
        # something is missing: only a program that draws more can have it
        (Drawn(SAID, lost="half"), "none"),
        (Drawn(SAID, lost="half", only_mupdf=500), "none"),
        (Drawn(SAID, lost="half", only_pdfium=90), "pdfium"),
        # and no program has it, if the file lacks it
        (Drawn(SAID, lost="half", for_all=True, only_pdfium=90), "none"),
        (Drawn(SAID, for_all=True, only_pdfium=90), "pdfium"),
        # MuPDF failed
        (Drawn(SAID, failed=True), "none"),
        (Drawn(SAID, failed=True, only_pdfium=90), "pdfium"),
        (Drawn(SAID, failed=True, refused="no"), "none"),
        # MuPDF drew nothing, without a warning
        (Drawn(is_even=True), "mupdf"),
        (Drawn(is_even=True, only_pdfium=90), "pdfium"),
        (Drawn(is_even=True, refused="no"), "none"),
    ],
)
def test_the_drawing_that_is_sent(drawn: Drawn, expected: str) -> None:
    choice = choose(drawn)
    assert choice.by_pdfium is (expected == "pdfium")
    assert bool(choice.reason) is (expected == "none")
    assert bool(choice.note) is (expected in ("note", "pdfium"))
    for words in (drawn.said, drawn.refused, drawn.lost):
        assert expected == "mupdf" or not choice.reason or words in choice.reason


@pytest.mark.parametrize(
    ("warnings", "expected"),
    [
        ("", ""),
        ("bogus font ascent/descent values (3117 / -1463)\n... repeated 3 times...", ""),
        ("ignoring invalid ICC profile", ""),
        ("PDF stream Length incorrect", ""),
        ("syntax error: x", "syntax error: x"),
        ("syntax error: x\njbig2dec error: y", "jbig2dec error: y"),
        ("syntax error: x\nsyntax error: no XObject subtype specified", "syntax error: no XObj"),
        (
            "... repeated 3 times...\ncannot load content stream part 1/1",
            "cannot load content stre",
        ),
        ("padding truncated image\nsyntax error after inline image", "syntax error after inline"),
        ("ignoring zlib error: incorrect data check", ""),
        ("x" * 500, "x" * 120),
    ],
)
def test_what_a_warning_tells(warnings: str, expected: str) -> None:
    assert complaint(warnings).startswith(expected) and bool(complaint(warnings)) is bool(expected)


def test_tiles_in_which_one_alone_has_drawn() -> None:
    page = pages.article(200)
    assert tiles_apart(page, page) == (0, 0)
    moved = Image.new("L", page.size, 255)
    moved.paste(page, (6, 6))
    assert max(tiles_apart(page, moved)) <= 2
    half = page.copy()
    half.paste(255, (0, page.height // 2, *page.size))
    mupdf, pdfium = tiles_apart(half, page)
    assert mupdf == 0 and pdfium > 200
    assert tiles_apart(page, half) == (pdfium, mupdf)
    assert tiles_apart(None, page)[1] > 400
    smaller = page.resize((page.width - 1, page.height - 1))
    assert max(tiles_apart(page, smaller)) <= 2
