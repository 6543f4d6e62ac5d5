"""The files of a page that a person has corrected: its pictures, and its drawing."""

import io
from dataclasses import replace
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from corrected_page import NO_PICTURE, Job, Places, embedded_in, written
from picture_files import AS_FILES, INLINE, LEFT_OUT, PICTURE_FORMS
from results.files import Wanted, pictured, results_of
from results.manifest import Record

SIZE = (300, 400)
TEXT = {"bbox": [5, 5, 90, 20], "category": "Text", "text": "![](data:image/png;base64,)"}
FORMULA = {"bbox": [5, 5, 90, 20], "category": "Formula", "text": "x^2"}
NOTHING = {"bbox": [5, 5, 5, 20], "category": "Picture"}


def picture(*box: int) -> dict[str, Any]:
    return {"bbox": list(box), "category": "Picture"}


CELLS = [TEXT, picture(10, 20, 110, 140), FORMULA, NOTHING, picture(150, 200, 290, 390)]


class Desk:
    """A page below an input, and its results."""

    def __init__(self, folder: Path, mode: str, form: str) -> None:
        gray = Image.radial_gradient("L").resize(SIZE)
        white = Image.new("L", SIZE, "white")
        self.page = gray if mode == "L" else Image.merge("RGB", (gray, white, gray))
        self.form = form
        self.input, self.output = folder / "in", folder / "out"
        self.input.mkdir()
        self.page.save(self.input / "a.png")
        found = sha256((self.input / "a.png").read_bytes()).hexdigest()
        self.record = Record("a/a", "a.png", None, "ok", sha256=found, original_size=list(SIZE))
        files = self.expected(*CELLS)
        self.record = replace(self.record, **pictured(CELLS, files, self.wanted()))
        for name, content in files.items():
            (self.output / name).parent.mkdir(parents=True, exist_ok=True)
            (self.output / name).write_bytes(content)

    def wanted(self, drawing: bool = False) -> Wanted:
        return Wanted("a/a", drawing, self.form)

    def expected(self, *cells: dict[str, Any], drawing: bool = False) -> dict[str, bytes]:
        """The files as made from the page itself."""
        return results_of(list(cells), self.page, self.wanted(drawing))

    def written(self, *cells: dict[str, Any], is_given: bool = False) -> dict[str, bytes] | str:
        """The files of these cells, or the reason why there are none."""
        places = Places(self.input if is_given else None, self.output, 60.0)
        found = written(Job(self.record, cells), places)
        assert found.fault or found.pictures == pictured(cells, found.files, self.wanted())
        return found.fault or found.files


@pytest.fixture(
    params=[(mode, form) for form in (AS_FILES, INLINE) for mode in ("L", "RGB")], ids="-".join
)
def desk(request: pytest.FixtureRequest, tmp_path: Path) -> Desk:
    return Desk(tmp_path, *request.param)


SAME = CELLS[1]
SMALLER = picture(30, 40, 100, 130)
MOVED = picture(11, 20, 111, 140)


@pytest.mark.parametrize(
    ("cells", "expected"),
    [
        ([SAME, CELLS[4]], ""),
        ([CELLS[4], TEXT, SAME, NOTHING], ""),  # in another order
        ([SMALLER], ""),
        ([TEXT, NOTHING], ""),
        ([], ""),
        ([MOVED], NO_PICTURE),
        ([SAME, picture(0, 0, *SIZE)], NO_PICTURE),
    ],
)
def test_pictures_without_the_page(desk: Desk, cells: list[Any], expected: str) -> None:
    """Byte for byte the same as from the page itself, or nothing."""
    assert desk.written(*cells) == (expected or desk.expected(*cells))
    assert desk.written(*cells, is_given=True) == desk.expected(*cells)


def test_without_pictures_nothing_is_cut(tmp_path: Path) -> None:
    desk = Desk(tmp_path, "L", LEFT_OUT)
    assert desk.written(MOVED, TEXT) == desk.expected(MOVED, TEXT)


@pytest.mark.parametrize("form", PICTURE_FORMS)
def test_a_page_that_had_no_picture_gets_it_in_the_wanted_form(tmp_path: Path, form: str) -> None:
    desk = Desk(tmp_path, "L", form)
    record = replace(desk.record, pictures=[], pictures_as="any")
    places = Places(desk.input, desk.output, 60.0, form)
    found = written(Job(record, (SAME,)), places)
    assert (found.files, found.pictures["pictures_as"]) == (desk.expected(SAME), form)


def test_a_page_that_is_another_one_by_now_is_not_cut_from(desk: Desk) -> None:
    Image.new("L", SIZE).save(desk.input / "a.png")
    assert desk.written(MOVED, is_given=True) == NO_PICTURE
    assert desk.written(SAME, is_given=True) == desk.written(SAME)


@pytest.mark.parametrize(
    "markdown",
    ["", "![](data:image/png;base64,AAAA)", "![](data:image/png;base64,A)", "by hand", "![]()" * 3],
)
def test_of_a_markdown_that_somebody_changed_no_picture_is_taken(
    tmp_path: Path, markdown: str
) -> None:
    desk = Desk(tmp_path, "L", INLINE)
    (desk.output / "a/a.md").write_text(markdown)
    assert desk.written(SAME) == NO_PICTURE
    assert isinstance(desk.written(TEXT), dict)


def test_a_picture_that_is_none_is_told(tmp_path: Path) -> None:
    inline, files = (Desk(tmp_path / form, "L", form) for form in made(tmp_path))
    text = (inline.output / "a/a.md").read_text()
    start = text.index("base64,", 40) + len("base64,")
    (inline.output / "a/a.md").write_text(text[:start] + "AAAA" + text[text.index(")", start) :])
    (files.output / "a/pictures/1.png").write_bytes(b"none")
    assert "cannot identify" in str(inline.written(SAME))
    assert "cannot identify" in str(files.written(SAME))
    (files.output / "a/pictures/1.png").unlink()
    assert "No such file" in str(files.written(SAME))


def made(folder: Path) -> tuple[str, str]:
    """Make a folder for each form."""
    forms = (INLINE, AS_FILES)
    for form in forms:
        (folder / form).mkdir()
    return forms


@pytest.mark.parametrize("size", [[], [300], [10**9, 10**9]])
def test_a_page_without_a_size_or_too_large_is_not_put_together(
    desk: Desk, size: list[int]
) -> None:
    desk.record = replace(desk.record, original_size=size)
    assert isinstance(desk.written(SAME), str)


def test_a_drawing_shows_the_new_cells_if_there_was_one(desk: Desk) -> None:
    assert "a/a.jpg" not in desk.written(SAME, is_given=True)
    (desk.output / "a/a.jpg").write_bytes(b"of the older cells")
    assert desk.written(SMALLER, is_given=True) == desk.expected(SMALLER, drawing=True)
    assert "a/a.jpg" not in desk.written(SMALLER), "without the page there is none"
    assert "a/a.jpg" not in desk.written(TEXT)


def test_a_page_that_is_one_picture(tmp_path: Path) -> None:
    """A JPEG's own bytes are used; without the page they come from the results."""
    desk = Desk(tmp_path, "L", AS_FILES)
    whole = picture(0, 0, SIZE[0] - 1, SIZE[1] - 1)
    desk.page.save(desk.input / "a.jpg")
    content = (desk.input / "a.jpg").read_bytes()
    desk.record = replace(desk.record, input="a.jpg", sha256=sha256(content).hexdigest())
    found = desk.written(whole, is_given=True)
    assert isinstance(found, dict) and found["a/pictures/1.jpg"] == content
    (desk.output / "a/pictures/1.jpg").write_bytes(content)
    (desk.output / "a/a.json").write_bytes(found["a/a.json"])
    desk.record = replace(desk.record, pictures=["1.jpg"])
    again = desk.written(whole)
    assert isinstance(again, dict)
    with Image.open(io.BytesIO(again["a/pictures/1.png"])) as piece:
        assert piece.size == (SIZE[0] - 1, SIZE[1] - 1)


def test_what_a_markdown_embeds() -> None:
    assert embedded_in("![]()", [NOTHING]) == [b""]
    with pytest.raises(ValueError, match="no picture"):
        embedded_in("![](http://x)", [SAME])
