"""Doubts from a second reader's lines about an answer."""

from __future__ import annotations

from typing import Any

import pytest

from trust.doubts import is_doubtful, trust_left
from trust.text.agreement import Agreement
from trust.text.reader_witness import kept, lines_of, reader_doubts, verdict, words_in

TEXT = "The ferry of 1904 leaves the harbour at seven in the morning"
OTHER = "Nobody on the island has counted herons since the lamps went out"
BOX = (50.0, 40.0, 650.0, 60.0)
BELOW = (50.0, 80.0, 650.0, 100.0)


def cell(text: str, box: tuple[float, ...] = BOX, category: str = "Text") -> dict[str, Any]:
    return {"bbox": list(box), "category": category, "text": text}


@pytest.mark.parametrize(
    ("text", "read", "sure", "weight", "detail"),
    [
        (TEXT, TEXT, 0.99, "none", {}),
        (TEXT, TEXT.replace("ferry", "fcrry"), 0.99, "none", {}),
        (TEXT.replace("1904", "1907"), TEXT, 0.99, "light", {"digits": 1}),
        (TEXT.replace("1904", "1907"), TEXT, 0.5, "none", {}),  # it is not sure
        (OTHER, TEXT, 0.99, "serious", {}),
        (TEXT[:38], TEXT, 0.99, "light", {}),
        ("", TEXT, 0.99, "serious", {}),
        ("dateline", "datcline", 0.99, "none", {}),
        ("$E = mc^2$", TEXT, 0.99, "serious", {}),
        ("배는 일곱 시에 항구를 떠난다", "배는일곱시에 항구를 떠난다", 0.1, "none", {}),
        ("배는 일곱 시에 항구를 떠난다", "섬에서 깨어 있는 사람은 아무도 없다", 0.1, "serious", {}),
    ],
)
def test_a_cell_against_what_is_read_in_its_place(
    text: str, read: str, sure: float, weight: str, detail: dict[str, Any]
) -> None:
    found = reader_doubts([(read, BOX, sure)], [cell(text)], "x")
    assert [doubt.cell for doubt in found] == [0] * (weight != "none")
    for doubt in found:
        assert is_doubtful(trust_left([doubt])) is (weight == "serious")
        assert doubt.detail.items() >= {**detail, "engine": "x"}.items()
        assert 0 <= doubt.detail["agreement"] <= 1


def test_a_line_that_goes_through_two_cells_is_shared() -> None:
    left, right = (
        cell("3.2", (50, 40, 100, 60)),
        cell("On herons, and what they see", (110, 40, 650, 60)),
    )
    line = ("3.2 On herons, and what they see", BOX, 0.99)
    assert reader_doubts([line], [left, right], "x") == []
    (doubt,) = reader_doubts([line], [left | {"text": "8.2"}, right], "x")
    assert (doubt.cell, doubt.detail["digits"]) == (0, 1)


def test_swapped_cells_are_both_doubted() -> None:
    lines = [(TEXT, BOX, 0.99), (OTHER, BELOW, 0.99)]
    found = reader_doubts(lines, [cell(OTHER), cell(TEXT, BELOW)], "x")
    assert [doubt.cell for doubt in found] == [0, 1]


@pytest.mark.parametrize("category", ["Formula", "Picture"])
def test_formulas_and_pictures_are_left_alone(category: str) -> None:
    assert reader_doubts([(TEXT, BOX, 0.99)], [cell(OTHER, category=category)], "x") == []


def test_nothing_is_said_where_nothing_was_read() -> None:
    assert reader_doubts([], [cell(TEXT)], "x") == []
    assert reader_doubts([("", BOX, 0.0)], [cell(TEXT)], "x") == []
    assert reader_doubts([(TEXT, BOX, 0.99)], [], "x") == []


@pytest.mark.parametrize(
    ("text", "box", "parts"),
    [
        ("ab cd", (0, 0, 100, 10), [("ab", 0, 40), ("cd", 60, 100)]),
        ("등대 ab", (0, 0, 70, 10), [("등대", 0, 40), ("ab", 50, 70)]),
        (" a", (0, 0, 20, 10), [("a", 10, 20)]),
        ("ab cd", (0, 0, 10, 100), [("ab cd", 0, 10)]),
    ],
)
def test_words_stand_where_their_part_of_the_line_is(
    text: str, box: tuple[float, float, float, float], parts: list[tuple[str, float, float]]
) -> None:
    found = [(word.text, word.bbox[0], word.bbox[2]) for word in words_in(text, box, 0.99)]
    assert found == parts


@pytest.mark.parametrize(
    ("found", "said"),
    [
        (Agreement(0.444, 1, 12, 0, 0), [(0.6, {"agreement": 0.44})]),
        (Agreement(1, 0.444, 11, 0, 0), []),  # too short
        (Agreement(0.45, 1, 12, 0, 0), [(0.15, {"agreement": 0.45})]),
        (Agreement(0.64, 1, 11, 0, 0), []),
        (Agreement(0.65, 1, 99, 0, 0), []),
        (Agreement(0.65, 1, 99, 0, 2), [(0.2, {"agreement": 0.65, "digits": 2})]),
        (Agreement(0.64, 1, 99, 0, 2), [(0.15, {"agreement": 0.64})]),
    ],
)
def test_how_much_a_cell_is_doubted(found: Agreement, said: list[Any]) -> None:
    assert list(verdict(found)) == said


@pytest.mark.parametrize(
    ("box", "sure", "words"),
    [
        ((0, 400, 60, 410), 0.85, ["to", "be"]),
        ((0, 400, 60, 410), 0.84, [""]),
        ((0, 0, 30, 30), 1, ["to", "be"]),
        ((400, 0, 410, 60), 1, ["to be"]),  # upright
    ],
)
def test_what_is_told_of_a_line(box: Any, sure: float, words: list[str]) -> None:
    assert [word.text for word in words_in("to be", box, sure)] == words


def test_a_picture_without_a_text_keeps_nobody_from_speaking() -> None:
    picture = {"bbox": [0, 500, 100, 600], "category": "Picture"}
    lines = [("Nobody ever counted the herons", BOX, 1.0)]
    cells = [picture, cell("The ferry leaves at seven o'clock")]
    assert [doubt.cell for doubt in reader_doubts(lines, cells, "engine")] == [1]


def test_what_is_kept_says_what_was_said() -> None:
    lines = [(OTHER, BOX, 0.85), (TEXT, BELOW, 0.1), ("가 나", BELOW, 0.1)]
    again = lines_of(kept(lines))
    assert [(text, sure) for text, _, sure in again] == [(OTHER, 1.0), ("", 1.0), ("가 나", 1.0)]
    cells = [cell(TEXT), cell(OTHER, BELOW)]
    assert reader_doubts(again, cells, "x") == reader_doubts(lines, cells, "x") != []


def test_a_line_over_the_edge_of_its_page_begins_there() -> None:
    (line,) = kept([(TEXT, (-3.2, 0.4, 650.0, 60.6), 0.99)])
    assert line == {"bbox": [0, 0, 650, 61], "text": TEXT}


def test_a_kept_text_is_one_line_whatever_it_says() -> None:
    """Otherwise the words after the break would be taken for another line."""
    line = {"bbox": [0, 0, 9, 9], "text": "\na\u2028b\r\n c\n"}
    assert [text for text, _, _ in lines_of([line])] == ["a b c"]
