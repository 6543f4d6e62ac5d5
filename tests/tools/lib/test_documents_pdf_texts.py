"""The searchable PDF: scripts, phrases, and texts that are hostile."""

from __future__ import annotations

import unicodedata
from pathlib import Path

import pymupdf
import pytest
from PIL import Image

from lib.pages.entries import Cell
from rig.known_page import (
    picture_of,
)
from rig.searchable import (
    DPI,
    article,
    as_png,
    written,
)
from rig.viewers import found_by_pdfium, poppler

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
    with pymupdf.open(made) as book:  # poppler leaves out most letters that are so small
        assert book[0].get_text().split().count("word") == 40_000
    assert all(found_by_pdfium(made, f"corner{n}") == 1 for n in (1, 2, 3))
