"""The names that both sides use."""

from pathlib import Path

import pytest

from contract import is_page_file, password_from


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
