"""Which part of a cell's text is printed."""

from __future__ import annotations

import time

import pytest

from trust.printed import SYMBOL_SIGN, has_leaders, printed

PLAIN = "Nothing but words"


def letters_of(text: str, is_formula: bool = False) -> str:
    """The printed text without spaces, which do not matter here."""
    return "".join(printed(text, is_formula).text.split())


@pytest.mark.parametrize(
    "text",
    [
        f"# {PLAIN}",
        "- **Nothing** but `words`",
        "__Nothing__ but words",
        "Nothing but\n\n  words",
        "[Nothing but](https://example.com/a_long_address) words",
        "<table><tr><td colspan='2'>Nothing</td><td>but</td></tr><tr><td>words</td></tr></table>",
        "| Nothing | but |\n|---|:-:|\n| words | |",
        "Nothing but words ...............",
        "Nothing but words ________",
        r"Nothing but words \_\_\_\_\_\_",
        "Nothing but words ＿＿＿＿",
        "<html><body><table><caption>Nothing but</caption><tr><td>words</td></tr></table></html>",
        "![a boat](boat.png)Nothing but words",
        "Nothing &#98;ut words",
    ],
)
def test_what_is_form_is_not_printed(text: str) -> None:
    assert letters_of(text) == letters_of(PLAIN)


@pytest.mark.parametrize(
    "text", ["use <X> if 5 < 6", "C:\\Users", r"\documentclass{article}", "100 $", "a - b > c"]
)
def test_what_only_looks_like_form_is_printed(text: str) -> None:
    assert printed(text) == (text, "")


@pytest.mark.parametrize(
    ("latex", "letters", "small"),
    [
        (r"\alpha + \beta", "*+*", ""),
        (r"\frac{a}{b} = \sqrt{c}", "ab=c", ""),
        (r"\left( \mathbf{x} \right) \quad \text{word}", "(x)word", ""),
        (r"\sin \theta", "sin*", ""),
        (r"\begin{array}{lcr} a & b \\ c & d \end{array}", "abcd", ""),
        (r"x_{ij} + y^2", "xij+y2", "ij2"),
        (r"\underline{\hspace{1cm}} + \vspace*{2 em} 4", "+4", ""),
        (r"\textcolor{red}{x} \color{blue} = 1 \label{eq:one} \phantom{00}", "x=1", ""),
        (r"x^{\alpha}", "x*", "*"),
    ],
)
def test_of_latex_what_it_prints(latex: str, letters: str, small: str) -> None:
    letters, small = (part.replace("*", SYMBOL_SIGN) for part in (letters, small))
    assert letters_of(latex, is_formula=True) == letters
    assert letters_of(f"so that ${latex}$ holds") == f"sothat{letters}holds"
    for found in (printed(latex, is_formula=True), printed(f"so that \\({latex}\\) holds")):
        assert "".join(found.small.split()) == small


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Name: ______", True),
        (r"Name: \_\_\_\_", True),
        (r"some\_long\_name\_of\_a\_file", False),
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
        "\\_",
        "\\hspace{",
    ],
)
@pytest.mark.parametrize("is_formula", [False, True])
def test_a_sign_without_end_takes_no_time(sign: str, is_formula: bool) -> None:
    text = f"|{sign * (60_000 // len(sign))}a"
    started = time.process_time()
    printed(text, is_formula)
    assert time.process_time() - started < 2
