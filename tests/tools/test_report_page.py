"""The report as people use it in a browser."""

import shutil
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from playwright.sync_api import Browser

from rig.browser import Watched, until
from rig.reports import REASONS, add_pages, build, doubted_set, wait_for
from rig.result_sets import ResultSet


def test_search_filter_open_hover_and_walk(watched: Watched, samples: Path) -> None:
    page = watched.page
    page.goto(samples.as_uri())
    wait_for(page, ["첫째.png", "둘째.png", "c_page_0"])
    totals = page.locator("#totals .total b").all_inner_texts()
    assert totals[:2] == ["3", "1"]
    assert totals[-2:] == ["0.0017", "$0.0012"]  # a small run is not free
    assert page.locator("#totals").inner_text().rstrip().endswith("last run, while it read")
    assert page.locator("#reasons").inner_text().split("\n") == ["1", "damaged PDF: x"]
    # search, by key
    page.keyboard.press("/")
    page.keyboard.type("등대")
    wait_for(page, ["둘째.png"])
    assert page.locator(".row mark").inner_text() == "등대"
    page.locator("#clear").click()
    # filter
    page.select_option("#category", "Table")
    wait_for(page, ["첫째.png"])
    page.select_option("#category", "")
    page.select_option("#status", "failed")
    wait_for(page, ["c_page_0"])
    page.locator("#clear").click()
    wait_for(page, ["첫째.png", "둘째.png", "c_page_0"])
    # open a page
    page.locator(".row a").first.click()
    page.wait_for_selector(".cell")
    assert "#page=" in page.url
    assert page.locator(".cell td").all_inner_texts() == ["2026", "10 000"]
    assert page.locator(".cell math msup").count() == 1
    # hover, both ways
    page.locator(".box.Table").hover()
    assert page.locator(".cell.marked").get_attribute("aria-label") == "3 Table"
    page.locator(".cell.Formula").hover()
    assert page.locator(".box.marked .number").inner_text() == "4"
    # walk
    page.keyboard.press("ArrowRight")
    until(page, "document.querySelector('#page-name b').textContent === '둘째.png'")
    page.keyboard.press("j")
    page.wait_for_selector("#text .remark.bad")
    assert page.locator("#text .remark.bad").inner_text() == "damaged PDF: x"
    page.keyboard.press("k")
    page.wait_for_selector(".cell")
    page.keyboard.press("Escape")
    assert page.locator("#viewer").is_hidden()
    assert page.evaluate("document.activeElement.textContent").startswith("책/둘째.png")
    page.keyboard.press("ArrowUp")
    page.keyboard.press("Enter")
    page.wait_for_selector(".cell.Table")


@pytest.fixture(scope="module")
def doubted(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The report of the set with doubts."""
    return build(doubted_set(tmp_path_factory.mktemp("doubted") / "results"))


BY_TRUST = ["worst.png", "bad.png", "light.png", "fine.png", "unseen.png"]


def test_the_least_trusted_are_listed_first_and_doubts_by_kind(
    watched: Watched, doubted: Path
) -> None:
    page = watched.page
    page.goto(doubted.as_uri())
    wait_for(page, BY_TRUST)
    assert page.locator("#totals .doubtful").inner_text().split("\n")[1] == "2"
    first = page.locator(".row").first.inner_text()
    assert "doubtful" in first and "trust 0.08" in first and "Ink not read" in first
    kinds = page.locator("#doubt-kinds").inner_text().split("\n")
    assert kinds[:4] == ["2", "Ink not read", "2", "Text unlike its ink"]
    page.locator("#doubt-kinds button", has_text="Text unlike").click()
    wait_for(page, ["worst.png", "light.png"])
    assert "doubt=amount" in page.url
    page.select_option("#doubt", "any")
    wait_for(page, BY_TRUST[:3])
    page.locator("#clear").click()
    page.locator("#totals .doubtful button").click()
    wait_for(page, BY_TRUST[:2])
    page.locator("#clear").click()
    page.select_option("#sort", "order")
    wait_for(page, ["unseen.png", "fine.png", "light.png", "bad.png", "worst.png"])
    page.goto(f"{doubted.as_uri()}#doubt=__proto__&sort=trust")
    wait_for(page, BY_TRUST)


def test_without_doubts_nothing_is_said_of_them(watched: Watched, samples: Path) -> None:
    page = watched.page
    page.goto(samples.as_uri())
    wait_for(page, ["첫째.png", "둘째.png", "c_page_0"])
    assert [page.locator(f"#{name}").is_visible() for name in ("doubt", "doubts")] == [False] * 2
    assert page.locator("#sort").input_value() == "order"
    assert page.locator("#sort option").all_inner_texts()[0] == "In order"
    assert not page.locator("#totals .doubtful").count()


@pytest.mark.parametrize("locale", REASONS)
def test_a_page_says_what_is_doubted_and_why(browser: Browser, doubted: Path, locale: str) -> None:
    watched = Watched.open(browser, locale=locale)
    page = watched.page
    page.goto(f"{doubted.as_uri()}#page=worst/worst")
    page.wait_for_selector(".doubts")
    assert page.locator(".doubts .why").all_inner_texts() == REASONS[locale]
    assert "0.08" in page.locator(".facts").inner_text()
    notes = page.locator(".cell >> nth=7").locator(".doubt-note").all_inner_texts()
    assert [note.split("\n")[-1] for note in notes] == REASONS[locale][8:11]
    page.close()
    assert watched.trouble == []


def test_what_is_doubted_is_marked_and_reached_by_key(watched: Watched, doubted: Path) -> None:
    page = watched.page
    page.goto(f"{doubted.as_uri()}#page=worst/worst")
    page.wait_for_selector(".doubts")
    # dashed boxes where ink was not read, an exclamation mark at each cell with doubts
    box, sheet = (page.locator(name).first.bounding_box() for name in (".box.doubt", ".sheet"))
    assert box and sheet
    assert abs((box["y"] - sheet["y"]) / sheet["height"] - 900 / 1169) < 0.01
    style = "(e) => getComputedStyle(e).borderTopStyle"
    assert page.locator(".box.doubt").first.evaluate(style) == "dashed"
    marks = page.locator(".box .number").all_inner_texts()
    assert sorted(marks) == ["!", "!", "!", "1", *(f"{number}\n!" for number in range(2, 9))]
    assert page.locator(".box.doubted").count() == 7
    # from doubt to doubt by key, and to the cell's text
    page.keyboard.press("d")
    assert page.locator(".box.doubt.marked").count() == 1
    page.keyboard.press("d")  # there is no cell 99: the doubt is marked at its box
    assert page.locator(".box.doubt >> nth=1").evaluate("(e) => e.classList.contains('marked')")
    page.keyboard.press("d")
    assert page.locator(".box.marked .number").inner_text() == "2\n!"
    page.keyboard.press("Enter")
    label = page.evaluate("document.activeElement.getAttribute('aria-label')")
    assert label == f"2 Text: {REASONS['en-US'][2]}"
    # from a box to its row
    page.locator(".box.doubt >> nth=1").click()
    assert REASONS["en-US"][1] in page.evaluate("document.activeElement.textContent")
    page.keyboard.press("b")
    assert not page.locator(".box.doubt").first.is_visible()
    page.keyboard.press("j")
    until(page, "document.querySelectorAll('.doubts .doubt').length === 1")


def test_a_link_leads_to_a_page_and_back_to_the_list(watched: Watched, samples: Path) -> None:
    page = watched.page
    page.goto(f"{samples.as_uri()}#page={quote('책/둘째/둘째')}&category=Text")
    page.wait_for_selector(".cell")
    assert page.title() == "둘째.png · results"
    assert page.locator("#page-place").inner_text() == "2 / 2"
    page.goto(f"{samples.as_uri()}#q=lighthouses")
    wait_for(page, ["첫째.png"])
    assert page.locator("#viewer").is_hidden()
    page.locator(".row a").click()
    page.wait_for_selector(".cell")
    page.go_back()
    page.wait_for_selector("#viewer", state="hidden")
    page.goto(f"{samples.as_uri()}#page=nowhere")
    wait_for(page, ["첫째.png", "둘째.png", "c_page_0"])


def test_keys_of_the_page_view(watched: Watched, samples: Path) -> None:
    page = watched.page
    page.goto(f"{samples.as_uri()}#page={quote('책/첫째/첫째')}")
    box = page.locator(".box.Table")
    page.wait_for_selector(".box.Table")
    wide = box.bounding_box()
    page.keyboard.press("+")
    until(page, "document.querySelector('#sheet').style.getPropertyValue('--zoom') > 1")
    wider = box.bounding_box()
    assert wide and wider and wider["width"] > 1.2 * wide["width"]
    page.keyboard.press("b")
    assert not box.is_visible()
    page.keyboard.press("b")
    page.locator(".legend .Table").click()
    assert not box.is_visible()
    assert page.locator(".cell.Formula").is_visible()
    page.keyboard.press("/")
    assert page.evaluate("document.activeElement.id") == "search"


def test_who_only_has_a_keyboard_reaches_everything(watched: Watched, samples: Path) -> None:
    page = watched.page
    page.goto(samples.as_uri())
    wait_for(page, ["첫째.png", "둘째.png", "c_page_0"])
    for _ in range(60):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.matches('.row a')"):
            break
    page.keyboard.press("Enter")
    page.wait_for_selector(".cell")
    page.locator("#text").focus()
    reached = []
    for _ in range(20):
        page.keyboard.press("Tab")
        label = page.evaluate("document.activeElement.getAttribute('aria-label')")
        if label:
            reached.append(label)
    cells = [label for label in reached if label[0].isdigit()]
    assert cells[:5] == ["1 Title", "2 Text", "3 Table", "4 Formula", "5 Picture"]
    unnamed = page.evaluate(
        "[...document.querySelectorAll('button, input, select')].filter((e) =>"
        " !(e.textContent.trim() || e.getAttribute('aria-label'))).map((e) => e.id)"
    )
    assert unnamed == []


def test_moved_results_are_still_shown_with_their_pictures(
    watched: Watched, tmp_path: Path
) -> None:
    results = ResultSet(tmp_path / "out")
    add_pages(results, tmp_path / "in", "a/1.png", "a/2.png")
    build(results.folder, tmp_path / "in")
    shutil.rmtree(tmp_path / "in")
    moved = results.folder.rename(tmp_path / "옮긴 결과 #1?")
    page = watched.page
    page.goto((moved / "report.html").as_uri())
    page.wait_for_selector(".row img")
    page.locator(".row a").first.click()
    page.wait_for_selector(".sheet img")
    for picture in (".row img >> nth=0", ".sheet img"):
        until(
            page, "(e) => e.complete && e.naturalWidth > 0", page.locator(picture).element_handle()
        )
    links = [link.evaluate("(e) => e.href") for link in page.locator(".facts a").all()]
    assert links == [(moved / f"a/1/1{ending}").as_uri() for ending in (".md", ".json")]


def test_a_folder_that_was_left_behind_is_named(browser: Browser, samples: Path) -> None:
    watched = Watched.open(browser)
    alone = samples.parent.parent / "alone.html"
    shutil.copy(samples, alone)
    watched.page.goto(alone.as_uri())
    assert "report_files/index.js" in watched.page.locator(".remark.bad:visible").inner_text()
    watched.page.close()


@pytest.mark.parametrize(
    ("locale", "scheme", "said", "ground"),
    [
        ("en-US", "light", "Pages", "rgb(255, 255, 255)"),
        ("ko-KR", "dark", "페이지", "rgb(21, 24, 28)"),
    ],
)
def test_language_and_colours_are_the_reader_s(
    browser: Browser, samples: Path, locale: str, scheme: Any, said: str, ground: str
) -> None:
    watched = Watched.open(browser, locale=locale, color_scheme=scheme)
    page = watched.page
    page.goto(samples.as_uri())
    page.wait_for_selector(".row")
    assert page.locator("#totals dt").first.inner_text() == said
    assert page.evaluate("document.documentElement.lang") == locale[:2]
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == ground
    page.close()
    assert watched.trouble == []


@pytest.mark.parametrize("locale", ["en-US", "ko-KR"])
def test_the_name_of_the_page_has_room_before_the_keys(
    browser: Browser, samples: Path, locale: str
) -> None:
    page = Watched.open(browser, locale=locale, viewport={"width": 1200, "height": 720}).page
    page.goto(samples.as_uri())
    page.locator(".row a").first.click()
    page.wait_for_selector(".cell")
    page.locator("#page-name b").evaluate(
        "(name) => name.textContent += ', third edition'.repeat(3)"
    )
    hidden = "(part) => part.scrollWidth - part.clientWidth"
    assert page.locator(".keys").evaluate(hidden) > 0
    assert page.locator("#page-name").evaluate(hidden) == 0
    page.close()


@pytest.mark.parametrize(
    ("width", "parts"),
    [(1200, "#totals .total"), (390, "#previous, #page-place, #next"), (390, "#back, #next")],
)
def test_what_belongs_together_stands_in_one_row(
    browser: Browser, doubted: Path, width: int, parts: str
) -> None:
    page = Watched.open(browser, viewport={"width": width, "height": 720}).page
    page.goto(doubted.as_uri())
    page.wait_for_selector(".row")
    if "#next" in parts:
        page.locator(".row a").first.click()
        page.wait_for_selector(".cell")
    places = [part.bounding_box() for part in page.locator(parts).all()]
    middles = {round(place["y"] + place["height"] / 2) for place in places if place}
    assert len(places) > 1 and max(middles) - min(middles) <= 1
    page.close()


def test_prints_the_list_or_the_page(watched: Watched, samples: Path) -> None:
    page = watched.page
    page.goto(samples.as_uri())
    page.wait_for_selector(".row")
    assert page.pdf().startswith(b"%PDF")
    page.locator(".row a").first.click()
    page.wait_for_selector(".cell")
    page.emulate_media(media="print")
    assert page.locator("#overview").is_hidden()
    assert page.locator(".cell.Table").is_visible()
