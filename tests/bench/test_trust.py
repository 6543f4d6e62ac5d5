"""The faults are what their names say, and the bench counts correctly what tells a fault."""

from __future__ import annotations

import json
import random
from collections.abc import Sequence
from pathlib import Path

import pytest
from click.testing import CliRunner
from PIL import Image, ImageChops, ImageDraw

from answer.cells import Cell
from bench import trust, trust_pages
from bench.trust_faults import Fault, Page, columns, faults_of, overlap, text_of
from bench.trust_truth import as_sent, from_omni, known_in
from rig.written_page import full_page, prose
from trust.doubts import Doubt

LONG_TEXT = "A line of the page with 20 characters and more."
LOOSE = (-8, -6, 8, 6)  # pixels by which a box is larger than its text
SEED = 4  # with it, some texts lose their first half, and some lose their second
TABLE = "<table><tr><td>a</td><td>1</td></tr><tr><td>b</td><td>22</td></tr></table>"


def cell(box: tuple[int, int, int, int], text: str, category: str = "Text") -> Cell:
    return {"bbox": list(box), "category": category, "text": text}


@pytest.fixture
def page() -> Page:
    """Two columns of black boxes as text, a pale picture, a table below, a page number."""
    picture = Image.new("L", (1000, 1400), 255)
    cells: list[Cell] = [
        cell((60, 100, 460, 160), f"One: {LONG_TEXT} {LONG_TEXT}"),
        cell((60, 200, 460, 260), f"Two: {LONG_TEXT} {LONG_TEXT}"),
        cell((540, 100, 940, 160), f"Three: {LONG_TEXT} {LONG_TEXT}"),
        cell((540, 200, 940, 260), f"Four: {LONG_TEXT} {LONG_TEXT}"),
        cell((60, 800, 940, 900), TABLE, "Table"),
        {"bbox": [60, 300, 940, 780], "category": "Picture"},
        cell((490, 1340, 510, 1360), "17", "Page-footer"),
    ]
    pen = ImageDraw.Draw(picture)
    for each in cells:
        pen.rectangle(tuple(each["bbox"]), 0 if "text" in each else 255)
    return Page(picture, cells)


@pytest.fixture
def faults(page: Page) -> dict[str, list[Fault]]:
    found: dict[str, list[Fault]] = {}
    for fault in faults_of(page, random.Random(SEED), most=99):
        found.setdefault(fault.name, []).append(fault)
    return found


def changed(page: Page, fault: Fault) -> list[int]:
    """The indices of the changed cells."""
    pairs = zip(page.cells, fault.cells, strict=True)
    return [index for index, (true, false) in enumerate(pairs) if true != false]


def test_what_is_dropped_is_gone_and_numbers_count_apart(
    page: Page, faults: dict[str, list[Fault]]
) -> None:
    gone = [[each for each in page.cells if each not in fault.cells] for fault in faults["dropped"]]
    assert gone == [[page.cells[index]] for index in range(5)]
    assert [fault.cells for fault in faults["number dropped"]] == [list(page.cells[:6])]


@pytest.mark.parametrize("percent", [2, 5])
def test_a_shifted_box_is_off_by_its_share(
    page: Page, faults: dict[str, list[Fault]], percent: int
) -> None:
    for fault in faults[f"shifted {percent}%"]:
        [index] = changed(page, fault)
        true, false = page.cells[index]["bbox"], fault.cells[index]["bbox"]
        assert {abs(false[0] - true[0]), abs(false[1] - true[1])} <= {0, 10 * percent, 14 * percent}
        assert fault.places == (tuple(true), tuple(false))
    [common] = faults[f"all shifted {percent}%"]
    offs = {
        (false["bbox"][0] - true["bbox"][0], false["bbox"][1] - true["bbox"][1])
        for true, false in zip(page.cells, common.cells, strict=True)
    }
    assert len(offs) == 1 and offs != {(0, 0)}


def test_what_is_invented_stands_on_white(page: Page, faults: dict[str, list[Fault]]) -> None:
    assert faults["invented on white"]
    for fault in faults["invented on white"]:
        *others, new = fault.cells
        assert others == page.cells and len(new["text"]) >= 20
        assert page.picture.crop(tuple(new["bbox"])).getextrema() == (255, 255)
        assert not any(overlap(tuple(new["bbox"]), tuple(each["bbox"])) for each in page.cells)


def test_texts_are_halved_doubled_and_swapped(page: Page, faults: dict[str, list[Fault]]) -> None:
    for name, ratio in (("halved", 0.5), ("doubled", 2)):
        assert [changed(page, fault) for fault in faults[name]] == [[0], [1], [2], [3]]
        for fault in faults[name]:
            [index] = changed(page, fault)
            lengths = (len(each[index]["text"]) for each in (fault.cells, page.cells))
            assert next(lengths) / next(lengths) == pytest.approx(ratio, abs=0.02)
    heads = {text_of(fault.cells[changed(page, fault)[0]])[:3] for fault in faults["halved"]}
    assert heads & {"One", "Two", "Thr", "Fou"} and heads - {"One", "Two", "Thr", "Fou"}
    assert len(faults["swapped"]) == 6
    for fault in faults["swapped"]:
        one, other = changed(page, fault)
        assert fault.cells[one]["text"] == page.cells[other]["text"]
        assert fault.cells[other]["text"] == page.cells[one]["text"]


def test_one_digit_is_another_and_never_in_a_tag(
    page: Page, faults: dict[str, list[Fault]]
) -> None:
    assert len(faults["digits"]) == 5
    for fault in faults["digits"]:
        [index] = changed(page, fault)
        pairs = zip(page.cells[index]["text"], fault.cells[index]["text"], strict=True)
        [(true, false)] = [pair for pair in pairs if pair[0] != pair[1]]
        assert true.isdigit() and false.isdigit()


def test_a_row_is_dropped_and_a_column_lost(page: Page, faults: dict[str, list[Fault]]) -> None:
    [fault] = faults["row dropped"]
    assert fault.cells[4]["text"].count("<tr>") == 1
    assert columns(page) == [[0, 1], [2, 3]]
    assert [len(fault.cells) for fault in faults["column lost"]] == [5, 5]


def test_nothing_read_has_no_word_in_a_box(page: Page, faults: dict[str, list[Fault]]) -> None:
    over_all, dumb, units = (fault.cells for fault in faults["nothing read"])
    assert over_all == [{"bbox": [0, 0, 1000, 1400], "category": "Picture"}]
    assert {each["text"] for each in dumb} == {""}
    assert {tuple(each["bbox"]) for each in units} == {(0, 0, 1, 1)}


@pytest.mark.parametrize(
    "text", ["A line of some words, in all fifty letters or so. ", "한국어로 쓴 글이다. " * 2]
)
def test_a_text_of_three_lines_is_swallowed(text: str) -> None:
    """A letter is half as wide as the distance of two lines; an East Asian one twice that."""
    wide = round(9 * sum(1 + (ord(sign) > 255) for sign in text))
    cells = [
        cell((0, 100 * rows, wide, 100 * rows + 22 * rows - 4), text * rows) for rows in range(1, 5)
    ]
    page = Page(Image.new("L", (wide, 600), 255), cells)
    found = [fault for fault in faults_of(page, random.Random(1), 9) if fault.name == "swallowed"]
    assert [changed(page, fault) for fault in found] == [[2], [3]]
    for fault, true in zip(found, cells[2:], strict=True):
        assert {"bbox": true["bbox"], "category": "Picture"} in fault.cells
        assert fault.places == (tuple(true["bbox"]),)


def test_a_blank_page_has_no_faults() -> None:
    assert not list(faults_of(Page(Image.new("L", (100, 100), 255), []), random.Random(1), 9))


def test_leaders_are_no_text_to_halve() -> None:
    page = Page(Image.new("L", (500, 500), 255), [cell((0, 0, 400, 20), f"1. One {'. ' * 40} 7")])
    names = {fault.name for fault in faults_of(page, random.Random(1), 9)}
    assert "dropped" in names and not names & {"halved", "doubled"}
    page = Page(page.picture, [cell((0, 0, 400, 20), f"1. One and two and three {'. ' * 40} 7")])
    [half] = [fault for fault in faults_of(page, random.Random(1), 9) if fault.name == "halved"]
    assert len(half.cells[0]["text"]) == len("1. One and two and three  7") // 2


def doubt(kind: str, box: tuple[int, int, int, int], index: int | None = None) -> Doubt:
    return Doubt(kind, box, index, 0.1)


FAULT = Fault("dropped", [], ((0, 0, 100, 20),))


@pytest.mark.parametrize(
    ("after", "before", "kinds"),
    [
        ([doubt("missed", (10, 5, 90, 15))], [], {"missed"}),
        ([doubt("missed", (10, 50, 90, 60))], [], set()),  # elsewhere
        # a doubt from before
        ([doubt("missed", (10, 5, 90, 15))], [doubt("missed", (10, 5, 88, 15))], set()),
        ([doubt("missed", (10, 5, 90, 15))], [doubt("missed", (10, 5, 20, 15))], {"missed"}),
        ([doubt("empty", (10, 5, 90, 15))], [doubt("missed", (10, 5, 90, 15))], {"empty"}),
        ([doubt("empty", (0, 0, 9, 9)), doubt("amount", (0, 0, 9, 9))], [], {"empty", "amount"}),
    ],
)
def test_a_fault_is_told_by_a_new_doubt_in_its_place(
    after: list[Doubt], before: list[Doubt], kinds: set[str]
) -> None:
    assert trust.kinds_that_tell(FAULT, after, before) == kinds


def test_false_alarms_count_each_cell_once() -> None:
    counts = trust.false_cells_of(
        [
            doubt("amount", (0, 0, 9, 9), 1),
            doubt("empty", (0, 0, 9, 9), 1),
            doubt("amount", (0, 20, 9, 29), 2),
            doubt("missed", (50, 50, 60, 60)),
            doubt("missed", (70, 50, 80, 60)),
        ]
    )
    assert counts == {"amount": 2, "empty": 1, "missed": 2, "any": 4}


def block(kind: str, box: Sequence[float] = (10, 20, 60, 40), **more: object) -> dict[str, object]:
    """A block in OmniDocBench's form: `poly` has its corners, one after the other."""
    x1, y1, x2, y2 = box
    poly = [float(side) for side in (x1, y1, x2, y1, x2, y2, x1, y2)]
    return {"category_type": kind, "poly": poly, "ignore": False, **more}


def test_omnidocbench_is_read_as_cells_in_reading_order() -> None:
    item = block("text_block", (10, 50, 60, 60), text="item")
    spans = [{"category_type": "text_span", "text": "is"}, {"latex": "$x$"}]
    truth = from_omni(
        [
            block("text_block", text="b", order=2),
            block("title", text="a", order=1),
            block("table", html=TABLE, latex="a & b", order=3),
            block("list", (0, 0, 99, 99), text="item item", merge_list=[item, item], order=4),
            block("text_block", line_with_spans=spans, order=5),
            block("abandon", text="In the middle", order=6),
            block("figure", order=7),
            block("abandon", (1, 2, 3, 4), order=8),
            block("text_mask", (5, 6, 7, 8), order=9),
            block("text_block", (9, 9, 11, 11), text="?", ignore=True, order=10),
        ]
    )
    assert [(each["category"], each.get("text")) for each in truth.cells] == [
        ("Title", "a"),
        ("Text", "b"),
        ("Table", TABLE),
        ("Text", "item"),
        ("Text", "item"),
        ("Text", "is $x$"),
        ("Text", "In the middle"),
        ("Picture", None),
    ]
    assert truth.cells[0]["bbox"] == [10, 20, 60, 40]
    assert truth.cells[3]["bbox"] == [10, 50, 60, 60]
    assert truth.unread == [[1, 2, 3, 4], [5, 6, 7, 8], [9, 9, 11, 11]]


def test_a_true_page_of_omnidocbench_raises_no_alarm(tmp_path: Path) -> None:
    """The boxes are loose, for a picture of another size; nobody has read one paragraph."""
    page = full_page(mode="RGB", paper=(250, 240, 220))
    page.put(prose(300, 11), (120, 1540), width=600)
    *read, unread = page.cells
    blocks = [
        block("text_block", [(side + by) / 2 for side, by in zip(cell["bbox"], LOOSE, strict=True)])
        | {"text": cell["text"], "order": order, "ignore": cell is unread}
        for order, cell in enumerate(page.cells)
    ]
    info = {"image_path": "images/one.png", "width": 588, "height": 840}
    (tmp_path / "images").mkdir()
    page.picture.save(tmp_path / "images" / "one.png")
    listed = json.dumps([{"layout_dets": blocks, "page_info": info}])
    (tmp_path / "truth.json").write_text(listed, encoding="utf-8")
    [known] = known_in(tmp_path)
    assert len(known.page.cells) == len(read) and known.pdf is None
    tally = trust.judged(known, random.Random(0), 4, ["dropped", "halved", "doubled"])
    assert not tally.alarms and not tally.false_cells["any"]
    assert all(tally.told[fault]["any"] == made == 4 for fault, made in tally.made.items())


def test_cells_go_with_the_picture_as_it_is_sent() -> None:
    large = as_sent(Image.new("L", (2000, 2800), 255), [cell((200, 280, 1000, 1400), "x")])
    wide, high = large.picture.size
    assert wide * high <= 2_000_000
    assert large.cells[0]["bbox"] == pytest.approx(
        [0.1 * wide, 0.1 * high, 0.5 * wide, 0.5 * high], abs=1
    )


def test_the_bench_counts_the_faults_of_a_folder(page: Page, tmp_path: Path) -> None:
    page.picture.save(tmp_path / "one.png")
    (tmp_path / "one.json").write_text(json.dumps(page.cells), encoding="utf-8")
    options = ["--pages", str(tmp_path), "--most", "2", "--only", "dropped", "--json"]
    done = CliRunner().invoke(trust.main, options)
    assert done.exit_code == 0, done.output
    found = json.loads(done.stdout)
    assert found["all"] == found[tmp_path.name]
    assert found["all"]["pages"] == 1 and found["all"]["cells"] == 7
    assert found["all"]["faults"]["dropped"]["made"] == 2
    assert set(found["all"]["cpu_ms"]) == {"evidence_of", "doubts_of"}


@pytest.mark.parametrize("degrees", [-1.2, 0, 0.7, 30])
def test_a_cell_turns_with_its_page(degrees: float) -> None:
    page = Image.new("L", (400, 600), 0)
    box = (50, 80, 250, 180)
    page.paste(255, box)
    [turned] = trust_pages.turned([cell(box, "x")], page.size, degrees)
    ink = page.rotate(degrees).getbbox()
    assert turned["bbox"] == pytest.approx(ink, abs=2)


@pytest.mark.parametrize("draw", trust_pages.OWN, ids=lambda draw: draw.__name__)
def test_all_that_is_written_on_a_made_page_is_in_its_cells(
    draw: trust_pages.Draw, monkeypatch: pytest.MonkeyPatch
) -> None:
    image, cells = trust_pages.drawn(draw, "en", random.Random(1))
    monkeypatch.setattr(ImageDraw.ImageDraw, "text", lambda *_: None)
    unwritten, same = trust_pages.drawn(draw, "en", random.Random(1))
    writing = ImageChops.difference(image, unwritten).convert("L")
    assert writing.getbbox() and cells == same
    wide, high = writing.size
    for each in cells:
        left, top, right, bottom = each["bbox"]
        assert 0 <= left < right <= wide and 0 <= top < bottom <= high
        assert writing.crop((left, top, right, bottom)).getbbox()
        writing.paste(0, (left, top, right, bottom))
    assert writing.getbbox() is None
