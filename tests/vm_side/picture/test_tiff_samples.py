"""A TIFF's samples are read as its tags say, in each of its many forms."""

from __future__ import annotations

import itertools
import zlib
from typing import Any

import numpy
import pytest
from numpy.typing import NDArray
from PIL import Image

from picture.fax import REVERSED
from picture.frames import open_frame
from picture.images import UnreadablePage
from picture.large import halves
from picture.modes import levels
from picture.opening import open_image
from rig import forms, pages
from rig.forms import tiff_of

GRAY = numpy.asarray(forms.upright(3, 40).convert("L"))
COLOUR = pages.colourful(40).convert("RGB").crop((0, 0, 256, 320))
SHARE = GRAY / 255
KINDS: dict[str, NDArray[Any]] = {
    "8 bits": GRAY,
    "16 bits": (SHARE * 65_535).astype("u2"),
    "32 bits": (SHARE * (2**32 - 1)).astype("u4"),
    "8 bits, signed": (GRAY.astype("i2") - 128).astype("i1"),
    "16 bits, signed": (SHARE * 65_535 - 32_768).astype("i2"),
    "32 bits, signed": (SHARE * (2**31 - 1)).astype("i4"),
    "fractions": SHARE.astype("f4"),
    "fractions of 64 bits": SHARE.astype("f8"),
}
FORMATS = {"u": 1, "i": 2, "f": 3}
MIN_IS_WHITE, MIN_IS_BLACK, YCBCR = 0, 1, 6
RAW, DEFLATE = 1, 8


def gray(samples: NDArray[Any], order: bytes, photometric: int, packing: int) -> bytes:
    """A TIFF of one channel, in two strips."""
    high, wide = samples.shape
    rows = -(-high // 2)
    bits, form = samples.dtype.itemsize * 8, FORMATS[samples.dtype.kind]
    lines = samples.astype(samples.dtype.newbyteorder("<" if order == b"II" else ">"))
    parts = [part.tobytes() for part in (lines[:rows], lines[rows:])]
    if packing == DEFLATE:
        parts = [zlib.compress(part) for part in parts]
    tags = {256: wide, 257: high, 258: bits, 259: packing, 262: photometric, 277: 1, 278: rows}
    return tiff_of(parts, {**tags, 339: form}, order)


@pytest.mark.parametrize("packing", [RAW, DEFLATE])
@pytest.mark.parametrize("photometric", [MIN_IS_WHITE, MIN_IS_BLACK])
@pytest.mark.parametrize("order", [b"II", b"MM"])
@pytest.mark.parametrize("kind", KINDS)
def test_gray_is_what_its_tags_say(kind: str, order: bytes, photometric: int, packing: int) -> None:
    samples = KINDS[kind]
    if photometric == MIN_IS_WHITE:
        samples = samples.max() - samples if samples.dtype.kind != "i" else -1 - samples
    data = gray(samples, order, photometric, packing)
    for page in (open_image(data), open_frame(data, 0)):
        assert page.mode == "L"
        apart = numpy.abs(numpy.asarray(page).astype(int) - GRAY)
        assert apart.max() <= 2


@pytest.mark.parametrize("photometric", [MIN_IS_WHITE, MIN_IS_BLACK])
@pytest.mark.parametrize("order", [b"II", b"MM"])
def test_12_bits_that_share_a_byte(order: bytes, photometric: int) -> None:
    samples = (SHARE * 4095).astype("u2")
    if photometric == MIN_IS_WHITE:
        samples = 4095 - samples
    high, wide = GRAY.shape
    left, right = samples[:, ::2], numpy.pad(samples, ((0, 0), (0, wide % 2)))[:, 1::2]
    packed = numpy.stack([left >> 4, (left & 15) << 4 | right >> 8, right & 255], 2)
    rows = packed.astype("u1").reshape(high, -1)[:, : (wide * 12 + 7) // 8]
    tags = {256: wide, 257: high, 258: 12, 259: 1, 262: photometric, 277: 1, 278: high}
    page = open_image(tiff_of([rows.tobytes()], tags, order))
    assert numpy.abs(numpy.asarray(page).astype(int) - GRAY).max() <= 1


def test_16_bits_of_which_the_lowest_is_first() -> None:
    high, wide = GRAY.shape
    data = KINDS["16 bits"].astype("<u2").tobytes().translate(REVERSED)
    tags = {256: wide, 257: high, 258: 16, 259: 1, 262: 1, 266: 2, 277: 1, 278: high}
    page = open_image(tiff_of([data], tags))
    assert numpy.abs(numpy.asarray(page).astype(int) - GRAY).max() <= 1


@pytest.mark.parametrize("most_bytes", [halves.MOST_BYTES, 1], ids=["whole", "halved"])
@pytest.mark.parametrize("step", [257, 1], ids=["16 bits a colour", "8 bits"])
def test_a_palette_of_either_kind(
    step: int, most_bytes: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(halves, "MOST_BYTES", most_bytes)
    high, wide = GRAY.shape
    colours = tuple(level * step for level in range(256)) * 3
    tags = {256: wide, 257: high, 258: 8, 259: 1, 262: 3, 277: 1, 278: high, 320: colours}
    page = open_image(tiff_of([GRAY.tobytes()], tags))
    expected = Image.fromarray(GRAY)
    expected = expected if page.size == expected.size else expected.reduce(2)
    assert numpy.abs(numpy.asarray(page).astype(int) - numpy.asarray(expected)).max() <= 1


@pytest.mark.parametrize("photometric", [MIN_IS_WHITE, MIN_IS_BLACK])
@pytest.mark.parametrize("kind", ["16 bits", "32 bits"])
def test_what_is_too_large_to_be_held_is_the_same(
    kind: str, photometric: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The page is cut into bands; each of them is a separate TIFF."""
    data = gray(KINDS[kind], b"MM", photometric, DEFLATE)
    whole = open_image(data)
    monkeypatch.setattr(halves, "MOST_BYTES", 1)
    half = open_image(data)
    assert half.size == ((whole.width + 1) // 2, (whole.height + 1) // 2)
    apart = numpy.asarray(half).astype(int) - numpy.asarray(whole.reduce(2))
    assert numpy.abs(apart).max() <= 2


@pytest.mark.parametrize(("across", "down"), [(1, 1), (2, 1), (2, 2), (4, 2)])
def test_colours_that_several_pixels_share(across: int, down: int) -> None:
    """Not compressed: the lights of each block, then its two colours."""
    light, blue, red = (numpy.asarray(band) for band in COLOUR.convert("YCbCr").split())
    wide, high = COLOUR.size
    data = bytearray()
    for y, x in itertools.product(range(0, high, down), range(0, wide, across)):
        block = slice(y, y + down), slice(x, x + across)
        data += light[block].tobytes() + bytes([int(blue[block].mean()), int(red[block].mean())])
    tags = {256: wide, 257: high, 258: (8, 8, 8), 259: 1, 262: YCBCR, 277: 3, 278: high}
    page = open_image(tiff_of([bytes(data)], {**tags, 530: (across, down)}))
    assert page.mode == "RGB"
    apart = numpy.asarray(page).astype(int) - numpy.asarray(COLOUR)
    assert numpy.abs(apart).mean() < 4


@pytest.mark.parametrize("bits", [8, 16])
def test_channels_in_strips_of_their_own(bits: int) -> None:
    wide, high = COLOUR.size
    scale, kind = (1, "u1") if bits == 8 else (257, "<u2")
    parts = [(numpy.asarray(band) * numpy.uint32(scale)).astype(kind) for band in COLOUR.split()]
    tags = {256: wide, 257: high, 258: (bits,) * 3, 259: 1, 262: 2, 277: 3, 278: high, 284: 2}
    page = open_image(tiff_of([part.tobytes() for part in parts], tags))
    assert page.tobytes() == COLOUR.tobytes()


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (
            tiff_of([bytes(96)], {256: 4, 257: 4, 258: (16,) * 3, 259: 1, 262: 2, 277: 3, 339: 3}),
            "a TIFF of samples that are not read: save it with 8 bits a channel",
        ),
        (
            tiff_of([bytes(96)], {256: 4, 257: 4, 258: 8, 259: 34712, 262: 1, 277: 1}),
            "a TIFF whose compression, 34712, is not read: save it with another",
        ),
        (
            b"MM\0+\0\x08\0\0" + bytes(80),
            "a big-endian BigTIFF is not read: save it as a common TIFF",
        ),
        (b"II*\0\x08\0\0\0" + bytes(80), "a TIFF picture, damaged"),
    ],
)
def test_a_form_that_is_not_read_is_not_called_damaged(data: bytes, reason: str) -> None:
    with pytest.raises(UnreadablePage) as told:
        open_image(data)
    assert str(told.value) == reason


def test_what_32_bits_hold_is_not_halved_by_a_rounding() -> None:
    assert levels(0, float(numpy.float32(2**32 - 1)), True) == (0, 2**32 - 1)
    assert Image.new("F", (1, 1), 2**32 - 1).getextrema() == (2**32, 2**32)
