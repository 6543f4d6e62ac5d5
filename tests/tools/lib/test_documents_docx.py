"""docx: opened again, it contains what was read, in Word's own forms."""

import zipfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import docx
import pytest
from docx.oxml.ns import qn
from docx.shared import Mm
from lxml import etree
from PIL import Image

from lib.documents.document import Document, Page
from lib.documents.formats import docx as as_docx
from lib.documents.office.word_math import word_formula
from lib.documents.pictures import NO_PICTURES
from lib.pages.markup import mathml
from rig.small_documents import document, written

PICTURE = "report/pictures/page_0_1.png"


def reopened(what: Document, folder: Path) -> Any:
    """A document, written and opened again."""
    assert written(as_docx.write, what, folder) == []
    return docx.Document(str(folder / "report.docx"))


def opened(folder: Path, *cells: tuple[str, str]) -> Any:
    """Write and open again a document of one page with these cells."""
    return reopened(document(cells), folder)


def styles(word: Any) -> list[tuple[str, str]]:
    """Style and text of all paragraphs that have text."""
    return [(p.style.name, p.text) for p in word.paragraphs if p.text]


def inside(element: Any) -> list[str]:
    """The names of the elements and the texts in it, from outside in."""
    names = {"t": lambda part: f"'{part.text}'"}
    local = ((etree.QName(part).localname, part) for part in element.iter())
    return [names.get(name, lambda _, name=name: name)(part) for name, part in local]


def test_headings_texts_and_lists_have_styles(tmp_path: Path) -> None:
    word = opened(
        tmp_path,
        ("Page-header", "furniture"),
        ("Title", "# A **title**"),
        ("Section-header", "## 1. First"),
        ("Text", "one\ntwo"),
        ("List-item", "- a\n- b\n  - c\n\n7. d"),
        ("Caption", "Figure 1"),
        ("Footnote", "1 a note"),
    )
    assert styles(word) == [
        ("Heading 1", "A **title**"),
        ("Heading 2", "1. First"),
        ("Normal", "one\ntwo"),
        ("List Bullet", "a"),
        ("List Bullet", "b"),
        ("List Bullet 2", "c"),
        ("List Paragraph", "7.\td"),  # Word's own number would be 1
        ("Caption", "Figure 1"),
        ("footnote text", "1 a note"),
    ]


def test_page_headers_are_there_if_they_are_wanted(tmp_path: Path) -> None:
    what = document([("Page-header", "furniture")])
    written(as_docx.write, what, tmp_path, with_furniture=True)
    assert styles(docx.Document(str(tmp_path / "report.docx"))) == [("Normal", "furniture")]


def test_looks_of_a_text(tmp_path: Path) -> None:
    runs = opened(tmp_path, ("Text", "a **b *c*** `d` e")).paragraphs[0].runs
    found = [(r.text, bool(r.bold), bool(r.italic), r.font.name) for r in runs if r.text.strip()]
    assert found == [
        ("a ", False, False, None),
        ("b ", True, False, None),
        ("c", True, True, None),
        ("d", False, False, "Courier New"),
        (" e", False, False, None),
    ]


def test_merged_cells_and_rows_of_headers(tmp_path: Path) -> None:
    html = (
        "<table><thead><tr><th rowspan=2>a</th><th colspan=2>b</th></tr><tr><th>c</th><th>d</th>"
        "</tr></thead><tr><td>e<br>f</td><td>$x<y$</td></tr></table>after"
    )
    word = opened(tmp_path, ("Table", html))
    table = word.tables[0]
    texts = [[cell.text for cell in row.cells] for row in table.rows]
    assert texts == [["a", "b", "b"], ["a", "c", "d"], ["e\nf", "", ""]]
    assert [row._tr.find(f"{qn('w:trPr')}/{qn('w:tblHeader')}") is None for row in table.rows] == [
        *(False, False, True)
    ]
    assert (
        table.cell(0, 0)._tc is table.cell(1, 0)._tc and table.cell(0, 0).paragraphs[0].runs[0].bold
    )
    assert "oMath" in inside(table.cell(2, 1)._tc)
    assert styles(word) == [("Caption", "after")]


def test_a_table_wider_than_word_can_is_lines(tmp_path: Path) -> None:
    html = f"<table><tr>{'<td>a</td>' * 64}</tr></table>"
    assert written(as_docx.write, document([("Table", html)]), tmp_path) == [as_docx.TOO_WIDE]
    word = docx.Document(str(tmp_path / "report.docx"))
    assert styles(word) == [("Normal", "\t".join("a" * 64))] and not word.tables


def with_picture(folder: Path, size: tuple[int, int], path: str = PICTURE) -> Document:
    """A document with a picture that is in the results."""
    file = folder / PICTURE
    file.parent.mkdir(parents=True, exist_ok=True)
    Image.effect_noise(size, 90).save(file)
    what = document([("Text", "a"), ("Picture", "")])
    page = what.pages[0]
    return Document("report", (Page(replace(page.entry, pictures=(path,)), page.cells),))


@pytest.mark.parametrize(
    ("size", "shown", "kind"), [((90, 60), (90, 60), "PNG"), ((3200, 800), (1600, 400), "JPEG")]
)
def test_a_picture_is_inside_and_as_wide_as_on_its_page(
    size: tuple[int, int], shown: tuple[int, int], kind: str, tmp_path: Path
) -> None:
    word = reopened(with_picture(tmp_path, size), tmp_path / "out")
    (shape,) = word.inline_shapes
    # four fifths of the page's width, without its margins
    assert abs(shape.width - Mm(210 - 44)) < Mm(1)
    assert abs(shape.height / shape.width - size[1] / size[0]) < 0.01
    with zipfile.ZipFile(tmp_path / "out/report.docx") as whole:
        (name,) = (name for name in whole.namelist() if "media" in name)
        with whole.open(name) as file, Image.open(file) as image:
            assert (image.size, image.format) == (shown, kind)


@pytest.mark.parametrize("content", [b"", b"\x89PNG\r\n\x1a\n", b"GIF89a", None])
def test_a_picture_that_cannot_be_had_is_told(content: bytes | None, tmp_path: Path) -> None:
    what = with_picture(tmp_path, (9, 9))
    if content is None:
        (tmp_path / PICTURE).unlink()
    else:
        (tmp_path / PICTURE).write_bytes(content)
    assert written(as_docx.write, what, tmp_path / "out") == [NO_PICTURES]


def test_a_picture_of_another_number_is_not_this_one(tmp_path: Path) -> None:
    what = with_picture(tmp_path, (9, 9), "report/pictures/page_0_2.png")
    assert written(as_docx.write, what, tmp_path / "out") == [NO_PICTURES]


@pytest.mark.parametrize(
    ("latex", "expected"),
    [
        ("x^2", "oMath sSup e r 'x' sup r '2'"),
        ("x_i", "oMath sSub e r 'x' sub r 'i'"),
        ("x_i^2", "oMath sSubSup e r 'x' sub r 'i' sup r '2'"),
        (r"\frac{a}{b}", "oMath f fPr type num r 'a' den r 'b'"),
        (r"\sqrt{x}", "oMath rad radPr degHide deg e r 'x'"),
        (r"\sqrt[3]{x}", "oMath rad deg r '3' e r 'x'"),
        (
            r"\sum_{i}^n x+1",
            "oMath nary naryPr chr limLoc sub r 'i' sup r 'n' e r 'x' r '+' r '1'",
        ),
        (r"\int f", "oMath nary naryPr chr limLoc subHide supHide sub sup e r 'f'"),
        (r"\sum", "oMath r '∑'"),
        (r"\left(x\right]", "oMath d dPr begChr endChr e r 'x'"),
        (r"\hat{x}", "oMath acc accPr chr e r 'x'"),
        (r"\bar{x}", "oMath bar barPr pos e r 'x'"),
        (r"\underbrace{x}", "oMath groupChr groupChrPr chr pos e r 'x'"),
        (r"\overset{a}{b}", "oMath limUpp e r 'b' lim r 'a'"),
        (r"\text{if } x", "oMath r rPr nor 'if\u00a0' r 'x'"),
        (
            r"\begin{pmatrix} a \\ b \end{pmatrix}",
            "oMath d dPr begChr endChr e m mPr mcs mc mcPr count mr e r 'a' mr e r 'b'",
        ),
        (r"\begin{aligned} a &= b \\ c \end{aligned}", "oMath eqArr e r 'a' r '=' r 'b' e r 'c'"),
        (r"\phantom{x} y", "oMath r 'y'"),
        ("a<b", "oMath r 'a' r '<' r 'b'"),
    ],
)
def test_formulas_are_words_own(latex: str, expected: str) -> None:
    math = mathml(latex, block=True)
    assert math is not None
    assert " ".join(inside(word_formula(math))) == expected


@pytest.mark.parametrize(
    "latex",
    [
        *(r"\begin{bad", r"\def\x{\x}\x", "x" * 3_000),
        *(r"\sqrt{" * depth + "x" + "}" * depth for depth in (130, 200)),
    ],
    ids=["unknown", "defines", "long", "deep", "deeper"],
)
def test_what_is_no_formula_stays_as_it_was_read(latex: str, tmp_path: Path) -> None:
    word = opened(tmp_path, ("Formula", latex), ("Text", f"a ${latex}$ b"))
    assert word.paragraphs[0].text == latex
    assert latex in word.paragraphs[1].text


def test_a_formula_of_its_own_is_displayed_and_one_in_words_is_not(tmp_path: Path) -> None:
    word = opened(tmp_path, ("Formula", "$$x$$"), ("Formula", "where $x$"), ("Text", "$x$"))
    names = [inside(paragraph._p) for paragraph in word.paragraphs]
    assert ["oMathPara" in found for found in names] == [True, False, False]
    assert all("oMath" in found for found in names)


@pytest.mark.parametrize(
    ("text", "font", "tag"),
    [
        ("한글 and more", "Malgun Gothic", "ko-KR"),
        ("One word of many is 한글. " + "Words. " * 40, "Malgun Gothic", "ko-KR"),
        ("ひらがな漢字", "Yu Gothic", "ja-JP"),
        ("汉字", "Microsoft YaHei", "zh-CN"),
    ],
)
def test_east_asian_letters_have_a_font(text: str, font: str, tag: str, tmp_path: Path) -> None:
    word = opened(tmp_path, ("Title", text), ("Text", text))
    fonts = list(word.styles.element.iter(qn("w:rFonts")))
    assert {found.get(qn("w:eastAsia")) for found in fonts} == {font}
    assert {found.get(qn("w:eastAsiaTheme")) for found in fonts} == {None}
    assert {t.get(qn("w:eastAsia")) for t in word.styles.element.iter(qn("w:lang"))} == {tag}


def test_a_page_that_is_not_here_is_told(tmp_path: Path) -> None:
    what = document([("Text", "a")], status="failed", reason="damaged")
    word = reopened(replace(what, pages=(replace(what.pages[0], cells=()),)), tmp_path)
    assert styles(word) == [("Missing", "report_page_0 is not here: failed: damaged")]


def test_the_paper_lies_as_the_pages_do(tmp_path: Path) -> None:
    for size, is_wide in (((1000, 1400), False), ((1400, 1000), True)):
        section = reopened(document([("Text", "a")], size=size), tmp_path).sections[0]
        assert (section.page_width > section.page_height) == is_wide


def test_characters_that_xml_forbids(tmp_path: Path) -> None:
    text = "a\x00b\x1f\ufffe \ud800 _x0041_"
    kinds = ("Text", "Title", "Formula", "Table", "Caption")
    word = opened(tmp_path, *((kind, text) for kind in kinds))
    assert len(styles(word)) + len(word.tables) >= 4
