"""What both sides name."""

import pytest

from contract import is_page_file


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
