"""What both sides name."""

import sys
from pathlib import Path

import pytest

from contract import is_page_file, password_from, selection_from


@pytest.mark.parametrize(
    ("name", "is_page"),
    [
        ("a.png", True),
        ("A.PNG", True),
        ("b.Jpeg", True),
        ("c.jpg", True),
        ("d.pdf", True),
        (".e.png", False),
        ("f.txt", False),
        ("png", False),
        ("g.png.part", False),
    ],
)
def test_page_files_are_told_by_their_ending(name: str, is_page: bool) -> None:
    assert is_page_file(name) == is_page


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


@pytest.mark.parametrize(
    ("content", "password"),
    [("two words\n", "two words"), (" blanks \r\n", " blanks "), ("한글", "한글"), ("a\nb", None)],
)
def test_a_password_is_one_line(tmp_path: Path, content: str, password: str | None) -> None:
    (tmp_path / "file").write_bytes(content.encode())
    if password is not None:
        assert password_from("", str(tmp_path / "file")) == password
        assert password_from("given", str(tmp_path / "file")) == "given"
        return
    with pytest.raises(ValueError, match="PDF_PASSWORD") as error:
        password_from("", str(tmp_path / "file"))
    assert "a" + chr(10) not in str(error.value)
