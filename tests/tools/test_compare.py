"""make compare: the differences of two results, on the terminal and in a browser."""

import json
from pathlib import Path
from typing import Any

import pytest

from contract import DOUBT_KINDS
from rig.browser import Watched, until
from rig.hostile import NAMES, PAYLOADS, hostile_doubts
from rig.result_sets import Cells, ResultSet, cell, doubt
from rig.toolkit import Toolkit, files_below

SIZES = {"100dpi": (827, 1169), "200dpi": (1654, 2339)}
UP = (80, 60, 700, 100)
DOWN = (80, 300, 700, 340)


def scaled(cells: Cells, factor: float) -> Cells:
    """The same cells on a larger page."""
    return [{**found, "bbox": [round(v * factor) for v in found["bbox"]]} for found in cells]


def two_resolutions(folder: Path) -> Path:
    """Results of the same pages at 100 and 200 dpi; one page differs in every way."""
    results = ResultSet(folder)
    same = [cell("Text", "nothing changed here", UP), cell("Table", "<table></table>", DOWN)]
    before = [cell("Text", "the quick brown fox", UP), cell("Text", "only before", DOWN)]
    after = [
        cell("Title", "the quick red fox", UP),
        cell("Text", "only after", (80, 900, 700, 950)),
    ]
    for dpi, size in SIZES.items():
        factor = size[0] / SIZES["100dpi"][0]
        for name, cells in (("same", same), ("other", before if dpi == "100dpi" else after)):
            results.add(f"{dpi}/{name}.png", scaled(cells, factor), original_size=list(size))
    results.add("100dpi/gone.png", [cell("Text", "gone", UP)])
    results.add("100dpi/bad.png", status="failed", reason="no answer")
    results.add("200dpi/bad.png", [cell("Text", "read", UP)])
    return results.finish()


def compare(kit: Toolkit, first: Path, second: Path, *options: str) -> Any:
    """Run it as make does, with A and B in the environment."""
    return kit.run_here("compare", *options, A=str(first), B=str(second))


# ---- the command ----


def test_resolutions_side_by_side_in_one_result_set(kit: Toolkit) -> None:
    results = two_resolutions(kit.output)
    end = compare(kit, results / "100dpi", results / "200dpi", "--json")
    assert (end.code, end.err) == (0, "")
    found = json.loads(end.out)
    assert found["report"] == str(results / "compare.html")
    assert (found["a"], found["b"]) == ("out/100dpi", "out/200dpi")
    assert (found["compared"], found["changed"], found["only_a"], found["only_b"]) == (3, 2, 1, 0)
    pages = {page["page"]: page for page in found["pages"]}
    assert pages["same/same"]["kinds"] == []
    assert pages["gone/gone"]["kinds"] == ["only"]
    assert pages["bad/bad"]["status"] == ["failed", "ok"]
    other = pages["other/other"]
    assert other["kinds"] == ["text", "boxes", "category"]
    assert (other["added"], other["removed"], other["recategorised"]) == (1, 1, 1)
    assert (other["words_changed"], other["a"]) == (2, "100dpi/other/other")


def test_two_result_sets(kit: Toolkit, tmp_path: Path) -> None:
    first, second = tmp_path / "results1", tmp_path / "results2"
    for folder, text in ((first, "one word"), (second, "one other word")):
        results = ResultSet(folder)
        results.add("a/b.png", [cell("Text", text, UP)])
        results.finish()
    end = compare(kit, first, second)
    assert end.code == 0
    assert "1 pages compared, 1 differ" in end.out
    assert end.out.rstrip().endswith("a/b/b")
    before = files_below(first)
    assert "compare.html" not in before
    assert "compare.html" in files_below(second)
    assert "0 differ" in compare(kit, first, first).out


def test_a_table_of_the_pages_that_differ_most(kit: Toolkit) -> None:
    results = two_resolutions(kit.output)
    end = compare(kit, results / "100dpi", results / "200dpi")
    assert (end.code, end.err) == (0, "")
    rows = [" ".join(line.split()) for line in end.out.rstrip().split("\n")[-4:]]
    assert rows == [
        "text words moved new gone category",
        "gone/gone (only in A)",
        "0.0 % 1 · 1 · · bad/bad (failed → ok)",
        "66.7 % 2 · 1 1 1 other/other",
    ]


def doubted_twice(folder: Path) -> tuple[Path, Path]:
    """Two results of the same pages; the second ones have fewer doubts."""
    low, beside = (80, 900, 700, 950), (82, 305, 702, 345)
    missed, short = doubt("missed", DOWN, lines=2), doubt("amount", UP, 0, ratio=0.4)
    other = doubt("missed", low, lines=1)
    bad = {"status": "doubtful", "trust": 0.1}
    pages: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
        "mended": ({**bad, "doubts": [missed, short]}, {"trust": 1.0, "doubts": []}),
        "as it was": ({**bad, "doubts": [missed]}, {**bad, "doubts": [doubt("missed", beside)]}),
        "elsewhere": ({**bad, "doubts": [short]}, {**bad, "doubts": [other, other]}),
        "not seen before": ({}, {**bad, "doubts": [missed]}),
        "not read again": ({**bad, "doubts": [missed]}, {"status": "failed", "trust": 1.0}),
    }
    folders = []
    for number, side in enumerate(("before", "after")):
        results = ResultSet(folder / side)
        for name, sides in pages.items():
            words = f"read {side}" if name == "elsewhere" else "the same"
            results.add(f"{name}.png", [cell("Text", words, UP)], **sides[number])
        folders.append(results.finish())
    return folders[0], folders[1]


def test_whose_doubts_went_away_and_which_are_new(kit: Toolkit, tmp_path: Path) -> None:
    sides = doubted_twice(tmp_path)
    found = json.loads(compare(kit, *sides, "--json").out)
    assert (found["doubts_gone"], found["doubts_new"]) == (3, 2)
    assert (found["doubtful_a"], found["doubtful_b"]) == (4, 3)
    pages = {page["page"].split("/")[0]: page for page in found["pages"]}
    gone = {name: page["doubts_gone"] for name, page in pages.items() if page["doubts_gone"]}
    new = {name: page["doubts_new"] for name, page in pages.items() if page["doubts_new"]}
    assert gone == {"mended": ["missed", "amount"], "elsewhere": ["amount"]}
    assert new == {"elsewhere": ["missed", "missed"]}
    assert pages["mended"]["kinds"] == ["status", "doubts"]
    assert pages["mended"]["trust"] == [0.1, 1.0]
    assert pages["not seen before"]["trust"] == [None, 0.1]
    assert pages["as it was"]["kinds"] == []
    said = compare(kit, *sides).out
    assert "doubts 3 gone, 2 new: doubtful pages 4 in A, 3 in B" in said
    assert "mended/mended (doubtful → ok; doubts gone: missed, amount)" in said
    assert "elsewhere/elsewhere (doubts gone: amount; new doubts: 2 missed)" in said


@pytest.mark.parametrize(
    ("first", "second", "says"),
    [
        ("nowhere", "out", "nowhere is not a folder"),
        ("empty", "out", "nor a folder above it has a manifest.jsonl"),
        ("out/100dpi", "out", "no page in common"),
        ("out/none", "out", "no pages in"),
    ],
)
def test_what_cannot_be_compared_is_said(
    kit: Toolkit, tmp_path: Path, first: str, second: str, says: str
) -> None:
    two_resolutions(tmp_path / "out")
    for name in ("empty", "out/none"):
        (tmp_path / name).mkdir()
    end = compare(kit, tmp_path / first, tmp_path / second)
    assert end.code == 1
    assert says in end.err
    assert "→" in end.err


def test_a_page_whose_result_is_lost_is_not_compared(kit: Toolkit, tmp_path: Path) -> None:
    """The lost page had been read, so it does not count as different."""
    for name in ("a", "b"):
        two_resolutions(tmp_path / name)
    lost = tmp_path / "b/100dpi/same/same.json"
    lost.write_text("[{")
    end = compare(kit, tmp_path / "a", tmp_path / "b")
    assert end.code == 3
    assert end.err == f"compare: left out: {lost}: not JSON: not a result\n"
    assert "6 pages compared, 0 differ, 1 could not be compared" in end.out


def test_both_must_be_given(kit: Toolkit) -> None:
    end = kit.run("compare", A="x")
    assert end.code == 2
    assert "--b" in end.err


# ---- the report, in a browser ----


def test_the_differences_page_by_page(watched: Watched, kit: Toolkit) -> None:
    results = two_resolutions(kit.output)
    assert compare(kit, results / "100dpi", results / "200dpi").code == 0
    page = watched.page
    page.goto((results / "compare.html").as_uri())
    page.wait_for_selector(".row")
    names = page.locator(".row-name b").all_inner_texts()
    assert names == ["gone/gone", "bad/bad", "other/other", "same/same"]
    page.select_option("#way", "category")
    assert page.locator(".row").count() == 1
    page.keyboard.press("/")
    page.keyboard.type("other")
    page.locator(".row a").click()
    page.wait_for_selector(".difference")
    assert page.locator(".difference del").all_inner_texts() == ["brown ", "only before"]
    assert page.locator(".difference ins").all_inner_texts() == ["red ", "only after"]
    assert "Text → Title" in page.locator(".difference header").first.inner_text()
    page.locator(".difference").first.hover()
    assert page.locator(".box.marked").count() == 2
    page.locator("#second .box.alone").hover()
    assert "Only in B" in page.locator(".difference.marked").inner_text()
    page.keyboard.press("Escape")
    page.select_option("#way", "")
    page.locator("#search").fill("")
    page.locator(".row >> nth=3").wait_for()
    page.locator(".row a", has_text="gone/gone").click()
    until(page, "document.querySelector('#page-name').textContent === 'gone/gone'")
    page.keyboard.press("j")
    until(page, "document.querySelector('#page-name').textContent === 'bad/bad'")
    assert "no answer" in page.locator("#first").inner_text()
    page.goto((results / "compare.html").as_uri() + "#page=same/same")
    page.wait_for_selector("#second .box.same")
    assert page.locator("#text").inner_text() == "No difference."


def test_the_doubts_that_changed_are_marked_on_their_side(
    watched: Watched, kit: Toolkit, tmp_path: Path
) -> None:
    sides = doubted_twice(tmp_path)
    assert compare(kit, *sides).code == 0
    page = watched.page
    page.goto((sides[1] / "compare.html").as_uri())
    page.wait_for_selector(".row")
    page.select_option("#way", "doubts")
    assert page.locator(".row-name b").all_inner_texts() == ["elsewhere/elsewhere", "mended/mended"]
    said = page.locator(".row").last.inner_text()
    assert "doubts gone: 2" in said and "doubtful → ok" in said
    assert page.locator("#totals .total").last.inner_text().split("\n")[:2] == ["Doubts gone", "3"]
    page.locator(".row a").last.click()
    page.wait_for_selector(".doubt")
    rows = ["A ! 2 lines of ink were not read", "A 1 Text too short: 40 % of what its ink holds"]
    shown = [" ".join(row.split()) for row in page.locator("button.doubt").all_inner_texts()]
    assert shown == rows
    assert page.locator("#text h2").all_inner_texts() == ["Doubts gone"]
    assert "trust 0.1" in page.locator("#first .side-name").inner_text()
    page.locator("button.doubt").first.focus()
    assert page.locator("#first .box.doubt.marked").count() == 1
    page.locator("#first .box.doubted").hover()
    assert "too short" in page.locator("button.doubt.marked").inner_text()
    page.keyboard.press("k")
    until(page, "document.querySelector('#page-name').textContent.startsWith('elsewhere')")
    page.wait_for_selector("#second .box.doubt")
    assert page.locator("#text h2").all_inner_texts() == ["Doubts gone", "New doubts"]
    assert page.locator("#second .box.doubt").count() == 2
    page.locator(".difference").hover()
    assert page.locator(".marked").count() == 3  # the row, and the cell on both sides
    assert page.locator(".difference.marked ins").inner_text() == "after"


def test_nothing_hostile_happens(watched: Watched, kit: Toolkit, tmp_path: Path) -> None:
    folders, candidates = [], hostile_doubts(DOUBT_KINDS)[:-1]  # the last one only tests the size
    for side in "ab":
        results = ResultSet(tmp_path / f"<svg onload=alert(40)> {side}")
        for number, payload in enumerate(PAYLOADS):
            text = cell("Text", f"{side} {payload} {side}", UP)
            alone = cell("Table", payload, DOWN if side == "a" else (80, 700, 700, 740))
            results.add(f"{number}.png", [text, alone], status="partial", reason=payload)
        for name in NAMES:
            results.add(name, [cell("Text", name + side, UP)])
        for number, value in enumerate(candidates if side == "a" else candidates[::-1]):
            cells = [cell("Text", side, UP)]
            results.add(f"doubted {number}.png", cells, doubts=value, trust=0)
        folders.append(results.finish())
    assert compare(kit, folders[0], folders[1]).code == 0
    page = watched.page
    page.goto((folders[1] / "compare.html").as_uri())
    page.locator(".row a").first.click()
    count = len(PAYLOADS) + len(NAMES) + len(candidates)
    for number in range(count):
        place = f"{number + 1} / {count}"
        until(page, "(place) => document.querySelector('#page-place').textContent === place", place)
        page.wait_for_selector(".difference")
        page.keyboard.press("j")
