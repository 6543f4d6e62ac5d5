"""Which pages PAGES names."""

import sys

import pytest

from wanted_pages import selection_from


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("1-20,35", ((1, 20), (35, 35))),
        (" 35, 1 - 20 ", ((1, 20), (35, 35))),
        ("7", ((7, 7),)),
        ("3-", ((3, sys.maxsize),)),
        ("1-5,3-9,9", ((1, 9),)),
        ("", ((1, sys.maxsize),)),
        (" ", ((1, sys.maxsize),)),
    ],
)
def test_which_pages_are_wanted(text: str, parts: tuple[tuple[int, int], ...]) -> None:
    selection = selection_from(text)
    assert selection.parts == parts
    for pages in (0, 1, 5, 40):
        assert selection.count(pages) == sum(map(selection.has, range(pages)))
    assert selection.has(None) == selection.has(0)  # a picture is page 1


@pytest.mark.parametrize(
    "text", ["0", "-3", "3-1", "one", "1,,2", "1;2", "1-2-3", "1.5", ",", "1" * 30, "\u0661"]
)
def test_which_are_no_pages(text: str) -> None:
    with pytest.raises(ValueError, match=r"(?s).*(not a list of pages|ends before it begins)"):
        selection_from(text)
