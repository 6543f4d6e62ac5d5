"""What a PDF's text layer says against an answer."""

from __future__ import annotations

from typing import Any

import pytest

from picture.words import Word
from trust.doubts import Doubt, is_doubtful, trust_left
from trust.text.layer_witness import text_layer_doubts

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
    """The words of lines below each other, and a true cell for each."""
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
        ({"bbox": [45, 45, 690, 55]}, "none"),  # thin, but the words' middles are in it
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
        (4, LINES[4].replace("25", "52"), 0),  # the same digits
        (4, LINES[4].replace("25", "25 ^{1}"), 0),  # a note's sign
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
    """A cell may say more than the layer where that does not tell all, and never less."""
    top = CELLS[0]["bbox"][1]
    words = [*WORDS, Word("", (50, top + HIGH, 690, top + 2 * HIGH))]
    more = {"bbox": [50, top, 690, top + 2 * HIGH]}
    cells = [CELLS[0] | more | {"text": f"{LINES[0]} as the picture says, at least on Sundays"}]
    assert text_layer_doubts(words, cells + CELLS[1:]) == []
    (doubt,) = text_layer_doubts(words, [cells[0] | {"text": "as the picture says"}, *CELLS[1:]])
    assert doubt.cell == 0


def test_a_layer_of_another_script_than_the_answer_is_no_witness() -> None:
    """Read by a wrong table, Latin letters come out as Han."""
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
