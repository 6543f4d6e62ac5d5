"""The names of a page's picture files."""

import pytest

from picture_files import page_of_picture, picture_name, picture_number, picture_paths


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
