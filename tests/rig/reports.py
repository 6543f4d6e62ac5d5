"""Result sets for reports, their reports, and what a browser lists in them."""

import hashlib
import json
import os
import sys
from pathlib import Path

from PIL import Image
from playwright.sync_api import Page

from rig.browser import until
from rig.here import run_verb
from rig.result_sets import ResultSet, cell, doubt
from rig.toolkit import ROOT

TABLE = "<table><tr><th>Year</th><th>Pages</th></tr><tr><td>2026</td><td>10 000</td></tr></table>"
REPORT = ROOT / "tools/report.py"
BUILD = [sys.executable, str(REPORT)]


def build(output: Path, source: Path | None = None) -> Path:
    """Make the report of a result set; return its path."""
    knobs = {"CONFIG": os.devnull, "INPUT": str(source or ""), "OUTPUT": str(output)}
    code, out, err = run_verb(REPORT, ["--json"], {**os.environ, **knobs}, output)
    assert code == 0, err
    return Path(json.loads(out)["report"])


def small_set(folder: Path) -> Path:
    """Three pages with all that a report shows; one of them failed."""
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
    doubt("amount", PLACES[3], 3, why="other words"),
]
REASONS = {
    "en-US": [
        "3 lines of ink were not read",
        "one line of ink was not read",
        "too short: 40 % of what its ink holds",
        "too long: 231 % of what its ink holds",
        "almost nothing was read here",
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
        "its words have other lengths than the ink here",
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
        "단어의 길이가 보이는 글자와 다릅니다",
    ],
}


def doubted_set(folder: Path) -> Path:
    """Pages with no doubts, some or many, and one page that no witness saw."""
    results = ResultSet(folder)
    text = [cell("Text", f"text {row}", box) for row, box in enumerate(PLACES)]
    results.add("unseen.png", text)
    results.add("fine.png", text, trust=1.0, doubts=[])
    results.add("light.png", text, trust=0.85, doubts=[doubt("amount", PLACES[1], 1, ratio=2)])
    results.add("bad.png", text, status="doubtful", trust=0.4, doubts=DOUBTS[:1])
    results.add("worst.png", text, status="doubtful", trust=0.08, doubts=DOUBTS)
    return results.finish()


def names(page: Page) -> list[str]:
    """The pages that are listed."""
    return page.locator(".row b").all_inner_texts()


def wait_for(page: Page, names_of: list[str]) -> None:
    """Wait until these pages are listed and the search is over."""
    until(
        page,
        "(names) => document.querySelector('#list').dataset.ready === 'true' && JSON.stringify("
        "[...document.querySelectorAll('.row b')].map((e) => e.textContent)) === names",
        json.dumps(names_of, ensure_ascii=False, separators=(",", ":")),
    )


def add_pages(results: ResultSet, source: Path, *names: str) -> None:
    """Add pages, with their input files."""
    for name in names:
        path = source / name
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.new("RGB", (420, 594), (len(results.records), 99, 200)).save(path)
        sha256 = hashlib.sha256(path.read_bytes()).hexdigest()
        results.add(name, [cell("Text", name, (80, 60, 700, 100))], sha256=sha256)
    results.finish()
