"""What is kept of an answer that ended in a loop."""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable

import pytest

from answer.cells import Answer, Cell, parse
from answer.loops import (
    MOST_CELLS,
    is_cut_from,
    said_in,
    same,
    without_counted_turns,
    without_equal_turns,
    without_loop,
    without_looped_cells,
)
from rig.loops import sliding

TITLE: Cell = {"bbox": [1, 2, 30, 40], "category": "Title", "text": "# 제목"}
SENTENCE = "본 문서의 내용은 다음과 같다."


def cut(text: str) -> Answer:
    """What is kept of an answer that stopped in the middle of this text."""
    answer = parse(text)
    assert answer is not None
    return without_loop(answer)


def cut_in_a_text(text: str, category: str = "Table") -> str:
    """What is kept of the last cell's text, in which the answer stopped."""
    cell = {"bbox": [10, 50, 500, 700], "category": category, "text": text}
    answer = cut(json.dumps([TITLE, cell], ensure_ascii=False)[:-3])
    assert answer.cells[0] == TITLE
    return str(answer.cells[1]["text"])


def counted(beginning: str, turn: Callable[[int], str], end: str = "") -> str:
    return beginning + "".join(map(turn, range(1, 120))) + end


@pytest.mark.parametrize(
    "end", ["", "<tr><td>12", "<tr>", "<tr><td>120</td><td></td><td></td></tr"]
)
def test_one_row_is_left_of_rows_that_count(end: str) -> None:
    text = counted("<table>", lambda n: f"<tr><td>{n}</td><td></td><td></td></tr>", end)
    assert cut_in_a_text(text) == "<table><tr><td>1</td><td></td><td></td></tr>"


def test_the_rows_before_it_stay() -> None:
    head = "<table><tr><th>No</th><th>이름</th></tr><tr><td>7</td><td>김</td></tr>"
    text = counted(head, lambda n: f"<tr><td>{n}</td><td></td></tr>")
    assert cut_in_a_text(text) == head + "<tr><td>1</td><td></td></tr>"


@pytest.mark.parametrize("end", ["", "\n12", "\n120. ....."])
def test_one_line_is_left_of_lines_that_count(end: str) -> None:
    text = counted("차례", lambda n: f"\n{n}. {'.' * 28} {n + 3}", end)
    assert cut_in_a_text(text, "Text") == f"차례\n1. {'.' * 28} 4"


@pytest.mark.parametrize("size", range(0, 90, 7))
def test_one_cell_is_left_of_a_text_in_sliding_boxes(size: int) -> None:
    """Wherever the answer is cut: in a key, in a box, or in the text."""
    cells = list(itertools.islice(sliding(SENTENCE), 26))
    answer = cut(f"[{json.dumps(TITLE)}, " + ", ".join([*cells, cells[-1][:size]]))
    first = json.loads(cells[0])
    assert list(answer.cells) == [TITLE, first]
    assert any(note.endswith("cells of a loop dropped") for note in answer.notes)


def test_one_turn_is_left_of_two_texts_in_turn() -> None:
    pairs = zip(sliding("이 표는 사본이다."), sliding("다음 쪽에 계속"), strict=True)
    cells = list(itertools.islice(itertools.chain.from_iterable(pairs), 31))
    answer = cut("[" + ", ".join(cells)[:-20])
    assert list(answer.cells) == [json.loads(cell) for cell in cells[:2]]


def test_a_last_cell_that_was_cut_out_of_a_loop_of_equal_cells_is_dropped() -> None:
    pair = [TITLE, {"bbox": [5, 60, 70, 80], "category": "Text", "text": SENTENCE}]
    text = json.dumps(pair * 20, ensure_ascii=False)
    for size in range(3, 120, 9):
        assert list(cut(text[:-size]).cells) == pair


def test_cells_that_differ_stay() -> None:
    cells: list[Cell] = [
        {"bbox": [1, 9 * n, 30, 9 * n + 8], "category": "List-item", "text": f"{n}. 항목 {chr(n)}"}
        for n in range(65, 95)
    ]
    text = json.dumps(cells, ensure_ascii=False)
    assert list(cut(text[:-2]).cells) == cells
    answers = [{**cell, "text": "Yes"} for cell in cells[:8]]
    assert list(cut(json.dumps(answers)[:-2]).cells) == answers


# ---- the same, part by part ----

ROW, LINE = "<tr><td>{}</td><td></td></tr>", "{}. The ferry leaves the harbour at seven\n"


@pytest.mark.parametrize(
    ("beginning", "turn", "first", "left"),
    [
        ("", LINE, 1, LINE[:-1].format(1)),
        ("", LINE, 10, LINE[:-1].format(10)),
        ("In 1904, 12 boats\n", LINE, 7, "In 1904, 12 boats\n" + LINE[:-1].format(7)),
        ("<table>", ROW, 1, "<table>" + ROW.format(1)),
        ("", ROW, 1, ROW.format(1)),
        ("", ROW, 10, ROW.format(10)),
        ("Of 1904: ", ROW, 8, "Of 1904: " + ROW.format(8)),
        ("", "{} ", 100, "100 "),
    ],
)
@pytest.mark.parametrize("cut_off", [0, 3])
def test_one_turn_is_left_of_what_only_counts(
    beginning: str, turn: str, first: int, left: str, cut_off: int
) -> None:
    text = beginning + "".join(turn.format(number) for number in range(first, first + 70))
    assert without_counted_turns(text[: len(text) - cut_off]) == left


UNIT = "".join(map(chr, range(0x4E00, 0x4E00 + 128)))


def test_a_turn_that_is_repeated_is_of_128_characters_at_most() -> None:
    assert without_equal_turns(UNIT * 20) == UNIT
    assert without_equal_turns("Once " + UNIT * 20) == "Once " + UNIT
    assert without_equal_turns((UNIT + "!") * 20) == (UNIT + "!") * 20


def cells_of(*texts: str, category: str = "Text") -> tuple[Cell, ...]:
    """Cells with these texts, each in a box of its own."""
    return tuple(
        {"bbox": [1, 9 * n, 30, 9 * n + 8], "category": category, "text": text}
        for n, text in enumerate(texts)
    )


def turn_of(size: int) -> tuple[str, ...]:
    return tuple(f"The ferry of pier {chr(97 + n)} leaves" for n in range(size))


@pytest.mark.parametrize(
    ("before", "turn", "turns", "last", "left"),
    [
        ((), turn_of(MOST_CELLS), 9, "The fer", MOST_CELLS),
        ((), turn_of(MOST_CELLS), 8, "The fer", None),
        ((), turn_of(MOST_CELLS + 1), 12, "The fer", None),  # longer than loops are
        (("Before",), turn_of(3), 9, "The ferry of pier a", 1 + 3),
        # not the start of the next turn
        (("Before",), turn_of(3), 9, "The ferry of pier b", 1 + 3 + 1),
        ((), ("- -",), 20, "- -", None),  # a turn without a letter
        ((), ("- -",), 45, "- -", 1),
    ],
)
def test_how_many_turns_of_cells_are_a_loop(
    before: tuple[str, ...], turn: tuple[str, ...], turns: int, last: str, left: int | None
) -> None:
    cells = cells_of(*before, *turn * turns, last)
    kept = without_looped_cells(cells)
    expected = cells if left is None else cells[:left]
    if left == 1 + 3 + 1:
        expected = (*cells[: left - 1], cells[-1])
    assert kept == expected


@pytest.mark.parametrize(("turns", "is_loop"), [(20, False), (23, False), (24, True)])
def test_turns_that_differ_in_a_number_have_to_be_more(turns: int, is_loop: bool) -> None:
    cells = cells_of(*(f"{n}. The ferry leaves the harbour" for n in range(100, 101 + turns)))
    assert without_looped_cells(cells) == (cells[:1] if is_loop else cells)


@pytest.mark.parametrize(
    ("one", "other", "is_same", "is_cut"),
    [
        (("Text", "row 1 of it"), ("Text", "row 23 of it"), True, True),
        (("Title", "row"), ("Text", "row"), False, True),
        (("Text", "ro"), ("Text", "row"), False, True),
        (("Text", "row 1"), ("Text", "row 23 of it"), False, True),
        (("Text", "a row"), ("Text", "row"), False, False),
        (("Text", ""), ("Text", ""), True, False),
    ],
)
def test_what_cells_say(
    one: tuple[str, str], other: tuple[str, str], is_same: bool, is_cut: bool
) -> None:
    assert (same(one, other), is_cut_from(one, other)) == (is_same, is_cut)


def test_an_answer_that_does_not_end_in_a_text_stays_as_it_is() -> None:
    picture: Cell = {"bbox": [1, 2, 3, 4], "category": "Picture"}
    for cells in ((), (TITLE, picture)):
        answer = Answer(cells, well_formed=False)
        assert without_loop(answer) is answer
    assert (said_in(picture), said_in(TITLE)) == (("Picture", ""), ("Title", "# 제목"))
