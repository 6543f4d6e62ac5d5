"""make report: the command, and the report as people use it in a browser."""

import hashlib
import json
import os
import pty
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from PIL import Image
from playwright.sync_api import Browser, Page

from contract import DOUBT_KINDS
from lib.report.totals import rows
from rig import hostages
from rig.browser import Watched, open_browser, until
from rig.command import processes, wait_until
from rig.hostile import NAMES, NUMBERS, PAYLOADS, hostile_doubts
from rig.result_sets import ResultSet, cell, doubt, write_book
from rig.toolkit import ROOT, Toolkit, files_below, statuses_in

TABLE = "<table><tr><th>Year</th><th>Pages</th></tr><tr><td>2026</td><td>10 000</td></tr></table>"
BUILD = [sys.executable, str(ROOT / "tools/report.py")]


def build(output: Path, source: Path | None = None) -> Path:
    """Make the report of a result set, in a process of its own; its path."""
    knobs = {"CONFIG": os.devnull, "INPUT": str(source or ""), "OUTPUT": str(output)}
    done = subprocess.run(
        [*BUILD, "--json"], env={**os.environ, **knobs}, capture_output=True, text=True, check=True
    )
    return Path(json.loads(done.stdout)["report"])


def small_set(folder: Path) -> Path:
    """Three pages with all that a report shows, of which one failed."""
    results = ResultSet(folder)
    results.add(
        "책/첫째.png",
        [
            cell("Title", "# Reading machines", (80, 60, 700, 100)),
            cell("Text", "A plain paragraph about lighthouses.", (80, 120, 700, 200)),
            cell("Table", TABLE, (80, 220, 700, 400)),
            cell("Formula", r"$$E = mc^2$$", (80, 420, 700, 470)),
            cell("Picture", "", (80, 500, 700, 800)),
        ],
    )
    results.add("책/둘째.png", [cell("Text", "등대에 대한 글.", (80, 60, 700, 100))])
    results.add("c.pdf", page="c/c_page_0", pdf_page=0, status="failed", reason="damaged PDF: x")
    return results.finish()


PLACES = [(80, 100 * row, 700, 100 * row + 80) for row in range(8)]
DOUBTS = [
    doubt("missed", (80, 900, 700, 1000), lines=3),
    doubt("missed", (80, 1050, 700, 1080), 99, lines=1),
    doubt("amount", PLACES[1], 1, ratio=0.4),
    doubt("amount", PLACES[2], 2, ratio=2.31),
    doubt("amount", PLACES[3], 3, why="nothing read"),
    doubt("repeated", PLACES[4], 4, of=2),
    doubt("text_layer", PLACES[5], 5, precision=0.62, recall=0.58),
    doubt("reader", PLACES[6], 6, agreement=0.81, engine="tesseract"),
    doubt("empty", PLACES[7], 7, why="no ink"),
    doubt("empty", PLACES[7], 7, why="no area"),
    doubt("empty", PLACES[7], 7, why="off the page"),
    doubt("reader", PLACES[6], 6),
    doubt("text_layer", (80, 1090, 700, 1110), words=12),
    doubt("text_layer", PLACES[5], 5, precision=1, recall=1, digits=2),
    doubt("reader", PLACES[6], 6, agreement=0.97, digits=3, engine="rapidocr"),
]
REASONS = {
    "en-US": [
        "3 lines of ink were not read",
        "one line of ink was not read",
        "too short: 40 % of what its ink holds",
        "too long: 231 % of what its ink holds",
        "next to nothing was read here",
        "same text as cell 3",
        "the PDF's own text has other words: it has 62 % of these, and 58 % of its words are here",
        "a second reader (tesseract) reads it differently: 81 % alike",
        "text where there is no ink",
        "its box has no area",
        "its box is off the page",
        "Read differently",
        "words of the PDF's own text that are in no cell: 12",
        "digits unlike those of the PDF's own text: 2",
        "digits that a second reader (rapidocr) reads differently: 3",
    ],
    "ko-KR": [
        "읽지 않은 글자가 3줄 있습니다",
        "읽지 않은 글자가 1줄 있습니다",
        "너무 짧음: 보이는 글자 양의 40 %",
        "너무 긺: 보이는 글자 양의 231 %",
        "여기에서 읽은 것이 거의 없습니다",
        "3번 셀과 글이 같습니다",
        "PDF에 든 글과 단어가 다름: 이 단어의 62 %가 PDF에, PDF 단어의 58 %가 여기에 있습니다",
        "다른 판독기 (tesseract)는 다르게 읽음: 81 % 일치",
        "글자가 없는 자리에 글이 있습니다",
        "상자의 넓이가 없습니다",
        "상자가 페이지 밖에 있습니다",
        "다른 판독기와 다름",
        "PDF에 든 단어 12개가 어느 셀에도 없습니다",
        "PDF에 든 글과 다른 숫자 2개",
        "다른 판독기 (rapidocr)가 다르게 읽은 숫자 3개",
    ],
}


def doubted_set(folder: Path) -> Path:
    """Pages of which some are doubted, from not at all to badly, and one that no witness saw."""
    results = ResultSet(folder)
    text = [cell("Text", f"text {row}", box) for row, box in enumerate(PLACES)]
    results.add("unseen.png", text)
    results.add("fine.png", text, trust=1.0, doubts=[])
    results.add("light.png", text, trust=0.85, doubts=[doubt("amount", PLACES[1], 1, ratio=2)])
    results.add("bad.png", text, status="doubtful", trust=0.4, doubts=DOUBTS[:1])
    results.add("worst.png", text, status="doubtful", trust=0.08, doubts=DOUBTS)
    return results.finish()


# ---- the command ----


def hostage_set(tmp_path: Path) -> tuple[Path, Path]:
    """A page that is never drawn among good ones, and a manifest that leads astray."""
    source = tmp_path / "in"
    source.mkdir()
    results = ResultSet(tmp_path / "out")
    files = [
        (hostages.never_drawn(source / "bad.pdf", pages=1), 0),
        (hostages.good(source / "good.pdf"), 0),
        (hostages.large_png(source / "a.png", 900, "L"), None),
    ]
    for path, pdf_page in files:
        content = hashlib.sha256(path.read_bytes()).hexdigest()
        place = f"{path.stem}/{path.stem}"
        box = (0, 0, 50, 50)
        text = [cell("Table", "<table><tr><td>&#xe000;7&#xe001;</td></tr></table>", box)]
        results.add(path.name, text, page=place, pdf_page=pdf_page, sha256=content)
    results.add("/dev/zero", [], page="z/z", tokens_in=10**401)
    return results.finish(), source


def hostage_command(tmp_path: Path, seconds: int) -> tuple[list[str], dict[str, str], Path]:
    output, source = hostage_set(tmp_path)
    knobs = {"CONFIG": os.devnull, "INPUT": str(source), "OUTPUT": str(output)}
    return BUILD, {**os.environ, **knobs, "PAGE_TIMEOUT": str(seconds)}, output


def test_a_page_that_is_never_drawn_costs_its_own_picture(tmp_path: Path) -> None:
    command, environment, output = hostage_command(tmp_path, 2)
    done = subprocess.run(
        command, env=environment, capture_output=True, text=True, check=False, timeout=60
    )
    assert done.returncode == 0 and "took longer than 2 s" in done.stderr
    assert len(list((output / "report_files" / "pages").glob("*.webp"))) == 2


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_it_whatever_it_draws(tmp_path: Path, number: int) -> None:
    command, environment, output = hostage_command(tmp_path, 600)
    with subprocess.Popen(command, env=environment, stderr=subprocess.PIPE) as process:
        pages = output / "report_files" / "pages"
        wait_until(lambda: len(list(pages.glob("*.webp"))) == 2, 40)
        process.send_signal(number)
        try:
            assert process.wait(10) == 130
        finally:
            process.kill()
    assert not [pid for pid, parent, _ in processes() if parent == process.pid]


def test_says_nothing_but_what_json_is_asked_for(kit: Toolkit) -> None:
    small_set(kit.output)
    end = kit.run("report")
    assert (end.code, end.out, end.err) == (0, "", "")
    end = kit.run("report", "--json")
    found = json.loads(end.out)
    assert (end.code, end.err) == (0, "")
    assert found["report"] == str(kit.output / "report.html")
    assert (found["pages"], found["ok"], found["failed"]) == (3, 2, 1)
    assert found["failures"] == {"damaged PDF: x": 1}


def test_doubts_are_counted_by_kind(kit: Toolkit) -> None:
    doubted_set(kit.output)
    found = json.loads(kit.run("report", "--json").out)
    assert (found["ok"], found["doubtful"]) == (3, 2)
    kinds = {"amount": 4, "missed": 3, "text_layer": 3, "empty": 3, "reader": 3, "repeated": 1}
    assert found["doubts"] == kinds
    table = rows(found)
    assert table["doubts"].startswith("4 amount, 3 missed")
    assert table["pages"] == "5: 3 ok, 2 doubtful"


def test_results_that_are_not_there_are_a_failure(kit: Toolkit) -> None:
    end = kit.run("report")
    assert end.code == 1
    assert "make download" in end.err


def test_results_of_no_page_are_nothing_to_show(kit: Toolkit) -> None:
    kit.output.mkdir()
    (kit.output / "manifest.jsonl").touch()
    assert kit.run("report").code == 0
    assert files_below(kit.output) == ["manifest.jsonl"]


def test_an_input_that_is_gone_is_said_and_the_report_made(kit: Toolkit) -> None:
    small_set(kit.output)
    end = kit.run("report", "--input", "/nowhere")
    assert (end.code, "without their picture" in end.err) == (0, True)
    assert (kit.output / "report.html").is_file()


def test_an_output_that_cannot_be_written_is_named(kit: Toolkit) -> None:
    small_set(kit.output)
    (kit.output / "report_files").touch()
    end = kit.run("report")
    assert end.code == 1
    assert "report_files" in end.err
    assert "Traceback" not in end.err


def add_pages(results: ResultSet, source: Path, *names: str) -> None:
    """Pages of which the files are there too."""
    for name in names:
        path = source / name
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.new("RGB", (420, 594), (len(results.records), 99, 200)).save(path)
        sha256 = hashlib.sha256(path.read_bytes()).hexdigest()
        results.add(name, [cell("Text", name, (80, 60, 700, 100))], sha256=sha256)
    results.finish()


def test_the_second_time_only_what_changed(tmp_path: Path) -> None:
    results = ResultSet(tmp_path / "out")
    add_pages(results, tmp_path, "a/1.png", "a/2.png")
    build(results.folder, tmp_path)
    files = results.folder / "report_files"
    before = {path: path.stat().st_mtime_ns for path in files.glob("*/*")}
    assert len(before) == 2 * 2 + 3  # two sizes of each page, one chunk of each kind
    build(results.folder, tmp_path)
    assert {path: path.stat().st_mtime_ns for path in files.glob("*/*")} == before
    add_pages(results, tmp_path, "a/3.png")
    build(results.folder, tmp_path)
    changed = {path.parent.name for path, at in before.items() if path.stat().st_mtime_ns != at}
    assert changed == {"data", "text", "cells"}
    assert len(list((files / "pages").iterdir())) == 3


def on_a_terminal(kit: Toolkit, verb: str) -> str:
    """What a person sees who runs a verb."""
    ours, theirs = pty.openpty()
    kit.run("status")  # writes the config file
    with subprocess.Popen(
        [sys.executable, str(ROOT / "tools" / f"{verb}.py")],
        env=kit.environment(COLUMNS="80"),
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
    ) as process:
        os.close(theirs)
        said = b""
        try:
            while part := os.read(ours, 65536):
                said += part
        except OSError:  # the other end is closed
            pass
        os.close(ours)
    assert process.returncode == 0
    return said.decode().replace("\r\n", "\n")


def test_make_all_ends_with_the_path_of_the_report(kit: Toolkit) -> None:
    kit.write_pages(2)
    said = on_a_terminal(kit, "all")
    assert said.strip().split("\n")[-1] == f"report: {kit.output}/report.html"
    assert "2: 2 ok" in said


def test_a_report_that_fails_is_a_failure_and_the_results_are_home(kit: Toolkit) -> None:
    names = kit.write_pages(1)
    kit.output.mkdir()
    (kit.output / "report_files").touch()
    end = kit.run("all")
    assert end.code == 1
    assert "make all: report ended with 1" in end.err
    assert statuses_in(kit.output) == dict.fromkeys(names, "ok")


# ---- the report, in a browser ----


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with open_browser() as found:
        yield found


@pytest.fixture(scope="module")
def samples(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The report of the small set; its pages have pictures."""
    folder = tmp_path_factory.mktemp("samples")
    small_set(folder / "results")
    return build(folder / "results")


@pytest.fixture
def watched(browser: Browser) -> Iterator[Watched]:
    """A page that must not have done anything it should not when the test is over."""
    found = Watched.open(browser)
    yield found
    found.page.close()
    assert found.trouble == []


def names(page: Page) -> list[str]:
    """The pages that are listed."""
    return page.locator(".row b").all_inner_texts()


def wait_for(page: Page, names_of: list[str]) -> None:
    """Until these pages are listed, and the search is over."""
    until(
        page,
        "(names) => document.querySelector('#list').dataset.ready === 'true' && JSON.stringify("
        "[...document.querySelectorAll('.row b')].map((e) => e.textContent)) === names",
        json.dumps(names_of, ensure_ascii=False, separators=(",", ":")),
    )


def test_search_filter_open_hover_and_walk(watched: Watched, samples: Path) -> None:
    page = watched.page
    page.goto(samples.as_uri())
    wait_for(page, ["첫째.png", "둘째.png", "c_page_0"])
    assert page.locator("#totals .total b").all_inner_texts()[:2] == ["3", "1"]
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
    page.wait_for_selector(".remark.bad")
    assert page.locator(".remark.bad").inner_text() == "damaged PDF: x"
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
    assert kinds[:4] == ["2", "Ink not read", "2", "Too short or too long"]
    page.locator("#doubt-kinds button", has_text="Too short").click()
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
    # dashed boxes where ink was not read, an exclamation mark at each doubted cell
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
    page.keyboard.press("d")  # there is no cell 99: it is marked where its box is
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
    assert "report_files/index.js" in watched.page.locator(".remark.bad").inner_text()
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


# ---- everything that comes from a page is hostile ----


@pytest.fixture(scope="module")
def hostile(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A report of which every text, name, reason, note and table wants to do something."""
    results = ResultSet(tmp_path_factory.mktemp("hostile") / "<img src=x onerror=alert(30)>")
    categories = ("Text", "Table", "Formula", "Title", "List-item", "Picture")
    for number, payload in enumerate(PAYLOADS):
        texts = (payload, f"<table><tr><td>{payload}</td></tr></table>", f"$${payload}$$")
        cells = [
            cell(category, text, (80, 20 * row, 700, 20 * row + 15))
            for row, (category, text) in enumerate((c, t) for c in categories for t in texts)
        ]
        values = {"model": payload, "notes": [payload], "reason": payload}
        results.add(f"{number:02}.png", cells, status="partial", **values)
        results.add(f"{number:02} failed.png", status="failed", reason=payload, sha256=payload)
    for name in NAMES:
        results.add(name, [cell("Text", name, (80, 20, 700, 90))])
    for number, value in enumerate(hostile_doubts(DOUBT_KINDS)):
        text = [cell("Text", "doubted", (80, 20, 700, 90))]
        doubts = {"doubts": value, "trust": NUMBERS[number % len(NUMBERS)]}
        results.add(f"doubted {number}.png", text, status="doubtful", **doubts)
    return build(results.finish(lacks=PAYLOADS[0]))


def test_nothing_hostile_happens(watched: Watched, hostile: Path) -> None:
    page = watched.page
    page.goto(hostile.as_uri())
    page.wait_for_selector(".row")
    assert PAYLOADS[0] in page.locator("#lacks").inner_text()
    seen: set[str] = set()
    for _ in range(2 * len(PAYLOADS) + len(NAMES) + len(hostile_doubts(DOUBT_KINDS))):
        if not seen:
            page.locator(".row a").first.click()
        else:
            page.keyboard.press("j")
        until(
            page,
            "(seen) => document.querySelectorAll('#text .facts').length"
            " && !seen.includes(document.querySelector('#page-place').textContent)",
            list(seen),
        )
        seen.add(page.locator("#page-place").inner_text())
        page.keyboard.press("d")
    page.keyboard.press("Escape")
    for word in ("alert", "<script", "__proto__", "onerror", "(", "\\"):
        page.locator("#search").fill(word)
        page.wait_for_timeout(160)
        page.wait_for_selector("#list[data-ready=true]")
        assert page.locator(".row").count() > 0
    page.wait_for_timeout(200)
    assert page.evaluate("Object.prototype.constructor === Object")


def test_nothing_hostile_happens_where_it_is_corrected(watched: Watched, hostile: Path) -> None:
    page = watched.page
    page.goto(f"{hostile.as_uri()}#page=00/00&sort=order")
    page.wait_for_selector(".cell")
    page.keyboard.press("e")
    for number, payload in enumerate(PAYLOADS):
        page.goto(f"{hostile.as_uri()}#page={number:02}/{number:02}&sort=order")
        until(
            page,
            "(text) => document.querySelector('.edit textarea')?.value === text",
            payload.replace("\ud800", "?"),
        )
        page.get_by_text("Right as it is").click()
        page.wait_for_selector("#page-status.edited")
    page.keyboard.press("e")
    page.wait_for_selector(".cell:not(.edit)")


@pytest.mark.parametrize("name", NAMES)
def test_a_hostile_name_is_a_name(watched: Watched, hostile: Path, name: str) -> None:
    place = str(Path(name).with_suffix("") / Path(name).stem)
    page = watched.page
    page.goto(f"{hostile.as_uri()}#page={quote(place)}")
    page.wait_for_selector(".cell")
    assert page.locator("#page-name b").text_content() == Path(name).name
    for link in page.locator(".facts a").all():
        assert link.evaluate("(e) => e.href").startswith("file:///")


@pytest.mark.parametrize(
    ("attempt", "says"),
    [
        (
            "document.body.append(Object.assign(new Image(), {src: 'http://127.0.0.1:9/'}))",
            "img-src",
        ),
        ("fetch('http://127.0.0.1:9/').catch(() => 0)", "connect-src"),
        ("document.body.setAttribute('style', 'color: red')", "style-src"),
        ("document.body.innerHTML = '<b>x</b>'", "TrustedHTML"),
        ("document.createElement('script').src = 'x.js'", "TrustedScriptURL"),
        ("setTimeout('1')", "TrustedScript"),
    ],
)
def test_the_policy_would_stop_what_got_through(
    browser: Browser, samples: Path, attempt: str, says: str
) -> None:
    """And the listener hears it: a test above that hears nothing is worth something."""
    watched = Watched.open(browser)
    page = watched.page
    page.goto(samples.as_uri())
    page.wait_for_selector(".row")
    page.evaluate(
        f"() => {{ try {{ {attempt} }} catch (error) {{ console.error(error.message) }} }}"
    )
    page.wait_for_timeout(100)
    assert any(says in heard for heard in watched.trouble), watched.trouble
    page.close()


# ---- many pages ----


def test_a_thousand_pages_are_a_list_of_a_few_rows(watched: Watched, tmp_path: Path) -> None:
    report = build(write_book(tmp_path / "book", 1000))
    page = watched.page
    started = time.monotonic()
    page.goto(report.as_uri())
    page.wait_for_selector(".row")
    assert time.monotonic() - started < 5  # it is a tenth of this; the machine may be busy
    assert page.locator(".row").count() < 40
    page.evaluate("scrollTo(0, document.documentElement.scrollHeight)")
    until(page, "document.querySelector('.row:last-child').textContent.includes('01000')")
    page.locator("#search").fill("no such word")
    page.wait_for_selector("#nothing:visible")
    page.locator("#search").fill("formulas 00")
    page.wait_for_selector(".row mark")
