"""html: one file to read, which contains its pictures; nothing in it runs."""

import io
from dataclasses import replace
from pathlib import Path

import pytest
from PIL import Image, ImageStat
from playwright.sync_api import Browser

from lib.documents import shown_pictures
from lib.documents.document import Document, Page
from lib.documents.formats import html as as_html
from lib.documents.languages import language
from lib.documents.pictures import NO_PICTURES
from lib.documents.shown_pictures import TOO_MANY
from rig.browser import Watched
from rig.small_documents import document, written

PICTURE = "report/pictures/page_0_1.png"
KOREAN = "한글 문장은 어절 단위로 줄이 바뀌어야 읽기 좋습니다."


def source(what: Document, folder: Path, remarks: tuple[str, ...] = ()) -> str:
    assert written(as_html.write, what, folder) == list(remarks)
    return (folder / "report.html").read_text(encoding="utf-8")


def with_picture(folder: Path, count: int = 1) -> Document:
    """A document with headings, and with pictures that are in the results."""
    names = tuple(f"report/pictures/page_0_{number}.png" for number in range(1, count + 1))
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        Image.new("RGB", (40, 30), "red").save(folder / name)
    headings = [
        ("Title", f"# {KOREAN}"),
        ("Section-header", "1. One"),
        ("Section-header", "1.1 Two"),
    ]
    what = document([*headings, ("Text", KOREAN), *[("Picture", "")] * count])
    page = what.pages[0]
    return Document("report", (Page(replace(page.entry, pictures=names), page.cells),))


def test_what_stands_in_it(tmp_path: Path) -> None:
    html = source(
        document(
            [("Title", "# A **b** $x$"), ("Text", "- one"), ("Table", "<table><tr><td>1")],
            [("Footnote", "note"), ("Page-footer", "furniture")],
        ),
        tmp_path,
    )
    for part in (
        '<h1 id="part-1" dir="auto">A <strong>b</strong> <math',
        '<div class="page" id="page-2"><a href="#page-2" title="report.pdf, page 2">2</a></div>',
        '<div class="Text" dir="auto"><ul>\n<li>one</li>\n</ul></div>',
        '<div class="Table" dir="auto"><table><tbody><tr><td>1</td></tr></tbody></table></div>',
        '<div class="Footnote" dir="auto"><p>note</p></div>',
        "<html>",  # English or French: its letters do not show which
    ):
        assert part in html
    assert "furniture" not in html and "<nav" not in html


def test_a_page_that_is_not_here_is_told(tmp_path: Path) -> None:
    what = document([("Text", "a")], status="failed", reason="<b>")
    html = source(replace(what, pages=(replace(what.pages[0], cells=()),)), tmp_path)
    assert '<p class="missing">report_page_0 is not here: failed: &lt;b&gt;</p>' in html


def test_a_picture_that_is_not_in_the_results_is_told(tmp_path: Path) -> None:
    assert "<img" not in source(document([("Picture", "")]), tmp_path, (NO_PICTURES,))


def test_no_more_pictures_than_fit_in_one_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    what = with_picture(tmp_path, 3)
    one = (tmp_path / PICTURE).stat().st_size
    monkeypatch.setattr(shown_pictures, "MOST_BYTES", 2 * one)
    assert source(what, tmp_path / "out", (TOO_MANY,)).count("<img") == 2


@pytest.mark.parametrize(
    ("picture", "expected"),
    [
        (Image.new("I;16", (2000, 100), 0x8000), 128),
        (Image.new("RGBA", (2000, 100), (0, 0, 0, 0)), 255),
        (Image.new("LA", (2000, 100), (0, 0)), 255),
        (Image.new("1", (2000, 100), 0), 0),
    ],
    ids=["16 bits", "transparent", "transparent gray", "one bit"],
)
def test_a_large_picture_keeps_its_look(picture: Image.Image, expected: int) -> None:
    picture.save(file := io.BytesIO(), "PNG")
    shown = shown_pictures.fitting(file.getvalue())
    assert shown is not None and (shown.kind, shown.width) == ("jpeg", 1600)
    with Image.open(io.BytesIO(shown.content)) as small:
        assert abs(ImageStat.Stat(small.convert("L")).mean[0] - expected) < 2


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("plain English, où ça", ""),
        (KOREAN, "ko"),
        ("大韓民國 憲法 제1조", "ko"),  # with Chinese letters
        ("漢字とかな", "ja"),
        ("中文文本", "zh"),
        ("The word 文 means script, and this text is English all the same", ""),
        ("Русский", "ru"),
        ("123 $%", ""),
        ("", ""),
    ],
)
def test_the_language_as_far_as_letters_tell_it(text: str, expected: str) -> None:
    assert language(text) == expected


def test_in_a_browser_in_light_and_dark_and_on_paper(tmp_path: Path, browser: Browser) -> None:
    source(with_picture(tmp_path), tmp_path / "out")
    grounds = set()
    for scheme in ("light", "dark"):
        watched = Watched.open(browser, color_scheme=scheme)
        page = watched.page
        page.goto((tmp_path / "out/report.html").as_uri())
        grounds.add(page.evaluate("getComputedStyle(document.body).backgroundColor"))
        assert page.evaluate("document.images[0].naturalWidth") == 40
        assert page.evaluate("getComputedStyle(document.querySelector('p')).wordBreak") == (
            "keep-all"
        )
        assert page.locator("nav a").all_inner_texts() == [KOREAN, "1. One", "1.1 Two"]
        page.locator("nav a").nth(2).click()
        assert page.locator(":target").inner_text() == "1.1 Two"
        assert watched.trouble == []
    page.emulate_media(media="print")
    assert not page.locator("nav").is_visible() and page.locator("img").is_visible()
    assert len(grounds) == 2
