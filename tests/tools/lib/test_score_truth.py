"""Which files are truths, and of which page: in our own form, and in OmniDocBench's."""

import json
from pathlib import Path
from typing import Any

import pytest

from lib.pages.entries import Cell, Entry, read_entries
from lib.score.pairing import pair
from lib.score.scores import truths_in
from lib.score.scoring import score_page
from lib.score.truth import Block, Truth
from rig.hostile import NUMBERS, nested
from rig.result_sets import ResultSet

CELL = {"bbox": [10, 20, 30, 40], "category": "Title", "text": "a"}


def read(folder: Path, value: Any, name: str = "a.json") -> list[Truth] | str:
    """Write a file with this content and read it as truths."""
    (folder / name).parent.mkdir(parents=True, exist_ok=True)
    (folder / name).write_text(value if isinstance(value, str) else json.dumps(value))
    return truths_in(folder, name)


def test_cells_are_the_truth_of_the_page_that_the_file_is_named_after(tmp_path: Path) -> None:
    cells = [CELL, {"bbox": [1, 2, 3], "text": "x"}, {"bbox": [0, 0, 5, 5], "category": "Odd"}]
    blocks = (Block((10, 20, 30, 40), "Title", "a"), Block((0, 0, 5, 5), "Text", ""))
    assert read(tmp_path, cells, "b/a.json") == [Truth("b/a.json", "b/a", blocks, odd=1)]
    assert read(tmp_path, []) == [Truth("a.json", "a", ())]


@pytest.mark.parametrize(
    ("value", "why"),
    [
        ({}, "neither"),
        ([1], "neither"),
        ([{"bbox": 1}], "neither"),
        ([CELL, {"layout_dets": []}], "neither"),
        ("[", "not JSON"),
        ("[" * 100_000, "nested too deep"),
        (json.dumps(nested(400)), "neither"),
    ],
)
def test_what_is_no_truth_says_why(tmp_path: Path, value: Any, why: str) -> None:
    found = read(tmp_path, value)
    assert isinstance(found, str) and why in found


def test_values_that_are_none_harm_nobody(tmp_path: Path) -> None:
    found = read(tmp_path, [{"bbox": [n] * 4, "category": n, "text": n} for n in NUMBERS])
    assert not isinstance(found, str)
    assert all(0 <= side < 1e15 for block in found[0].blocks for side in block.box)


# ---- OmniDocBench ----


def det(kind: str, box: tuple[int, int, int, int], order: int | None = None, **more: Any) -> Any:
    """A block in OmniDocBench's form."""
    x1, y1, x2, y2 = box
    poly = [x1, y1, x2, y1, x2, y2, x1, y2]
    return {"category_type": kind, "poly": poly, "order": order, "ignore": False, **more}


TABLE = "<table><tr><td>a</td></tr><tr><td>b</td></tr></table>"
DETS = [
    det("header", (0, 0, 1000, 50), text="Journal"),
    det("text_block", (0, 200, 1000, 300), 3, text="a paragraph"),
    det("title", (0, 100, 1000, 150), 1, text="A head"),
    det("figure", (0, 400, 1000, 500), 5),
    det("table", (0, 600, 1000, 700), 7, latex="…", html=TABLE),
    det("equation_isolated", (0, 800, 1000, 900), 8, latex="$$x = 1$$"),
    det("equation_caption", (900, 800, 1000, 900), 9, text="(1)"),
    det("abandon", (0, 950, 1000, 1000), text="scribble"),
    det("text_block", (0, 1100, 1000, 1200), 11, text="hard", ignore=True),
]
PAGE = {
    "layout_dets": DETS,
    "page_info": {"image_path": "images/page-7.png", "width": 1000, "height": 2000},
    "extra": {"relation": []},
}
ANSWER = [  # in dots.ocr's form, on the same page at half the size
    ("Page-header", (0, 0, 500, 25), "Journal"),
    ("Section-header", (0, 50, 500, 75), "## A head"),
    ("Text", (0, 100, 500, 150), "a paragraph"),
    ("Picture", (0, 200, 500, 250), ""),
    ("Table", (0, 300, 500, 350), TABLE.replace("<tr><td>a</td></tr>", "<thead><tr><th>a</thead>")),
    ("Formula", (0, 400, 500, 450), r"\[x=1\]"),
    ("Text", (10, 480, 490, 495), "scribble"),
    ("Text", (0, 550, 500, 600), "hrad"),
]


def cells(size: tuple[int, int] = (500, 1000)) -> list[Cell]:
    width, height = size
    return [
        Cell((box[0] / width, box[1] / height, box[2] / width, box[3] / height), category, text)
        for category, box, text in ANSWER
    ]


def test_a_page_of_omnidocbench(tmp_path: Path) -> None:
    found = read(tmp_path, [PAGE])
    assert not isinstance(found, str)
    (truth,) = found
    assert (truth.page, truth.size, truth.is_foreign) == ("images/page-7", (1000, 2000), True)
    assert [block.category for block in truth.blocks] == [
        *("Title", "Text", "Picture", "Table", "Formula"),
    ]
    assert [block.text for block in truth.blocks] == [
        *("A head", "a paragraph", "", TABLE, "$$x = 1$$"),
    ]
    assert [block.text for block in truth.aside] == ["Journal"]
    assert truth.ignored == ((900, 800, 1000, 900), (0, 950, 1000, 1000), (0, 1100, 1000, 1200))


def test_a_right_answer_has_nothing_wrong_by_it(tmp_path: Path) -> None:
    """It ignores Markdown's signs, a table's headings, ignored blocks, and an unordered header."""
    found = read(tmp_path, PAGE)
    assert not isinstance(found, str)
    score = score_page(found[0], cells(), (500, 1000), 0)
    assert (score.characters.errors, score.words.errors, score.teds.value) == (0, 0, 1)
    assert (score.disorder.value, score.boxes.f1) == (0, 1)
    assert score.boxes.overlap.value == pytest.approx(1)
    assert score.kinds["Page-header"].true == 1
    without = score_page(found[0], cells()[1:], (500, 1000), 0)
    assert (without.characters.errors, without.boxes.found) == (0, 5)


def test_an_answer_that_was_turned_is_scored_on_the_page_as_it_lies(tmp_path: Path) -> None:
    """The page's file is on its side; we turned it by 90 degrees clockwise."""
    # a point (x, y) of the upright page, 1000 × 2000, is (y, 1000 - x) of the file, 2000 × 1000
    lying = [
        {
            **one,
            "poly": [
                v
                for x, y in zip(one["poly"][::2], one["poly"][1::2], strict=True)
                for v in (y, 1000 - x)
            ],
        }
        for one in DETS
    ]
    info = {**PAGE["page_info"], "width": 2000, "height": 1000}  # type: ignore[dict-item]
    found = read(tmp_path, {**PAGE, "layout_dets": lying, "page_info": info})
    assert not isinstance(found, str)
    assert score_page(found[0], cells(), (500, 1000), 90).boxes.overlap.value == pytest.approx(1)
    assert score_page(found[0], cells(), (500, 1000), 270).boxes.f1 != 1


def test_odd_pages_of_omnidocbench_harm_nobody(tmp_path: Path) -> None:
    odd = [*NUMBERS, nested(300), "x", {"a": 1}]
    dets = [
        *({**DETS[1], name: value} for name in DETS[1] for value in odd),
        *({**DETS[4], "html": value} for value in odd),
        *odd,
    ]
    infos = [*({"image_path": value, "width": value, "height": value} for value in odd), *odd]
    found = read(tmp_path, [{"layout_dets": dets, "page_info": info} for info in infos])
    assert not isinstance(found, str)
    for truth in found:
        assert score_page(truth, cells(), (500, 1000), 0).pages == 1


# ---- which page ----


def entries_of(folder: Path, *names: str, **values: Any) -> list[Entry]:
    results = ResultSet(folder)
    for name in names:
        results.add(name, [], **values)
    return read_entries(results.finish())


def own(page: str) -> Truth:
    return Truth(f"{page}.json", page, ())


def foreign(page: str) -> Truth:
    return Truth("all.json", page, (), is_foreign=True)


@pytest.mark.parametrize(
    ("truth", "page"),
    [
        (own("100dpi/page1/page1"), "100dpi/page1/page1"),
        (own("100dpi/page1"), "100dpi/page1/page1"),
        (own("page1"), None),
        (own("other/page1"), "other/page1/page1"),
        (foreign("images/only"), "200dpi/only/only"),
        (foreign("only"), "200dpi/only/only"),
        (foreign("images/page1"), "unclear"),
        (foreign("x/100dpi/page1"), "100dpi/page1/page1"),
        (foreign("images/absent"), None),
    ],
)
def test_which_page_a_truth_is_of(tmp_path: Path, truth: Truth, page: str | None) -> None:
    entries = entries_of(tmp_path, "100dpi/page1.png", "other/page1.png", "200dpi/only.png")
    found = pair([truth], entries)
    told = [entry.page for _, entry in found.pairs] + ["unclear"] * len(found.unclear)
    assert told == ([page] if page else [])
    assert len(found.missing) == (page is None)


def test_a_page_of_a_pdf_is_named_as_its_results_are(tmp_path: Path) -> None:
    results = ResultSet(tmp_path)
    for number in range(2):
        page = f"report/report_page_{number}"
        results.add("report.pdf", [], page=page, pdf_page=number)
    results.add("one.pdf", [], page="one/one_page_0", pdf_page=0)
    entries = read_entries(results.finish())
    truths = [own("report_page_1"), foreign("img/report_page_0"), foreign("img/one")]
    found = [entry.page for _, entry in pair(truths, entries).pairs]
    assert found == ["report/report_page_1", "report/report_page_0", "one/one_page_0"]
    assert pair([foreign("img/report")], entries).missing


def test_a_second_truth_of_a_page_is_left_out(tmp_path: Path) -> None:
    found = pair([own("a"), own("a/a"), foreign("a")], entries_of(tmp_path, "a.png", "b.png"))
    assert [truth.page for truth, _ in found.pairs] == ["a"]
    assert [truth.page for truth in found.unclear] == ["a/a", "a"]
    assert found.without_truth == 1
