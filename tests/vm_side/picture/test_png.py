"""The PNG that is sent loses nothing, and is deflated only if it pays."""

import io

import pytest
from PIL import Image

from picture.png import encode_png
from rig import pages


def decoded(png: bytes) -> Image.Image:
    """The picture of a PNG, after a check of its checksums."""
    with Image.open(io.BytesIO(png)) as picture:
        picture.verify()
    picture = Image.open(io.BytesIO(png))
    assert picture.format == "PNG"
    return picture


@pytest.mark.parametrize("colour", [False, True], ids=["gray", "colour"])
@pytest.mark.parametrize("size", [(413, 585), (28, 28), (5600, 29), (29, 5600)])
def test_a_png_loses_nothing(colour: bool, size: tuple[int, int]) -> None:
    page = pages.article(50, colour=colour).resize(size)
    picture = decoded(encode_png(page))
    assert (picture.mode, picture.size) == (page.mode, page.size)
    assert picture.tobytes() == page.tobytes()


@pytest.mark.parametrize("mode", ["L", "RGB"])
def test_a_noisy_scan_is_stored_and_loses_nothing(mode: str) -> None:
    """Deflating it takes many times as long, and the result is more than half as large."""
    page = pages.noisy_scan(100).convert(mode)
    png = encode_png(page)
    size = len(page.tobytes())
    assert size < len(png) < size + size // 100
    assert decoded(png).tobytes() == page.tobytes()


@pytest.mark.parametrize("dpi", [100, 120, 200])
def test_a_clean_page_is_deflated(dpi: int) -> None:
    page = pages.article(dpi)
    assert len(encode_png(page)) < len(page.tobytes()) / 6


def test_noise_on_half_a_page_is_noise() -> None:
    """For example, a photo below a title."""
    page = pages.article(100)
    page.paste(pages.noisy_scan(100).crop((0, 600, *page.size)), (0, 600))
    assert len(encode_png(page)) > page.width * page.height
