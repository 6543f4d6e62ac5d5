"""A page must not look blank because its levels, or its alpha, were misread."""

from __future__ import annotations

import io
import math
import struct
import zlib
from typing import Any

import pytest
from PIL import Image, ImageChops

from picture.images import contrast, is_blank
from picture.modes import ON_BLACK, ON_GRAY, flattened, levels
from picture.opening import open_image
from rig import pages

PAGE = pages.article(50)
INK = ImageChops.invert(PAGE)
WHITE = Image.new("L", PAGE.size, 255)
CLEAR = Image.new("L", PAGE.size, 0)


def encoded(picture: Image.Image, kind: str = "PNG", **options: Any) -> bytes:
    buffer = io.BytesIO()
    picture.save(buffer, kind, **options)
    return buffer.getvalue()


def deep(times: int, kind: str = "PNG") -> bytes:
    """The page in 16 bits, of which it uses only the lower ones."""
    words = [struct.pack("<H", level * times) for level in range(256)]
    data = b"".join(map(words.__getitem__, PAGE.tobytes()))
    return encoded(Image.frombytes("I;16", PAGE.size, data), kind)


def deep_colour(times: int) -> bytes:
    """The same in three channels; Pillow keeps only the upper 8 bits."""
    pixels = [struct.pack(">H", level * times) * 3 for level in range(256)]
    rows = (PAGE.crop((0, y, PAGE.width, y + 1)).tobytes() for y in range(PAGE.height))
    raw = b"".join(b"\0" + b"".join(map(pixels.__getitem__, row)) for row in rows)
    head = struct.pack(">IIBBBBB", *PAGE.size, 16, 2, 0, 0, 0)
    chunks = (b"IHDR", head), (b"IDAT", zlib.compress(raw, 1)), (b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        for kind, data in chunks
    )


def palette() -> bytes:
    """White ink on a transparent colour that is also white."""
    picture = INK.point(lambda level: level // 255).convert("P")
    picture.putpalette([255] * 6)
    return encoded(picture, transparency=0)


LOST = {
    "8 bits in 16": (deep(1), 0),
    "10 bits in 16": (deep(4), 1),
    "12 bits in 16": (deep(16), 1),
    "14 bits in 16": (deep(64), 1),
    "12 bits in a TIFF": (deep(16, "TIFF"), 1),
    "12 bits in colour": (deep_colour(16), 16),
    "32 bits": (encoded(PAGE.convert("I").point(lambda level: level * 65_793), "TIFF"), 1),
    "signed": (encoded(PAGE.convert("I").point(lambda level: level * 256 - 32_768), "TIFF"), 1),
    "fractions": (encoded(PAGE.convert("F").point(lambda level: level / 255), "TIFF"), 1),
    "alpha that hides all": (encoded(Image.merge("LA", (PAGE, CLEAR))), 0),
    "colour that alpha hides": (encoded(Image.merge("RGBA", [PAGE] * 3 + [CLEAR])), 0),
}


@pytest.mark.parametrize(("data", "apart"), LOST.values(), ids=LOST)
def test_nothing_is_lost_before_it_is_looked_at(data: bytes, apart: int) -> None:
    notes: list[str] = []
    picture = open_image(data, notes)
    assert picture.mode == "L" and len(notes) == 1
    assert contrast(ImageChops.difference(picture, PAGE)) <= apart


@pytest.mark.parametrize(
    "data",
    [
        encoded(Image.merge("LA", (WHITE, INK))),
        encoded(Image.merge("RGBA", [WHITE] * 3 + [INK])),
        encoded(Image.merge("RGBA", [WHITE] * 3 + [INK]), "WEBP", lossless=True, exact=True),
        encoded(PAGE.point(lambda level: 254 + (level < 128)), transparency=254),
        palette(),
    ],
)
def test_white_ink_on_nothing_is_laid_on_black(data: bytes) -> None:
    notes: list[str] = []
    picture = open_image(data, notes)
    assert not is_blank(picture) and picture.getpixel((0, 0)) == 0
    assert notes == ["its ink shows only on a dark ground: put on black"]


def in_two_inks(upper: int) -> Image.Image:
    """A page on a transparent ground: its upper half has this level, its lower half is white."""
    levels = Image.new("L", PAGE.size, 255)
    levels.paste(upper, (0, 0, PAGE.width, PAGE.height // 2))
    return Image.merge("LA", (levels, INK))


def with_a_fringe() -> Image.Image:
    """Soft black letters; only pure white was made transparent, as in a GIF."""
    return Image.merge("LA", (PAGE, PAGE.point(lambda level: 255 * (level < 255))))


def in_a_frame() -> Image.Image:
    """A page in a transparent frame, like a picture of a window."""
    picture = Image.new("LA", (PAGE.width + 20, PAGE.height + 20), (0, 0))
    picture.paste(Image.merge("LA", (PAGE, WHITE)), (10, 10))
    return picture


@pytest.mark.parametrize(
    ("picture", "ground", "note"),
    [
        (in_two_inks(0), 128, ON_GRAY),
        (in_two_inks(128), 0, ON_BLACK),
        (in_a_frame(), 255, ""),
        (with_a_fringe(), 255, ""),
        (Image.merge("LA", (CLEAR, INK)), 255, ""),
    ],
    ids=["white and black", "white and gray", "a white sheet", "a fringe", "black"],
)
def test_no_ink_vanishes_in_its_ground(picture: Image.Image, ground: int, note: str) -> None:
    notes: list[str] = []
    page = open_image(encoded(picture), notes)
    assert page.getpixel((0, page.height - 1)) == ground and notes == [note] * bool(note)


@pytest.mark.parametrize(
    "data",
    [
        encoded(Image.merge("LA", (WHITE, CLEAR))),
        encoded(Image.merge("RGBA", [CLEAR] * 4)),
        encoded(Image.merge("RGBA", [WHITE] * 4)),
        encoded(Image.new("I;16", (40, 30), 3000)),
    ],
)
def test_what_is_empty_stays_blank(data: bytes) -> None:
    notes: list[str] = []
    assert is_blank(open_image(data, notes)) and not notes


@pytest.mark.parametrize(
    ("low", "high", "is_fraction", "expected"),
    [
        (0, 65535, False, (0, 65535)),
        (0, 32768, False, (0, 65535)),
        (0, 32767, False, (0, 32767)),
        (0, 4095, False, (0, 4095)),
        (0, 255, False, (0, 255)),
        (0, 12, False, (0, 255)),
        (3000, 3000, False, (0, 65535)),
        (-32768, 32767, False, (-32768, 32767)),
        (0, 1, False, (0, 255)),
        (0, 1, True, (0, 1)),
        (0.5, 0.5, True, (0, 1)),
        (0, 1.02, True, (0, 1.02)),  # a resize can add this
        (-1, 1, True, (-1, 1)),
        (0, 15.9, True, (0, 15.9)),
        (0, 16, True, (0, 255)),
        (0, 200.5, True, (0, 255)),
        (0, 2**32 - 1, False, (0, 2**32 - 1)),
        (0, 2.0**32, True, (0, 2**32 - 1)),  # the same as a fraction of 32 bits
    ],
)
def test_levels(low: float, high: float, is_fraction: bool, expected: tuple[float, float]) -> None:
    assert levels(low, high, is_fraction) == expected


@pytest.mark.parametrize(("low", "high"), [(0, math.nan), (0, math.inf), (-1.5e308, 1.5e308)])
def test_levels_that_are_no_numbers(low: float, high: float) -> None:
    with pytest.raises(ValueError, match="not numbers"):
        levels(low, high, True)


@pytest.mark.parametrize("mode", ["LA", "PA", "RGBA", "RGBa"])
def test_what_is_transparent_is_white_in_every_mode(mode: str) -> None:
    picture = Image.new("RGBA", (2, 1), (0, 0, 0, 0))
    picture.putpixel((0, 0), (0, 0, 0, 255))
    assert flattened(picture.convert(mode), []).convert("L").tobytes() == b"\x00\xff"
