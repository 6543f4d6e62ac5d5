"""Texts in the form in which they are compared, and their distance."""

import unicodedata

import pytest

from lib.pages.entries import Cell
from lib.score.blocks import text_of
from lib.score.texts import Edits, edits, normal, words_in

WHOLE = (0.0, 0.0, 1.0, 1.0)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("  a \n\t b\u00a0c\u3000d ", "a b c d"),
        (unicodedata.normalize("NFD", "한글 é"), "한글 é"),
        ("食 用\n油 a 表", "食用油a表"),  # line breaks in a script without spaces
        ("한 글", "한 글"),
        ("Ａ１ ﬁ ①", "Ａ１ ﬁ ①"),  # full width and ligatures stay: NFC, not NFKC
        ("**a** # b", "**a** # b"),
    ],
)
def test_normal(text: str, expected: str) -> None:
    assert normal(text) == expected


def test_words() -> None:
    assert words_in("one two, 셋 食用a") == ["one", "two,", "셋", "食", "用", "a"]
    assert words_in("") == []


@pytest.mark.parametrize(
    ("category", "text", "cells", "plain"),
    [
        ("Text", "## a **b**", "## a **b**", "a b"),
        ("Title", "# a", "# a", "a"),
        ("List-item", "- a\n- b", "- a - b", "a b"),
        ("Picture", "a", "", ""),
        ("Table", "<table><tr><td>a<td>b<tr><td>c</table>", "a b c", "a b c"),
        ("Table", "a | b", "a | b", "a | b"),
        ("Formula", "$$\n\\frac{a}{b} = c\n$$", r"\frac{a}{b}=c", r"\frac{a}{b}=c"),
        ("Formula", r"\[ x \]", "x", "x"),
        ("Formula", "$x$ and $y$", "x$and$y", "x$and$y"),
        ("Formula", "x + y", "x+y", "x+y"),
    ],
)
def test_the_text_of_a_cell_is_by_its_category(
    category: str, text: str, cells: str, plain: str
) -> None:
    cell = Cell(WHOLE, category, text)
    assert (text_of(cell, is_plain=False), text_of(cell, is_plain=True)) == (cells, plain)


@pytest.mark.parametrize(
    ("true", "told", "expected"),
    [
        ("", "", (0, 0, 0.0)),
        ("", "ab", (2, 0, 1.0)),
        ("ab", "", (2, 2, 1.0)),
        ("kitten", "sitting", (3, 6, 0.5)),
        ("a", "abc", (2, 1, 2.0)),
        (["one", "two"], ["one", "too"], (1, 2, 0.5)),
    ],
)
def test_edits(true: str, told: str, expected: tuple[int, int, float]) -> None:
    found = edits(true, told)
    assert found is not None
    assert (found.errors, found.of, found.rate) == expected


def test_edits_add_up() -> None:
    assert Edits(1, 10) + Edits(0, 90) == Edits(1, 100)


def test_what_would_take_minutes_is_not_begun() -> None:
    long = "ab" * 500_000
    assert edits(long, long[::-1]) is None
    assert edits(long, long) == Edits(0, 1_000_000)
    assert edits(long, "b") == Edits(999_999, 1_000_000)
