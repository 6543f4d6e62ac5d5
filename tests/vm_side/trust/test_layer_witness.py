"""Doubts from a PDF's text layer about an answer."""

from __future__ import annotations

from typing import Any

import numpy
import pytest

from picture.words import Box, Word
from trust.doubts import Doubt, is_doubtful, trust_left
from trust.text.agreement import Agreement
from trust.text.compared import Under
from trust.text.layer_witness import follows, is_foreign, missed, text_layer_doubts, verdict

WIDE, HIGH = 12, 20  # pixels of a letter and of a line
LINES = [
    "The ferry leaves the harbour at seven in the morning",
    "and returns before the lights of 1904 lamps go out.",
    "Nobody on the island has ever counted the herons,",
    "since they stand still only as long as nobody looks.",
    "A ticket costs 25 shillings, and children go free.",
    "섬에는 등대가 두 개 있고 하나는 꺼져 있다",
]


def laid_out(lines: list[str]) -> tuple[list[Word], list[dict[str, Any]]]:
    """The words of lines below one another, and a true cell for each line."""
    words, cells = [], []
    for number, line in enumerate(lines):
        x, top = 50, 40 + 3 * HIGH * number
        for text in line.split():
            words.append(Word(text, (x, top, x + WIDE * len(text), top + HIGH)))
            x += WIDE * (len(text) + 1)
        box = [50, top, x - WIDE, top + HIGH]
        cells.append({"bbox": box, "category": "Text", "text": line})
    return words, cells


WORDS, CELLS = laid_out(LINES)


def doubts_with(number: int, **changes: Any) -> list[Doubt]:
    cells = [cell | changes if at == number else cell for at, cell in enumerate(CELLS)]
    return text_layer_doubts(WORDS, cells)


def test_a_true_answer_is_not_doubted() -> None:
    assert text_layer_doubts(WORDS, CELLS) == []


@pytest.mark.parametrize(
    ("change", "weight"),
    [
        ({"text": LINES[3]}, "serious"),
        ({"text": ""}, "serious"),
        ({"text": LINES[0][: len(LINES[0]) // 3]}, "serious"),
        ({"text": LINES[0][: 2 * len(LINES[0]) // 3]}, "light"),
        ({"text": f"{LINES[0]} {LINES[0]}"}, "light"),
        ({"text": LINES[0].upper().replace(" ", "\n")}, "none"),
        ({"text": f"## **{LINES[0]}**"}, "none"),
        ({"text": "E = mc^2", "category": "Formula"}, "none"),
        ({"category": "Picture", "text": LINES[3]}, "none"),
        ({"bbox": [45, 45, 690, 55]}, "none"),  # thin, but it contains the middles of the words
        ({"bbox": [50, 52, 690, 62]}, "none"),  # a little too low
        ({"bbox": [690, 60, 50, 40]}, "none"),
    ],
)
def test_a_cell_against_the_words_under_its_box(change: dict[str, Any], weight: str) -> None:
    found = doubts_with(0, **change)
    assert [doubt.cell for doubt in found] == [0] * (weight != "none")
    if found:
        assert is_doubtful(trust_left(found)) is (weight == "serious")
        assert found[0].bbox == tuple(CELLS[0]["bbox"])
        assert found[0].detail.keys() == {"precision", "recall"}


@pytest.mark.parametrize(
    ("number", "text", "changed"),
    [
        (1, LINES[1].replace("1904", "1907"), 1),
        (4, LINES[4].replace("25", "52"), 0),  # the same digits in another order
        (4, LINES[4].replace("25", "25 ^{1}"), 0),  # the sign of a note
        (0, LINES[0], 0),
    ],
)
def test_another_digit_is_told_where_the_rest_agrees(number: int, text: str, changed: int) -> None:
    found = doubts_with(number, text=text)
    assert [doubt.detail.get("digits") for doubt in found] == [changed] * (changed > 0)
    assert not is_doubtful(trust_left(found))


def test_words_of_no_cell_are_missed_as_one_block() -> None:
    found = text_layer_doubts(WORDS, [cell for at, cell in enumerate(CELLS) if at not in (2, 5)])
    assert [doubt.cell for doubt in found] == [None, None]
    assert [list(doubt.bbox) for doubt in found] == [CELLS[2]["bbox"], CELLS[5]["bbox"]]
    assert found[0].detail == {"words": len(LINES[2].split())}
    assert is_doubtful(trust_left(found))


def test_what_another_witness_missed_is_not_missed_again() -> None:
    told = [Doubt("missed", tuple(CELLS[2]["bbox"]), None, 0.6)]
    assert text_layer_doubts(WORDS, CELLS[:2] + CELLS[3:], told) == []


def test_a_pages_number_may_be_left_out() -> None:
    words = [*WORDS, Word("17", (300, 800, 324, 820))]
    assert text_layer_doubts(words, CELLS) == []


def test_under_a_picture_nothing_is_known_of_what_else_is_said() -> None:
    """Where the layer is incomplete, a cell may say more than the layer, but never less."""
    top = CELLS[0]["bbox"][1]
    words = [*WORDS, Word("", (50, top + HIGH, 690, top + 2 * HIGH))]
    more = {"bbox": [50, top, 690, top + 2 * HIGH]}
    cells = [CELLS[0] | more | {"text": f"{LINES[0]} as the picture says, at least on Sundays"}]
    assert text_layer_doubts(words, cells + CELLS[1:]) == []
    (doubt,) = text_layer_doubts(words, [cells[0] | {"text": "as the picture says"}, *CELLS[1:]])
    assert doubt.cell == 0


def test_a_layer_of_another_script_than_the_answer_is_no_witness() -> None:
    """With a wrong table, Latin letters come out as Han."""
    words = [Word("渡船七点离港岛上没人", word.bbox) for word in WORDS]
    assert text_layer_doubts(words, CELLS[:5]) == []
    assert text_layer_doubts(words, [cell | {"text": LINES[5] * 2} for cell in CELLS])


def test_a_page_about_latex_has_its_commands() -> None:
    words, cells = laid_out(
        [r"\\documentclass and \\paragraph stand before \\begin{document}", *LINES]
    )
    assert text_layer_doubts(words, cells) == []


def test_nothing_is_said_of_an_answer_without_texts() -> None:
    layout = [{"bbox": cell["bbox"], "category": "Text"} for cell in CELLS[1:]]
    assert text_layer_doubts(WORDS, layout) == []
    assert text_layer_doubts((), CELLS) == []
    assert text_layer_doubts(WORDS, []) == []


def test_a_cell_without_area_does_not_end_it() -> None:
    found = doubts_with(0, bbox=[50, 40, 50, 40])
    assert [doubt.cell for doubt in found] == [0, None]


@pytest.mark.parametrize(
    ("found", "weight"),
    [
        (Agreement(0.456, 1, 12, 0, 0), 0.6),
        (Agreement(1, 0.456, 12, 0, 0), 0.6),
        (Agreement(0.456, 1, 11, 0, 0), 0.15),  # too short to be another reading
        (Agreement(0.5, 1, 99, 0, 0), 0.15),
        (Agreement(0.79, 1, 99, 0, 0), 0.15),
        (Agreement(0.8, 1, 99, 0, 0), None),
        (Agreement(1, 0.9, 999, 19.9, 0), None),
        (Agreement(1, 0.9, 999, 20, 0), 0.15),
        (Agreement(1, 1, 99, 0, 1), 0.2),
    ],
)
def test_how_much_a_cell_is_doubted(found: Agreement, weight: float | None) -> None:
    detail = {"precision": round(found.precision, 2), "recall": round(found.recall, 2)}
    if found.digits:
        detail["digits"] = found.digits
    assert verdict(found) == (None if weight is None else (weight, detail))


BEFORE = (100, 100, 200, 120)


@pytest.mark.parametrize(
    ("box", "before", "is_next"),
    [
        ((259, 100, 300, 120), BEFORE, True),  # on its line, at most three letters apart
        ((260, 100, 300, 120), BEFORE, False),
        ((265, 100, 300, 120), BEFORE, False),
        ((10, 100, 41, 120), BEFORE, True),
        ((0, 100, 39, 120), BEFORE, False),
        ((100, 139, 200, 159), BEFORE, True),  # below, less than a line apart
        ((100, 140, 200, 160), BEFORE, False),
        ((100, 60, 200, 79), BEFORE, False),  # above
        ((500, 110, 600, 130), BEFORE, False),
        ((500, 111, 600, 131), BEFORE, True),  # in the next line, at any place
        ((216, 100, 221, 120), BEFORE, False),  # measured by the smallest of their sides
        ((100, 128, 200, 134), BEFORE, False),
        ((100, 110, 200, 130), (100, 100, 200, 104), False),
        ((100, 101.5, 200, 110), (100, 100, 200, 100), False),
    ],
)
def test_which_word_is_of_the_same_block(box: Box, before: Box, is_next: bool) -> None:
    assert follows(box, before) is is_next


def test_two_lines_that_are_far_apart_are_missed_one_by_one() -> None:
    """Only lines that are long enough."""
    words = [Word("as it is read", (10, top, 90, top + 20)) for top in (0, 200)]
    read = [["sixteenletterson"], ["fifteenletters1"]]
    found = list(missed([0, 1], words, read))
    assert [doubt.bbox for doubt in found] == [(10, 0, 90, 20)]
    read[1] = ["seventeen", "letters1"]
    found = list(missed([0, 1], words, read))
    assert [doubt.bbox for doubt in found] == [(10, 0, 90, 20), (10, 200, 90, 220)]
    assert [doubt.detail for doubt in found] == [{"words": 1}, {"words": 2}]


@pytest.mark.parametrize(
    ("said", "read", "foreign"),
    [
        ("abc", "가", True),
        ("", "가", True),
        ("abc", "가나ab", False),  # half of it
        ("abcdefghi가", "가나", False),  # a tenth
        ("abc", "abc", False),
    ],
)
def test_which_layer_is_of_another_script(said: str, read: str, foreign: bool) -> None:
    assert is_foreign(Under([[said]], [[read]], numpy.array([-1]), {})) is foreign
