"""A cut fax of group 4: libtiff leaves rows out, and Pillow still returns a picture."""

from __future__ import annotations

import io

import pytest
from PIL import Image
from PIL.TiffImagePlugin import ImageFileDirectory_v2, TiffImageFile

from picture.fax import REVERSED, has_end
from picture.images import UnreadablePage
from picture.opening import open_image
from rig import forms

PAGE = forms.upright(3, 80).convert("1")


def packed(page: Image.Image) -> bytes:
    """A page as a strip of group 4."""
    file = io.BytesIO()
    page.save(file, "TIFF", compression="group4", tiffinfo={278: page.height})
    with Image.open(file) as tiff:
        assert isinstance(tiff, TiffImageFile)
        start, size = tiff.tag_v2[273][0], tiff.tag_v2[279][0]
    return file.getvalue()[start:][:size]


def tiff_of(strips: list[bytes], more: dict[int, int], page: Image.Image = PAGE) -> bytes:
    """A TIFF of these strips, with these tags in addition to the page's own."""
    sizes = [len(strip) for strip in strips]
    starts = [sum(sizes[:number]) for number in range(len(strips))]
    tags = ImageFileDirectory_v2(prefix=b"II")
    known = {256: page.width, 257: page.height, 258: 1, 259: 4, 262: 1}
    for tag, value in {**known, **more, 279: tuple(sizes), 273: tuple(starts)}.items():
        tags[tag] = value
    file = io.BytesIO()
    tags.save(file)
    file.writelines(strips)
    return file.getvalue()


STRIP = packed(PAGE)
HIGH = PAGE.height // 2
UPPER, LOWER = (
    packed(PAGE.crop((0, top, PAGE.width, top + HIGH))) for top in (0, PAGE.height - HIGH)
)
HALF = len(STRIP) // 2
IN_TWO = {278: PAGE.height - HIGH}


@pytest.mark.parametrize(
    "data",
    [
        tiff_of([STRIP], {}),
        tiff_of([STRIP + bytes(500)], {}),
        tiff_of([STRIP[:-3]], {}),  # without the code of its end, which some programs leave out
        tiff_of([STRIP.translate(REVERSED)], {266: 2}),
    ],
    ids=["as it is", "zeros behind it", "no end", "lowest bit first"],
)
def test_a_whole_fax_is_the_page(data: bytes) -> None:
    notes: list[str] = []
    page = open_image(data, notes)
    assert not notes and page.tobytes() == PAGE.convert("L").tobytes()


@pytest.mark.parametrize(
    "data",
    [
        *(tiff_of([STRIP[: HALF + more]], {}) for more in range(20)),
        tiff_of([STRIP[:HALF] + bytes(HALF)], {}),
        tiff_of([STRIP[:HALF].translate(REVERSED)], {266: 2}),
        tiff_of([UPPER, LOWER[: len(LOWER) // 2]], IN_TWO),
        tiff_of([UPPER, b"\0"], IN_TWO),
    ],
)
def test_of_a_cut_fax_nothing_is_read(data: bytes) -> None:
    """libtiff only reports an error if the cut makes a wrong code."""
    with pytest.raises(UnreadablePage, match=r"of its rows are missing|may be wrong|decoder error"):
        open_image(data)


def test_how_many_rows_may_be_missing() -> None:
    """White rows take one bit each; only the first row is longer."""
    page = Image.new("1", (2000, 1000), 1)
    page.putpixel((5, 0), 0)
    strip, shares = packed(page), list[float]()
    with pytest.raises(UnreadablePage, match=r"^damaged picture: [56]% of its rows are missing$"):
        for less in range(4, 40):
            notes: list[str] = []
            open_image(tiff_of([strip[:-less]], {}, page), notes)
            assert notes[0].endswith("% of its rows are missing")
            shares.append(float(notes[0].split("% of")[0].split()[-1]))
    assert shares == sorted(shares) and 4 < shares[-1] <= 5


@pytest.mark.parametrize(
    ("strip", "expected"),
    [
        (b"\x5a\x00\x10\x01", True),
        (b"\x5a\x80\x08\x00\x80\x00\x00", True),
        (b"\x00\x10", False),
        (b"", False),
        (STRIP[:HALF], False),
    ],
)
def test_the_code_of_the_end_at_any_bit(strip: bytes, expected: bool) -> None:
    assert has_end(strip) is expected
