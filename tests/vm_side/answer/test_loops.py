"""What remains of an answer that ended in a loop."""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable

import pytest

from answer.cells import Answer, Cell, parse
from answer.loops import without_loop
from rig.loops import sliding

TITLE: Cell = {"bbox": [1, 2, 30, 40], "category": "Title", "text": "# 제목"}
SENTENCE = "본 문서의 내용은 다음과 같다."


def cut(text: str) -> Answer:
    """What is left of an answer that was left in the middle of this text."""
    answer = parse(text)
    assert answer is not None
    return without_loop(answer)


def cut_in_a_text(text: str, category: str = "Table") -> str:
    """What is left of a last text in which the answer was left."""
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
    """Wherever the answer is cut: in a key, in a box, in the text."""
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
