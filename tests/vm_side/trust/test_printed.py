"""How long a cell's text is where it is printed."""

from __future__ import annotations

import time

import pytest

from trust.printed import LOW_HEIGHT, TALL_HEIGHT, has_leaders, height, length

PLAIN = "Nothing but words"


@pytest.mark.parametrize(
    "text",
    [
        f"# {PLAIN}",
        "- **Nothing** but `words`",
        "Nothing but\n\n  words",
        "[Nothing but](https://example.com/a_long_address) words",
        "<table><tr><td colspan='2'>Nothing</td><td>but</td></tr><tr><td>words</td></tr></table>",
        "| Nothing | but |\n|---|:-:|\n| words | |",
        "Nothing but words ...............",
        "Nothing but words ________",
        "![a boat](boat.png)Nothing but words",
        "Nothing &#98;ut words",
    ],
)
def test_signs_that_are_not_printed_have_no_length(text: str) -> None:
    assert length(text) == pytest.approx(length(PLAIN), rel=0.01)


def test_what_only_looks_like_html_is_printed() -> None:
    assert length("use <X> if 5 < 6") > length("use if 5 6") + length("X")


@pytest.mark.parametrize(
    ("one", "other", "times"),
    [("글자", "ab", 2), ("文字文字", "abcd", 2), ("WWW", "iii", 2.67), ("234", "abc", 1)],
)
def test_letters_differ_in_width(one: str, other: str, times: float) -> None:
    assert length(one) == pytest.approx(times * length(other), rel=0.05)


@pytest.mark.parametrize(
    ("latex", "printed"),
    [
        (r"\alpha + \beta", "x+x"),
        (r"\frac{a}{b} = \sqrt{c}", "ab=c"),
        (r"\left( \mathbf{x} \right) \quad \text{word}", "(x)word"),
        (r"\sin \theta", "sinx"),
        (r"\begin{array}{lcr} a & b \\ c & d \end{array}", "abcd"),
    ],
)
def test_latex_is_as_long_as_what_it_prints(latex: str, printed: str) -> None:
    assert length(latex, is_formula=True) == pytest.approx(length(printed), rel=0.01)
    assert length(f"so that ${latex}$ holds") == pytest.approx(length(f"so that {printed} holds"))


def test_a_small_letter_above_or_below_is_shorter() -> None:
    assert length("x", True) < length("x_{i}", True) < length("xi", True)


@pytest.mark.parametrize(
    ("text", "expected"),
    [("some one", LOW_HEIGHT), ("Some one", TALL_HEIGHT), ("2026", TALL_HEIGHT), ("한글", 0.86)],
)
def test_the_height_of_a_text(text: str, expected: float) -> None:
    assert height(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Name: ______", True),
        ("2 Rain . . . . . 7", True),
        (r"= 2 \cdot \cdot\cdot \cdot 1", True),
        ("No. Yes.", False),
        ("a -- b", False),
    ],
)
def test_leaders(text: str, expected: bool) -> None:
    assert has_leaders(text) is expected


@pytest.mark.parametrize(
    "sign",
    [
        "$",
        "\\(",
        "\\[",
        "[",
        "![",
        "](",
        "<td",
        "&",
        "_{",
        "^",
        "\n",
        "|\n",
        ". ",
        "\\begin{",
        "\\text",
    ],
)
@pytest.mark.parametrize("is_formula", [False, True])
def test_a_sign_without_end_takes_no_time(sign: str, is_formula: bool) -> None:
    text = f"|{sign * (60_000 // len(sign))}a"
    started = time.process_time()
    length(text, is_formula)
    assert time.process_time() - started < 2
