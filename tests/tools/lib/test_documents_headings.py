"""One level for each kind of heading, on all pages of a document."""

import pytest

from lib.documents.headings import Heading, bare, letter_size, levels

BODY, SMALL, MIDDLE, LARGE = 0.010, 0.012, 0.016, 0.022


def section(text: str, size: float = MIDDLE) -> Heading:
    return Heading(text, False, size)


def sections(*texts: str) -> list[Heading]:
    return [section(text) for text in texts]


def title(text: str, size: float = LARGE) -> Heading:
    return Heading(text, True, size)


@pytest.mark.parametrize(
    ("headings", "expected"),
    [
        # the model's marks differ between pages: numbers decide
        ([title("# A"), section("## 1 B"), section("# 1.1 C"), section("### 2 D")], [1, 2, 3, 2]),
        ([section("## 1. B"), section("## 1.1. C"), section("## 1.1.1 D")], [1, 2, 3]),
        (sections("제1장 총칙", "제1절 통칙", "제1조(목적)", "제2장 벌칙"), [1, 2, 3, 1]),
        (sections("Ⅰ. 개요", "1. 배경", "가. 현황", "1) 국내", "가) 서울"), [1, 2, 3, 4, 5]),
        ([section("Chapter 3 X"), section("3.1 Y"), section("3.1.2 Z")], [1, 2, 3]),
        # without a number: the level of numbered headings of the same size
        ([title("A"), section("Abstract"), section("1 B"), section("1.1 C", SMALL),
          section("References")], [1, 2, 2, 3, 2]),
        ([section("1 B"), section("1.1 C", SMALL), section("A box", 0.0125)], [1, 2, 2]),
        # a size that no other heading has
        ([section("1 B"), section("1.1 C", SMALL), section("Aside", 0.009)], [1, 2, 3]),
        ([section("Volume one", LARGE), section("1 B"), section("1.1 C", SMALL)], [1, 2, 3]),
        # no numbers at all: marks decide, and size decides where a page has other marks
        ([section("# A", LARGE), section("## B"), section("### C", SMALL), section("## D")],
         [1, 2, 3, 2]),
        ([section("# A", LARGE), section("## B"), section("## C"), section("# D", MIDDLE),
          section("# E", LARGE)], [1, 2, 2, 2, 1]),
        ([section("A", 0.0), section("B", 0.0)], [1, 1]),
        # a year is not a section number
        ([title("A"), section("1 B"), section("2024 results")], [1, 2, 2]),
        ([title("A"), title("B"), section("C")], [1, 1, 2]),
        ([section(f"{'1.' * depth}1 x") for depth in range(5)], [1, 2, 3, 4, 5]),
        ([], []),
    ],
)  # fmt: skip
def test_levels(headings: list[Heading], expected: list[int]) -> None:
    assert levels(headings) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("## A  heading\nin two lines ", "A heading in two lines"),
        ("# **Bold**", "Bold"),
        ("#1 in the world", "#1 in the world"),
        ("#", ""),
        ("A **bold** word", "A **bold** word"),
    ],
)
def test_bare(text: str, expected: str) -> None:
    assert bare(text) == expected


@pytest.mark.parametrize(
    ("text", "width", "height", "size"),
    [
        ("a heading of one line, twenty!", 0.15, 0.01, 0.01),
        ("a heading of one line, twenty!" * 2, 0.15, 0.022, 0.01),
        ("제목 한 줄입니다", 0.085, 0.01, 0.01),
        ("", 0.1, 0.1, 0.0),
        ("no box", 0.0, 0.0, 0.0),
    ],
)
def test_letter_size(text: str, width: float, height: float, size: float) -> None:
    assert letter_size(text, width, height) == pytest.approx(size, rel=0.05)
