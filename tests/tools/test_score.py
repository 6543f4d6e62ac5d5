"""make score: for pages with known errors it gives the known figures."""

import json
import unicodedata
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser

from lib.pages.scores import FIGURES, PageScore, content_of, read_scores
from rig.browser import Watched, until
from rig.hostile import NAMES, NUMBERS, PAYLOADS, nested
from rig.result_sets import Cells, ResultSet, cell
from rig.toolkit import Toolkit

HUNDRED = "abcde" + " abcd" * 19  # 100 characters, 20 words
UP, DOWN, LOW, LAST = ((80, top, 700, top + 100) for top in (60, 300, 500, 700))
PLACES = (UP, DOWN, LOW, LAST)
FOUR = [cell("Text", word * 4, box) for word, box in zip("abcd", PLACES, strict=True)]
ROWS = ["<tr><td>abcd</td><td>2</td></tr>", "<tr><td>3</td><td>4</td></tr>"]


def table(*rows: str) -> Cells:
    return [cell("Table", f"<table>{''.join(rows)}</table>", UP)]


def one(text: str, box: tuple[int, int, int, int] = UP, category: str = "Text") -> Cells:
    return [cell(category, text, box)]


def shifted(down: int) -> tuple[int, int, int, int]:
    return UP[0], UP[1] + down, UP[2], UP[3] + down


KNOWN: dict[str, tuple[Cells, Cells, dict[str, float | None]]] = {
    "as it is": (FOUR, FOUR, {"cer": 0, "wer": 0, "order": 0, "iou": 1, "f1": 1, "teds": None}),
    "one character of 100": (one(HUNDRED), one("x" + HUNDRED[1:]), {"cer": 0.01, "wer": 0.05}),
    "one word of 20": (one(HUNDRED), one(HUNDRED[6:]), {"cer": 0.06, "wer": 0.05}),
    "a block is missing": (
        FOUR,
        [*FOUR[:2], FOUR[3]],
        {"cer": 5 / 19, "wer": 1 / 4, "order": 0, "f1": 6 / 7, "iou": 1},
    ),
    "two blocks swapped": (
        FOUR,
        [FOUR[0], FOUR[2], FOUR[1], FOUR[3]],
        {"cer": 8 / 19, "wer": 2 / 4, "order": 2 / 4, "f1": 1},
    ),
    "the last block first": (FOUR, [FOUR[3], *FOUR[:3]], {"wer": 2 / 4, "order": 2 / 4}),
    "a row is missing": (table(*ROWS, ROWS[1]), table(*ROWS), {"teds": 1 - 3 / 9, "cer": 4 / 14}),
    "a cell reads otherwise": (
        table(*ROWS),
        table(ROWS[0].replace("abcd", "abcx"), ROWS[1]),
        {"teds": 1 - 0.25 / 6, "cer": 1 / 10},
    ),
    "a cell has become wider": (
        table(*ROWS),
        table(ROWS[0].replace("<td>a", "<td colspan=2>a"), ROWS[1]),
        {"teds": 1 - 1 / 6, "cer": 0},
    ),
    "a heading has become a cell": (
        table(ROWS[0].replace("td>", "th>"), ROWS[1]),
        table(*ROWS),
        {"teds": 1 - 2 / 6, "cer": 0},
    ),
    "a table is missing": (table(*ROWS), [], {"teds": 0, "cer": 1, "f1": 0, "order": None}),
    "a table is read as text": (table(*ROWS), one("abcd 2 3 4"), {"teds": 0, "cer": 0, "f1": 0}),
    "a box is shifted by a quarter": (
        one("a"),
        one("a", shifted(25)),
        {"iou": 0.75 / 1.25, "f1": 1, "cer": 0},
    ),
    "a box is shifted by a half": (
        one("a"),
        one("a", shifted(50)),
        {"iou": 0.5 / 1.5, "f1": 0, "cer": 0},
    ),
    "another category": (
        one("abcd"),
        one("abcd", category="Title"),
        {"f1": 0, "iou": 1, "cer": 0, "order": 0},
    ),
    "a paragraph is cut in two": (
        one("abcd efgh"),
        [cell("Text", "abcd", (80, 60, 700, 110)), cell("Text", "efgh", (80, 110, 700, 160))],
        {"cer": 0, "wer": 0, "order": 0},
    ),
    "two paragraphs are joined": (
        [cell("Text", "abcd", (80, 60, 700, 110)), cell("Text", "efgh", (80, 110, 700, 160))],
        one("abcd efgh"),
        {"cer": 0, "wer": 0, "order": 0},
    ),
    "another form of Unicode, and blanks": (
        one("한글 문서 결과"),
        one(unicodedata.normalize("NFD", "한글  문서\n\u00a0결과 ")),
        {"cer": 0, "wer": 0},
    ),
    "Korean, a syllable of seven": (
        one("한글문서결과요"),
        one("한굴문서결과요"),
        {"cer": 1 / 7, "wer": 1},
    ),
    "nothing, and nothing read": ([], [], {"cer": 0, "wer": 0, "f1": None, "order": None}),
    "nothing, and something read": ([], one("abcd"), {"cer": 1, "wer": 1, "f1": 0}),
    "something, and nothing read": (one("abcd"), [], {"cer": 1, "wer": 1, "f1": 0, "iou": None}),
    "twice what is there": (one("abcd"), one("abcd abcd abcd"), {"cer": 10 / 4, "wer": 2}),
}


def put(folder: Path, name: str, cells: Any) -> None:
    """Write a truth file."""
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(cells), encoding="utf-8")


def score(kit: Toolkit, truth: Path, *options: str) -> Any:
    """Run it as make does, with TRUTH in the environment."""
    return kit.run_here("score", *options, TRUTH=str(truth))


def scored(kit: Toolkit, truth: Path) -> dict[str, Any]:
    """The JSON output of make score."""
    end = score(kit, truth, "--json")
    assert end.code == 0, end.err
    found: dict[str, Any] = json.loads(end.out)
    return found


def test_known_errors_have_known_figures(kit: Toolkit, tmp_path: Path) -> None:
    results, truth = ResultSet(kit.output), tmp_path / "truth"
    for number, (name, (true, told, _)) in enumerate(KNOWN.items()):
        results.add(f"{number % 3}/{name}.png", told)
        put(truth, f"{number % 3}/{name}{f'/{name}' if number % 2 else ''}.json", true)
    results.finish()
    found = scored(kit, truth)
    pages = {page["page"].rpartition("/")[2]: page for page in found["scored"]}
    for name, (_, _, figures) in KNOWN.items():
        for key, value in figures.items():
            expected = None if value is None else pytest.approx(value, abs=1e-9)
            assert pages[name][key] == expected, (name, key)
    assert {page["not_computed"] == [] for page in pages.values()} == {True}
    assert found["pages"] == len(KNOWN) == sum(folder["pages"] for folder in found["folders"])
    rates = [page["cer"] for page in found["scored"]]
    assert rates == sorted(rates, reverse=True)


def test_by_category(kit: Toolkit, tmp_path: Path) -> None:
    results, truth = ResultSet(kit.output), tmp_path / "truth"
    results.add("a.png", [*FOUR[:2], *one("x" * 10, LOW, "Title")])
    put(truth, "a.json", [*FOUR[:3], *one("Head", LAST, "Title")])
    results.finish()
    found = {kind["name"]: kind for kind in scored(kit, truth)["categories"]}
    text, title = found["Text"], found["Title"]
    assert (text["true"], text["told"], text["found"]) == (3, 2, 2)
    assert (text["precision"], text["recall"], text["f1"]) == (
        1,
        pytest.approx(2 / 3, abs=1e-9),
        0.8,
    )
    assert text["cer"] == pytest.approx(10 / 12, abs=1e-9)
    assert (title["true"], title["told"], title["found"], title["precision"]) == (1, 1, 0, 0)
    assert title["iou"] is None


def test_pages_that_were_not_read_count_and_those_without_truth_do_not(
    kit: Toolkit, tmp_path: Path
) -> None:
    results, truth = ResultSet(kit.output), tmp_path / "truth"
    results.add("read.png", one("abcd"))
    results.add("failed.png", status="failed", reason="damaged")
    results.add("unknown.png", one("zzzz"))
    results.finish()
    for name in ("read", "failed", "absent"):
        put(truth, f"{name}.json", one("abcd"))
    put(truth, "summary.json", {"pages": 3})
    put(truth, "notes.json", {"a": "b"})
    (truth / "torn.json").write_text("[{", encoding="utf-8")
    end = score(kit, truth, "--json")
    found = json.loads(end.out)
    assert (found["pages"], found["cer"], found["without_truth"]) == (
        3,
        pytest.approx(2 / 3, abs=1e-9),
        1,
    )
    assert found["missing"] == ["absent"]
    assert [one["file"] for one in found["no_truth"]] == ["notes.json", "torn.json"]
    assert "absent not in the results: they count as pages of which nothing was read" in end.err
    assert "no truth: notes.json: neither cells nor OmniDocBench's pages" in end.err
    assert end.code == 0


def test_a_page_whose_result_is_lost_is_named(kit: Toolkit, tmp_path: Path) -> None:
    results, truth = ResultSet(kit.output), tmp_path / "truth"
    results.add("read.png", one("abcd"))
    results.finish()
    put(truth, "read.json", one("abcd"))
    (kit.output / "read" / "read.json").write_text("[{")
    end = score(kit, truth, "--json")
    assert (json.loads(end.out)["cer"], end.err) == (
        1,
        "score: counts as not read: read/read: not JSON: not a result\n",
    )


def test_blocks_of_a_truth_that_are_none_are_named(kit: Toolkit, tmp_path: Path) -> None:
    """They would make any answer look better than it is."""
    results, truth = ResultSet(kit.output), tmp_path / "truth"
    for name in ("own", "foreign"):
        results.add(f"{name}.png", one("abcd"))
    results.finish()
    box, poly = [0, 0, 9, 9], [0, 0, 9, 0, 9, 9, 0, 9]
    put(truth, "own.json", [*one("abcd"), {"bbox": box[:3], "text": "x"}, {"bbox": box, "text": 5}])
    block = {"category_type": "text_block", "order": 1}
    dets = [block | more for more in ({"bbox": box, "text": "lost"}, {"poly": poly, "text": ["x"]})]
    put(truth, "all.json", [{"layout_dets": dets, "page_info": {"image_path": "foreign.png"}}])
    end = score(kit, truth, "--json")
    assert json.loads(end.out)["odd"] == ["all.json: foreign: 2", "own.json: own: 2"]
    assert "score: blocks without four corners or a text: own.json: own: 2\n" in end.err


def test_what_would_take_too_long_is_named(kit: Toolkit, tmp_path: Path) -> None:
    results, truth = ResultSet(kit.output), tmp_path / "truth"
    cells = [
        cell("Text", "a", (n % 100 * 8, n // 100 * 11, n % 100 * 8 + 7, n // 100 * 11 + 9))
        for n in range(10_000)
    ]
    rows = [f"<tr>{''.join(f'<td>{n} {m}</td>' for m in range(50))}</tr>" for n in range(100)]
    pages = {
        "many cells": (cells, cells),
        "long": (one("ab" * 500_000), one("ba" * 500_000)),
        "long and alike": (one("ab" * 500_000), one("ab" * 500_000)),
        "large": (table(*rows), table(*(row.replace("4", "x") for row in rows))),
        "large and alike": (table(*rows), table(*rows[:50], rows[0], *rows[50:])),
    }
    for name, (true, told) in pages.items():
        results.add(f"{name}.png", told)
        put(truth, f"{name}.json", true)
    results.finish()
    end = score(kit, truth, "--json")
    found = {page["page"].split("/")[0]: page for page in json.loads(end.out)["scored"]}
    named = {name: page["not_computed"] for name, page in found.items() if page["not_computed"]}
    assert named == {"many cells": ["page"], "long": ["text"], "large": ["table"]}
    assert (found["many cells"]["cer"], found["large"]["teds"]) == (None, None)
    assert (found["long"]["cer"], found["long"]["wer"], found["long"]["f1"]) == (None, None, 1)
    assert found["large and alike"]["teds"] == pytest.approx(1 - 51 / 5151, abs=1e-9)
    assert found["long and alike"]["cer"] == 0
    for what, name in (("page", "many cells"), ("text", "long"), ("table", "large")):
        assert f"not computed: {what} of {name}/{name}: " in end.err


@pytest.mark.parametrize(
    ("truth", "says", "code"),
    [
        ("nowhere", "nowhere is not a folder", 1),
        ("empty", "there is no truth in", 1),
        ("", "TRUTH", 2),
    ],
)
def test_what_cannot_be_scored_is_said(
    kit: Toolkit, tmp_path: Path, truth: str, says: str, code: int
) -> None:
    results = ResultSet(kit.output)
    results.add("a.png", FOUR)
    results.finish()
    (tmp_path / "empty").mkdir()
    end = score(kit, tmp_path / truth) if truth else kit.run("score")
    assert (end.code, says in end.err) == (code, True)


def test_results_that_are_not_there_are_a_failure(kit: Toolkit, tmp_path: Path) -> None:
    put(tmp_path / "truth", "a.json", FOUR)
    end = score(kit, tmp_path / "truth")
    assert (end.code, "there are no results in" in end.err) == (1, True)


def test_hostile_names_and_texts_are_names_and_texts(kit: Toolkit, tmp_path: Path) -> None:
    results, truth = ResultSet(kit.output), tmp_path / "truth"
    for number, payload in enumerate(PAYLOADS):
        cells = [*one(payload), *one(f"<table><tr><td>{payload}", DOWN, "Table")]
        results.add(f"{number}.png", cells)
        put(truth, f"{number}.json", cells)
    for name in NAMES:
        results.add(name, FOUR)
    put(
        truth,
        "pages.json",
        [{"layout_dets": [], "page_info": {"image_path": name}} for name in NAMES],
    )
    results.finish()
    end = score(kit, truth, "--json")
    found = json.loads(end.out)
    assert (found["cer"] > 0, found["teds"], found["pages"]) == (
        True,
        1,
        len(PAYLOADS) + len(NAMES),
    )
    end = score(kit, truth)
    assert end.out.lstrip().startswith("pages")  # also if it is redirected into a file
    for told in (end.out, end.err):
        assert "\x1b" not in told and "\u202e" not in told


def test_a_score_is_known_of_results_that_are_still_the_same(kit: Toolkit, tmp_path: Path) -> None:
    results, truth = ResultSet(kit.output), tmp_path / "truth"
    for name in ("a", "b"):
        results.add(f"{name}.png", one("abcd"))
        put(truth, f"{name}.json", one("abcx"))
    results.finish()
    scored(kit, truth)
    known = PageScore(cer=0.25, wer=1, teds=None, order=0, f1=1, characters=4)
    assert read_scores(kit.output) == {"a/a": known, "b/b": known}
    (kit.output / "b/b.json").write_text(json.dumps(one("other")), encoding="utf-8")
    assert read_scores(kit.output) == {"a/a": known}


# ---- in the report ----


@pytest.fixture(scope="module")
def shown(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A report of three pages; two have a truth."""
    kit = Toolkit(tmp_path_factory.mktemp("shown"))
    results, truth = ResultSet(kit.output), kit.folder / "truth"
    results.add("good.png", [*one("abcd"), *table(*ROWS)])
    results.add("unknown.png", one("zzzz"))
    results.add("bad.png", one("abcx"))
    results.finish()
    put(truth, "good.json", [*one("abcd"), *table(*ROWS)])
    put(truth, "bad.json", one("abcd"))
    assert score(kit, truth).code == 0
    assert kit.run_here("report").code == 0
    return kit.output / "report.html"


@pytest.mark.parametrize(
    ("locale", "sort", "total", "facts"),
    [
        (
            "en-GB",
            "Most errors first",
            ["Character errors", "5.26 %", "2 pages with a truth"],
            ["CER 25 %", "WER 100 %", "order 0", "boxes F1 1"],
        ),
        (
            "ko-KR",
            "오류 많은 순",
            ["문자 오류율", "5.26 %", "정답이 있는 2페이지"],
            ["CER 25 %", "WER 100 %", "읽기 순서 0", "상자 F1 1"],
        ),
    ],
)
def test_the_report_lists_the_worst_pages_first(
    browser: Browser, shown: Path, locale: str, sort: str, total: list[str], facts: list[str]
) -> None:
    found = Watched.open(browser, locale=locale, color_scheme="dark")
    page = found.page
    page.goto(shown.as_uri())
    page.wait_for_selector(".row")
    assert page.locator(".row-name b").all_inner_texts() == ["bad.png", "good.png", "unknown.png"]
    assert page.locator("#sort option:checked").inner_text() == sort
    tiles = [tile.split("\n") for tile in page.locator("#totals .total").all_inner_texts()]
    assert [line.strip() for line in tiles[2]] == total
    assert "CER" not in page.locator(".row-facts").last.inner_text()
    page.locator(".row a").first.click()
    page.wait_for_selector(".facts")
    assert page.locator(".facts span").first.inner_text().split(" · ")[: len(facts)] == facts
    page.keyboard.press("j")
    until(page, "document.querySelector('.facts').innerText.includes('TEDS 1')")
    page.close()
    assert found.trouble == []


HOSTILE_SCORES: list[Any] = [
    *({"scored": [dict.fromkeys(("page", "of", "cer", "teds", "characters"), v)]} for v in NUMBERS),
    *({"scored": [{"page": "a/a", "of": True, "cer": payload}]} for payload in PAYLOADS),
    *({"scored": [{"page": f"../{name}", "of": "x", "cer": 1}]} for name in NAMES),
    *(None, [], {"scored": nested(300)}, {"scored": {"a": 1}}),
]


def test_a_score_that_is_none_is_not_shown(tmp_path: Path) -> None:
    results = ResultSet(tmp_path)
    results.add("a.png", FOUR)
    results.finish()
    of = content_of(tmp_path / "a/a.json")
    for value in (*NUMBERS, *PAYLOADS):
        listed = [{"page": "a/a", "of": of, **dict.fromkeys(FIGURES, value)}]
        (tmp_path / "score.json").write_text(json.dumps({"scored": listed}))
        (known,) = read_scores(tmp_path).values()
        assert all(v is None or 0 <= v < 1e15 for v in vars(known).values())
    for found in HOSTILE_SCORES:
        (tmp_path / "score.json").write_text(json.dumps(found))
        assert read_scores(tmp_path) == {}
    (tmp_path / "score.json").write_text("[" * 100_000)
    assert read_scores(tmp_path) == {}
