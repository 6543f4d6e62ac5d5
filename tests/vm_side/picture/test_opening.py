"""Good pixels with some damage: read with a note, unless more than a small part is missing."""

from __future__ import annotations

import io
import re
import struct
import zlib
from typing import Any

import pytest
from PIL import Image, ImageChops, ImageFile, ImageStat

from picture.images import UnreadablePage, own_size
from picture.opening import open_image
from rig import pages

PAGE = pages.article(60, colour=True)


def encoded(picture: Image.Image, kind: str = "PNG", **options: Any) -> bytes:
    buffer = io.BytesIO()
    picture.save(buffer, kind, **options)
    return buffer.getvalue()


def chunk(kind: bytes, data: bytes, checksum: int | None = None) -> bytes:
    checksum = zlib.crc32(kind + data) if checksum is None else checksum
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", checksum)


PNG = encoded(PAGE)
JPEG = encoded(PAGE, "JPEG", quality=90)
PROGRESSIVE = encoded(PAGE, "JPEG", quality=90, progressive=True)
LARGE = zlib.compress(b"x" * 3_000_000)


def with_chunk(data: bytes) -> bytes:
    return PNG[:33] + data + PNG[33:]


def app(marker: int, data: bytes) -> bytes:
    return JPEG[:2] + bytes([0xFF, marker]) + struct.pack(">H", len(data) + 2) + data + JPEG[2:]


def bad_adler() -> bytes:
    start = PNG.index(b"IDAT")
    (size,) = struct.unpack(">I", PNG[start - 4 : start])
    packed = PNG[start + 4 : start + 4 + size]
    return PNG[: start - 4] + chunk(b"IDAT", packed[:-4] + b"none") + chunk(b"IEND", b"")


TRIMMINGS = {
    "large zTXt": with_chunk(chunk(b"zTXt", b"a\0\0" + LARGE)),
    "large iTXt": with_chunk(chunk(b"iTXt", b"XML:com.adobe.xmp\0\1\0\0\0" + LARGE)),
    "large iCCP": with_chunk(chunk(b"iCCP", b"a\0\0" + LARGE)),
    "large text at the end": PNG[:-12] + chunk(b"zTXt", b"a\0\0" + LARGE) + PNG[-12:],
    "much text": with_chunk(chunk(b"zTXt", b"a\0\0" + zlib.compress(b"x" * 1_000_000)) * 70),
    "checksum": with_chunk(chunk(b"tEXt", b"a\0b", 1)),
    "short gAMA": with_chunk(chunk(b"gAMA", b"a")),
    "unknown compression": with_chunk(chunk(b"iCCP", b"a\0\7b")),
    "no IEND": PNG[:-12],
    "half an IEND": PNG[:-6],
    "PNG after a byte order mark": b"\xef\xbb\xbf" + PNG,
}


@pytest.mark.parametrize("data", TRIMMINGS.values(), ids=TRIMMINGS)
def test_a_sound_png_is_read_whole_with_a_note(data: bytes) -> None:
    notes: list[str] = []
    assert open_image(data, notes).tobytes() == PAGE.tobytes()
    assert len(notes) == 1
    assert not ImageFile.LOAD_TRUNCATED_IMAGES


ENDS = {
    "JPEG without its marker": (JPEG[:-2], JPEG),
    "JPEG without some bytes": (JPEG[:-100], JPEG),
    "progressive without its marker": (PROGRESSIVE[:-2], PROGRESSIVE),
    "progressive without some bytes": (PROGRESSIVE[:-100], PROGRESSIVE),
    "JPEG after a line": (b"\r\n" + JPEG, JPEG),
    "PNG without its last rows": (PNG[:-60], PNG),
    "PNG with another adler32": (bad_adler(), PNG),
    "BMP": (encoded(PAGE, "BMP")[:-900], PNG),
    "TIFF": (encoded(PAGE, "TIFF")[:-900], PNG),
    "GIF": (encoded(PAGE.convert("L"), "GIF")[:-6], encoded(PAGE.convert("L"))),
}


@pytest.mark.parametrize(("data", "whole"), ENDS.values(), ids=ENDS)
def test_a_picture_without_its_end_is_read_with_a_note(data: bytes, whole: bytes) -> None:
    notes: list[str] = []
    picture, expected = open_image(data, notes), open_image(whole)
    assert picture.size == expected.size and len(notes) == 1
    upper = (0, 40, picture.width, picture.height - 40)  # a BMP begins with its lowest row
    parts = (part.crop(upper).convert("L") for part in (picture, expected))
    # a scan's last bit may be missing
    assert ImageStat.Stat(ImageChops.difference(*parts)).mean[0] < 1


HALVES = {kind: encoded(PAGE, kind) for kind in ("PNG", "JPEG", "GIF", "BMP", "TIFF", "WEBP")}
HALVES |= {
    "progressive": PROGRESSIVE,
    "transparent": encoded(PAGE.convert("P"), "GIF", transparency=3),
}


@pytest.mark.parametrize("whole", HALVES.values(), ids=HALVES)
def test_of_half_a_picture_nothing_is_read(whole: bytes) -> None:
    with pytest.raises(UnreadablePage, match="damaged picture"):
        open_image(whole[: len(whole) // 2])
    assert not ImageFile.LOAD_TRUNCATED_IMAGES


def test_how_much_may_be_missing() -> None:
    """A BMP is not compressed: each row has the same number of bytes."""
    bmp = encoded(pages.article(100), "BMP")
    rows = len(bmp) / 1170
    notes: list[str] = []
    open_image(bmp[: -int(rows * 55)], notes)
    assert re.search(r"up to 4\.\d% of its rows are missing", notes[0])
    with pytest.raises(
        UnreadablePage, match=r"damaged picture: 5% of it is missing: image file is"
    ):
        open_image(bmp[: -int(rows * 61)])


def test_a_jpeg_without_its_finer_scans_is_not_read() -> None:
    last = PROGRESSIVE.rindex(b"\xff\xda")
    open_image(PROGRESSIVE[: last + 40])
    with pytest.raises(UnreadablePage, match="damaged picture"):
        open_image(PROGRESSIVE[: last - 40])


ENDED = {  # half a JPEG with an end mark: libjpeg makes up the rest without a warning
    "colour": encoded(PAGE, "JPEG"),
    "gray": encoded(PAGE.convert("L"), "JPEG"),
    "CMYK": encoded(PAGE.convert("CMYK"), "JPEG"),
    "progressive": PROGRESSIVE,
}


@pytest.mark.parametrize("whole", ENDED.values(), ids=ENDED)
def test_of_half_a_jpeg_with_an_end_nothing_is_read(whole: bytes) -> None:
    with pytest.raises(UnreadablePage, match="damaged picture: it ends "):
        open_image(whole[: len(whole) // 2] + b"\xff\xd9")
    notes: list[str] = []
    open_image(whole[:-100] + b"\xff\xd9", notes)
    assert not notes


@pytest.mark.parametrize("behind", [b"", b"\xff\xd9 and more"])
@pytest.mark.parametrize("high", [700, 100, 3])
def test_a_page_may_be_gray_at_its_foot(behind: bytes, high: int) -> None:
    page = PAGE.crop((0, 0, PAGE.width, high))
    page.paste((128, 128, 128), (0, high // 3, *page.size))
    notes: list[str] = []
    assert open_image(encoded(page, "JPEG") + behind, notes).size == page.size and not notes


@pytest.mark.parametrize(
    "data",
    [
        app(0xE1, b"Exif\0\0garbage"),
        app(0xE1, b"Exif\0\0MM\0*\xff\xff\xff\xf0abcd"),
        app(0xE2, b"ICC_PROFILE\0\1\7"),
        app(0xED, b"Photoshop 3.0\x008BIMxxxxxxxxxxxx"),
        JPEG + b"garbage" * 999,
    ],
)
def test_a_jpeg_with_odd_trimmings_is_read_whole(data: bytes) -> None:
    assert open_image(data).tobytes() == open_image(JPEG).tobytes()


def test_what_is_missing_has_the_colour_of_the_paper() -> None:
    bmp = encoded(Image.new("L", (400, 400), 200), "BMP")
    notes: list[str] = []
    assert open_image(bmp[:-4000], notes).getextrema() == (200, 200)
    assert "up to 2.5% of its rows" in notes[0]


def test_a_very_large_colour_jpeg_is_decoded_smaller() -> None:
    picture = Image.new("RGB", (8200, 8000), "white")
    picture.paste("red", (0, 0, 8200, 4000))
    exif = Image.Exif()
    exif[0x0112] = 6
    page = open_image(encoded(picture, "JPEG", exif=exif))
    assert page.size == (4000, 4100) and own_size(page) == (8000, 8200)
    small = open_image(encoded(picture.resize((820, 800)), "JPEG"))
    assert own_size(small) == small.size == (820, 800)
