"""Boxes and texts in other forms than the model should write: what was read is kept."""

from __future__ import annotations

import json
from typing import Any

import pytest

from answer.boxes import box_of
from answer.cells import NESTED, ODD_BOX, ODD_NAME, ODD_TEXT, parse

BOX = [10, 20, 110, 60]


@pytest.mark.parametrize(
    "written",
    [
        [[10, 20], [110, 20], [110, 60], [10, 60]],
        [[110, 60], [10, 60], [10, 20], [110, 20]],
        [10, 20, 110, 20, 110, 60, 10, 60],
        [[10, 20], [110, 60]],
        [[10, 20, 110, 60]],
        [[[10, 20], [110, 20], [110, 60], [10, 60]]],
        [[10, 40], [60, 20], [110, 40], [60, 60], [15, 50]],
        [{"x": 10, "y": 20}, {"x": 110, "y": 60}],
        "[10, 20, 110, 60]",
        "10, 20, 110, 60",
        "10 20 110 60",
        "(10,20),(110,60)",
        {"x1": 10, "y1": 20, "x2": 110, "y2": 60},
        {"x0": 10, "y0": 20, "x1": 110, "y1": 60},
        {"xmin": 10, "ymin": 20, "xmax": 110, "ymax": 60},
        {"left": 10, "top": 20, "right": 110, "bottom": 60},
        {"x": 10, "y": 20, "width": 100, "height": 40},
        {"left": 10, "top": 20, "width": 100, "height": 40},
        {"x": 10, "y": 20, "w": 100, "h": 40},
    ],
    ids=str,
)
def test_a_box_in_another_form(written: Any) -> None:
    assert box_of(written) == BOX
    answer = parse(json.dumps([{"bbox": written, "category": "Text", "text": "x"}]))
    assert answer is not None
    assert [cell["bbox"] for cell in answer.cells] == [BOX]
    assert (answer.well_formed, answer.notes) == (False, (ODD_BOX,))


def test_numbers_in_a_text_may_have_fractions_and_end_at_a_thousand_characters() -> None:
    assert box_of("1, 2.5, 3, 4.") == [1, 2.5, 3, 4]
    long = "10, 20, 110, 60".ljust(1000)
    assert box_of(long) == BOX and box_of(long + " ") is None


@pytest.mark.parametrize(
    "written",
    [
        *([], [1], [1, 2, 3], [1, 2, 3, 4, 5], [[1, 2]], [[1, 2], [3]], [[1, 2], 3, 4, 5, 6]),
        *("", "1, 2, 3", "1, 2, 3, 4 pixels", "x1=1, y1=2, x2=3, y2=4", "[" * 2000),
        *({}, {"x1": 1}, {"x1": 1, "y1": 2, "x2": 3, "y2": "far"}, {"x": 1, "y": 2}),
        *(None, 7, True, [True, 2, 3, 4], [1e9, 2, 3, 4], [[1, 2], [3, float("nan")]]),
    ],
    ids=lambda written: str(written)[:30],
)
def test_what_is_no_box(written: Any) -> None:
    assert box_of(written) is None


@pytest.mark.parametrize(
    "cut",
    [
        '"bbox": [[10, 20], [110, 20], [11',
        '"bbox": [[10, 20], [110, 20]',
        '"bbox": "[10, 20, 110, 6',
        '"bbox": {"x1": 10, "y1": 20, "x2": 110, "y2": 6',
    ],
)
def test_a_cell_cut_in_such_a_box_is_dropped(cut: str) -> None:
    whole = '{"bbox": [10, 20, 110, 60], "category": "Title", "text": "# one"}'
    answer = parse(f"[{whole}, {{{cut}")
    assert answer is not None
    assert [cell["text"] for cell in answer.cells] == ["# one"]


@pytest.mark.parametrize(
    ("written", "text"),
    [
        ("2024", "2024"),
        ("12.50", "12.50"),
        ("-0.10", "-0.10"),
        ("1e5", "1e5"),
        ("123456789012345678901234567890", "123456789012345678901234567890"),
        ("true", "true"),
        ('["first", "second"]', "first\nsecond"),
        ('["first", 2, 3.50, null]', "first\n2\n3.50\n"),
        ('[["a", "b"], ["c", 1]]', "a b\nc 1"),
        ('{"name": "Kim", "age": 30}', "name: Kim\nage: 30"),
        ('{"합계": ["1", "2"]}', "합계: 1 2"),
        (r'["\ud83d"]', "�"),
    ],
)
@pytest.mark.parametrize("end", ["]", ""], ids=["well-formed", "damaged"])
def test_a_text_that_is_no_string_is_kept(written: str, text: str, end: str) -> None:
    answer = parse(f'[{{"bbox": [10, 20, 110, 60], "category": "Text", "text": {written}}}{end}')
    assert answer is not None
    assert answer.cells[0]["text"] == text
    assert ODD_TEXT in answer.notes and not answer.well_formed


def test_null_is_no_text() -> None:
    answer = parse('[{"bbox": [10, 20, 110, 60], "category": "Picture", "text": null}]')
    assert answer is not None
    assert list(answer.cells) == [{"bbox": BOX, "category": "Picture"}]
    assert (answer.well_formed, answer.notes) == (True, ())


# ---- what stands where no cell was expected ----

CELL = {"bbox": BOX, "category": "Text", "text": "one"}
OTHER = {"bbox": [10, 80, 110, 120], "category": "Title", "text": "two"}


def read(answer: Any) -> tuple[list[Any], bool, tuple[str, ...]]:
    """The cells of an answer, whether it was well-formed, and the notes."""
    found = parse(answer if isinstance(answer, str) else json.dumps(answer))
    assert found is not None
    return list(found.cells), found.well_formed, found.notes


@pytest.mark.parametrize(
    "answer",
    [
        [{**CELL, "children": [OTHER]}],
        [{**CELL, "child": OTHER}],
        {**CELL, "children": [OTHER]},
        [{"page": 1, "cells": [CELL, OTHER]}],
        [[CELL, OTHER]],
        '[{"bbox": [10, 20, 110, 60], "category": "Text", "text": "one",'
        ' "bbox": [10, 80, 110, 120], "category": "Title", "text": "two"}]',
    ],
)
def test_cells_inside_others_are_kept(answer: Any) -> None:
    assert read(answer) == ([CELL, OTHER], False, (NESTED,))


@pytest.mark.parametrize(
    "answer", [[CELL, ["a note", OTHER]], [{**CELL, "children": ["a note", OTHER]}]]
)
def test_what_is_no_cell_leaves_the_cells_beside_it(answer: Any) -> None:
    assert read(answer)[::2] == ([CELL, OTHER], (NESTED, "1 incomplete cells dropped"))


def test_cells_inside_others_are_kept_however_deep() -> None:
    answer: dict[str, Any] = {}
    for number in reversed(range(100)):
        answer = {**CELL, "text": f"{number}", "children": [answer]}
    assert [cell["text"] for cell in read([answer])[0]] == [f"{number}" for number in range(100)]


def test_cells_in_the_place_of_a_text() -> None:
    cells, _, notes = read([{**CELL, "text": [OTHER, OTHER | {"text": "three"}]}])
    assert [cell.get("text") for cell in cells] == [None, "two", "three"] and notes == (NESTED,)


def test_a_second_text_goes_on_with_the_first() -> None:
    answer = '[{"bbox": [10, 20, 110, 60], "category": "Text", "text": "one", "text": "more"}]'
    assert read(answer)[0] == [CELL | {"text": "one\nmore"}]
    assert read(answer.rstrip("]") + ', {"bbox":')[0] == [CELL | {"text": "one\nmore"}]


@pytest.mark.parametrize(
    ("first", "second", "both"),
    [
        ('"one"', "12.50", "one\n12.50"),
        ("1", '"more"', "1\nmore"),
        ('["one", "two"]', '"more"', "one\ntwo\nmore"),
        ('"one"', "null", "one"),
        ("null", '"more"', "more"),
        ('""', '"more"', "more"),
        ('"one"', '""', "one"),
    ],
)
def test_two_texts_may_be_of_any_form(first: str, second: str, both: str) -> None:
    answer = f'[{{"bbox": {BOX}, "category": "Text", "text": {first}, "text": {second}}}]'
    assert [cell["text"] for cell in read(answer)[0]] == [both]


def test_a_text_by_another_name_is_kept() -> None:
    named = {"bbox": BOX, "category": "Text", "content": "one"}
    assert read([named]) == ([CELL], False, (ODD_NAME,))
    bare = {"bbox": BOX, "category": "Text", "language": "en"}
    for other in (bare, {**named, "category": "Picture"}, {**CELL, "content": "x"}):
        assert ODD_NAME not in read([other])[2]
    for empty in ("", None):
        assert read([{**named, "text": empty}]) == ([CELL], False, (ODD_NAME,))
        assert ODD_NAME not in read([{**bare, "text": empty}])[2]
        assert read([{**bare, "content": empty, "value": 0}])[0][0]["text"] == "0"


@pytest.mark.parametrize("wrapped", ["[%s]", "```json\n[%s]\n```"])
def test_the_names_in_a_cell_may_be_in_any_case(wrapped: str) -> None:
    for spelt in (str.upper, str.title):
        cell = json.dumps({spelt(name): value for name, value in CELL.items()})
        cells, _, notes = read(wrapped % cell)
        assert (cells, notes) == ([CELL], ())
    assert read([{**CELL, "text": {"Name": "Kim"}}])[0][0]["text"] == "Name: Kim"


@pytest.mark.parametrize("name", ["bbox", "text", "children"])
def test_what_is_nested_too_deeply_is_dropped(name: str) -> None:
    deep = json.dumps({**CELL, name: "?"}).replace('"?"', "[" * 900 + "1" + "]" * 900)
    deeper = json.dumps({**CELL, name: "?"}).replace(
        '"?"', '{"bbox": 1, "a": ' * 90 + "1" + "}" * 90
    )
    for odd in (deep, deeper):
        assert OTHER in read(f"[{odd}, {json.dumps(OTHER)}]")[0]
