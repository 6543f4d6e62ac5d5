"""Picture cells, cut out of their page."""

from __future__ import annotations

import base64
import io
import re
from typing import Any

import pytest
from PIL import Image

from answer.cells import Cell
from answer.pictures import CutOut, cut_out, is_whole, numbered, shown
from picture_files import AS_FILES, INLINE, LEFT_OUT, PICTURE_FORMS
from rig import pages

PAGE = Image.new("RGB", (200, 100), "white")
JPEG = b"\xff\xd8 of a page"


def picture(*box: int) -> Cell:
    return {"bbox": list(box), "category": "Picture"}


TEXT: Cell = {"bbox": [0, 0, 9, 9], "category": "Text", "text": "words"}
CELLS = [picture(0, 0, 9, 9), TEXT, picture(5, 5, 5, 9), picture(9, 9, 20, 20)]


@pytest.mark.parametrize("colour", [False, True], ids=["gray", "colour"])
def test_a_picture_is_cut_out_as_it_is_on_the_page(colour: bool) -> None:
    page = pages.article(50, colour=colour)
    cut = cut_out([TEXT, picture(40, 400, 370, 510)], page)
    assert list(cut) == [1] and cut[1].ending == ".png"
    found = Image.open(io.BytesIO(cut[1].content))
    assert (found.format, found.mode) == ("PNG", page.mode)
    assert found.tobytes() == page.crop((40, 400, 370, 510)).tobytes()


def test_a_picture_that_is_the_whole_page_is_its_file_and_the_others_are_cut_out() -> None:
    cut = cut_out([picture(0, 0, 200, 100), picture(9, 9, 20, 20)], PAGE, JPEG)
    assert cut[1] == CutOut(JPEG, ".jpg") and cut[2].ending == ".png"


def test_pictures_are_counted_also_where_they_have_no_area() -> None:
    assert [number for number, _ in numbered(CELLS)] == [1, 3]
    for box in ((5, 5, 9, 5), (200, 100, 200, 100), (9, 9, 5, 5)):
        assert cut_out([picture(*box)], PAGE) == {}


@pytest.mark.parametrize(
    ("box", "expected"),
    [
        ((0, 0, 200, 100), True),
        ((0, 0, 199, 99), True),
        ((0, 0, 198, 100), False),
        ((0, 0, 200, 98), False),
        ((1, 0, 200, 100), False),
        ((0, 1, 200, 100), False),
    ],
)
def test_what_the_whole_page_is(box: tuple[int, ...], expected: bool) -> None:
    """Its file is used unchanged: nothing is lost, and its pixels are not encoded twice."""
    assert is_whole(box, PAGE.size) is expected
    cut = cut_out([picture(*box)], PAGE, JPEG)
    assert (cut[1] == CutOut(JPEG, ".jpg")) is expected
    assert cut_out([picture(*box)], PAGE)[1].ending == ".png"


def test_far_edges_that_scaling_rounded_down_are_edges() -> None:
    """int(1204 / (1204 / 2470)) is 2469. This happens to 1 page in 23."""
    odd = [own for own in range(1000, 3000) if int(1204 / (1204 / own)) != own]
    assert len(odd) > 20 and all(int(1204 / (1204 / own)) == own - 1 for own in odd)


@pytest.mark.parametrize(
    ("form", "expected"),
    [
        (AS_FILES, ["![](pictures/page_0_1.png)", None, "![](pictures/page_0_3.jpg)"]),
        (LEFT_OUT, [None, None, None]),
    ],
)
def test_what_stands_for_pictures(form: str, expected: list[Any]) -> None:
    cut = {1: CutOut(b"png", ".png"), 3: CutOut(JPEG, ".jpg")}
    assert list(shown(CELLS, cut if form == AS_FILES else {}, form, "r/r_page_0")) == expected


def test_inline_they_stand_in_the_text_as_png() -> None:
    cut = cut_out(CELLS, PAGE)
    first, second, third = shown(CELLS, cut, INLINE, "a/a")
    assert second == "![]()", "as the reference has it"
    for number, text in ((1, first), (3, third)):
        found = re.fullmatch(r"!\[\]\(data:image/png;base64,([A-Za-z0-9+/=]+)\)", text or "")
        assert found and base64.b64decode(found[1]) == cut[number].content


def test_a_page_without_pictures_has_nothing_in_any_form() -> None:
    assert [list(shown([TEXT], {}, form, "a/a")) for form in PICTURE_FORMS] == [[], [], []]
