"""The length and height of a text when it is printed."""

from __future__ import annotations

import pytest

from trust.ink.ems import LOW_HEIGHT, TALL_HEIGHT, height, length
from trust.printed import printed


def long(text: str, is_formula: bool = False) -> float:
    return length(printed(text, is_formula))


@pytest.mark.parametrize(
    ("one", "other", "times"),
    [
        ("글자", "ab", 2),
        ("文字文字", "abcd", 2),
        ("WWW", "iii", 2.67),
        ("234", "abc", 1),
        ("a b\n c", "abc", 1),
        (r"$\alpha \beta$", "xx", 1),
    ],
)
def test_letters_differ_in_width(one: str, other: str, times: float) -> None:
    assert long(one) == pytest.approx(times * long(other), rel=0.05)


@pytest.mark.parametrize(("before", "after"), [("", ""), ("so that $", "$ holds")])
def test_a_small_letter_above_or_below_is_shorter(before: str, after: str) -> None:
    lengths = [
        long(f"{before}{latex}{after}", is_formula=not before) for latex in ("x", "x_{i}", "xi")
    ]
    assert lengths == sorted(set(lengths))


@pytest.mark.parametrize(
    ("text", "expected"),
    [("some one", LOW_HEIGHT), ("Some one", TALL_HEIGHT), ("2026", TALL_HEIGHT), ("한글", 0.86)],
)
def test_the_height_of_a_text(text: str, expected: float) -> None:
    assert height(text) == expected
