"""What both sides name."""

import sys
from pathlib import Path

import pytest

from contract import (
    is_page_file,
    page_of_picture,
    password_from,
    picture_name,
    picture_number,
    picture_paths,
    printable,
    selection_from,
)
from reading import say


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
    ("page", "name", "path"),
    [
        ("100dpi/page1/page1", "2.png", "100dpi/page1/pictures/2.png"),
        ("page1/page1", "2.png", "page1/pictures/2.png"),
        ("report/report_page_0", "page_0_2.png", "report/pictures/page_0_2.png"),
        ("a.pdf/a.pdf_page_11", "page_11_2.png", "a.pdf/pictures/page_11_2.png"),
        ("page_1/page_1_page_0", "page_0_2.png", "page_1/pictures/page_0_2.png"),
        ("pictures/pictures", "2.png", "pictures/pictures/2.png"),
        ("한글 1/한글 1", "2.png", "한글 1/pictures/2.png"),
    ],
)
def test_how_a_picture_is_called_and_whose_it_is(page: str, name: str, path: str) -> None:
    assert picture_name(page, 2) == name and picture_number(name) == picture_number(path) == 2
    assert picture_paths(page, [name]) == [path]
    assert page_of_picture(path) == page
    jpeg = name.replace(".png", ".jpg")
    assert picture_name(page, 2, ".jpg") == jpeg
    assert picture_paths(page, [picture_name(page, 10), jpeg, name, name])[:2] == [
        path.replace(".png", ".jpg"),
        path,
    ]


@pytest.mark.parametrize(
    "name",
    [
        *("../1.png", "/etc/1.png", "a/1.png", "1.png/..", "..", "", ".png", "1.gif", "1.PNG"),
        *("0.png", "01.png", "-1.png", "1.png\n", "1 .png", "\u0661.png", "1\0.png", "1.png.part"),
        *("1234567.png", "page_0_1.png", "page_1_1.png", "page__1.png", "\ud800.png"),
        *(1, None, ["2.png"], {"1.png": 1}, 1e999),
    ],
)
def test_what_is_no_picture_of_this_page(name: object) -> None:
    assert picture_paths("a/a", [name, "7.png"]) == ["a/pictures/7.png"]


@pytest.mark.parametrize("names", [None, "1.png", {"1.png": 1}, 1, [["1.png"]]])
def test_what_is_no_list_of_pictures(names: object) -> None:
    assert picture_paths("a/a", names) == []


@pytest.mark.parametrize(
    "path",
    [
        "1.png",
        "pictures/1.png",
        "a/1.png",
        "a/pictures/x.png",
        "a/pictures/b/1.png",
        "/pictures/1.png",
    ],
)
def test_a_file_that_is_nobodys_picture(path: str) -> None:
    assert page_of_picture(path) == ""


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
    with pytest.raises(ValueError, match=r"(?s).*(no list of pages|ends before it begins)"):
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


@pytest.mark.parametrize(
    ("said", "told"),
    [
        ("쪽 1.png\tok\n", "쪽 1.png\tok\n"),
        ("\x1b]0;owned\x07.png", "\ufffd]0;owned\ufffd.png"),
        ("\x9b2J\x7f\r", "\ufffd2J\ufffd\ufffd"),
        ("\u202egnp.exe", "\ufffdgnp.exe"),  # what is read from right to left
        ("\udcff.png", "\ufffd.png"),  # a byte of a name that is no text
        ({"a\x1b": ["b\x1b", 1, None]}, {"a\ufffd": ["b\ufffd", 1, None]}),
    ],
)
def test_what_a_terminal_would_obey_is_not_told(said: object, told: object) -> None:
    assert printable(said) == told


def test_the_batch_says_names_so(capsys: pytest.CaptureFixture[str]) -> None:
    say("failed: \x1b[2J.png: no picture")
    assert capsys.readouterr().err == "failed: \ufffd[2J.png: no picture\n"
