"""The files of a page that a person has corrected: its pictures, and its drawing."""

from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from corrected_page import NO_PICTURE, Job, Places, embedded_in, written
from picture.images import UnreadablePage
from results.files import results_of
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

    def __init__(self, folder: Path, mode: str) -> None:
        gray = Image.radial_gradient("L").resize(SIZE)
        white = Image.new("L", SIZE, "white")
        self.page = gray if mode == "L" else Image.merge("RGB", (gray, white, gray))
        self.input, self.output = folder / "in", folder / "out"
        self.input.mkdir()
        self.page.save(self.input / "a.png")
        found = sha256((self.input / "a.png").read_bytes()).hexdigest()
        self.record = Record("a/a", "a.png", None, "ok", sha256=found, original_size=list(SIZE))
        (self.output / "a").mkdir(parents=True)
        for ending, content in results_of(CELLS, self.page, with_drawing=False).items():
            (self.output / f"a/a{ending}").write_bytes(content)

    def written(self, *cells: dict[str, Any], is_given: bool = False) -> dict[str, bytes] | str:
        """The files of these cells, or why there are none."""
        places = Places(self.input if is_given else None, self.output, 60.0)
        found = written(Job(self.record, cells), places)
        return found.fault or found.files


@pytest.fixture(params=["L", "RGB"])
def desk(request: pytest.FixtureRequest, tmp_path: Path) -> Desk:
    return Desk(tmp_path, request.param)


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
    """Byte for byte what the page itself gives, or nothing."""
    assert desk.written(*cells) == (expected or results_of(cells, desk.page, with_drawing=False))
    with_page = desk.written(*cells, is_given=True)
    assert with_page == results_of(cells, desk.page, with_drawing=False)


def test_a_page_that_is_another_one_by_now_is_not_cut_from(desk: Desk) -> None:
    Image.new("L", SIZE).save(desk.input / "a.png")
    assert desk.written(MOVED, is_given=True) == NO_PICTURE
    assert desk.written(SAME, is_given=True) == desk.written(SAME)


@pytest.mark.parametrize(
    "markdown",
    ["", "![](data:image/png;base64,AAAA)", "![](data:image/png;base64,A)", "by hand", "![]()" * 3],
)
def test_of_a_markdown_that_somebody_changed_no_picture_is_taken(desk: Desk, markdown: str) -> None:
    (desk.output / "a/a.md").write_text(markdown)
    assert desk.written(SAME) == NO_PICTURE
    assert isinstance(desk.written(TEXT), dict)


def test_a_picture_in_a_markdown_that_is_none_is_told(desk: Desk) -> None:
    text = (desk.output / "a/a.md").read_text()
    start = text.index("base64,", 40) + len("base64,")
    (desk.output / "a/a.md").write_text(text[:start] + "AAAA" + text[text.index(")", start) :])
    assert "cannot identify" in str(desk.written(SAME))


@pytest.mark.parametrize("size", [[], [300], [10**9, 10**9]])
def test_a_page_without_a_size_or_too_large_is_not_put_together(
    desk: Desk, size: list[int]
) -> None:
    object.__setattr__(desk.record, "original_size", size)
    assert isinstance(desk.written(SAME), str)


def test_a_drawing_shows_the_new_cells_if_there_was_one(desk: Desk) -> None:
    assert ".jpg" not in desk.written(SAME, is_given=True)
    (desk.output / "a/a.jpg").write_bytes(b"of the older cells")
    drawn = results_of([SMALLER], desk.page, with_drawing=True)
    assert desk.written(SMALLER, is_given=True) == drawn
    assert ".jpg" not in desk.written(SMALLER), "without the page there is none"
    assert ".jpg" not in desk.written(TEXT)


def test_what_a_markdown_embeds() -> None:
    assert embedded_in("![]()", [NOTHING]) == [b""]
    with pytest.raises(ValueError, match="no picture"):
        embedded_in("![](http://x)", [SAME])
    assert issubclass(UnreadablePage, Exception)
