"""A file of full length that was not copied to its end: the rest is zeros, shown as pixels."""

from __future__ import annotations

import io
import random
import re
import zlib
from collections.abc import Callable
from typing import Any

import pytest
from PIL import Image, ImageDraw
from PIL.TiffImagePlugin import TiffImageFile

from picture.images import UnreadablePage
from picture.opening import open_image
from rig import forms, pages

PAGE = pages.article(60, colour=True)
NOISE = Image.frombytes("RGB", (640, 480), random.Random(3).randbytes(640 * 480 * 3))
PACKINGS = ("tiff_lzw", "tiff_adobe_deflate", "packbits", "jpeg")

ONE_STRIP = (*PACKINGS, "tiff_ccitt")


def encoded(picture: Image.Image, kind: str, **options: Any) -> bytes:
    forms.write_heif()
    file = io.BytesIO()
    picture.save(file, kind, **options)
    return file.getvalue()


def filled(data: bytes, part: float, filler: bytes = b"\0") -> bytes:
    """A file with only this part written; the rest is filler."""
    there = int(len(data) * part)
    return data[:there] + filler * (len(data) - there)


def in_strips(packing: str, strip_bytes: int = 72_000) -> tuple[bytes, list[int], list[int]]:
    """A TIFF of compressed strips, with its tags before them; also their starts and sizes."""
    page = PAGE.convert("1") if packing == "tiff_ccitt" else PAGE
    file = io.BytesIO(encoded(page, "TIFF", compression=packing, strip_size=strip_bytes))
    with Image.open(file) as picture:
        assert isinstance(picture, TiffImageFile)
        tags = dict(picture.tag_v2)
    sizes = list(tags[279])
    strips = [file.getvalue()[at:][:size] for at, size in zip(tags[273], sizes, strict=True)]
    kept = (256, 257, 258, 259, 262, 277, 278, 317, 347, 530)
    data = forms.tiff_of(strips, {tag: tags[tag] for tag in kept if tag in tags})
    return data, [len(data) - sum(sizes[number:]) for number in range(len(sizes))], sizes


def in_old_jpeg() -> bytes:
    """A TIFF of the kind that scanners wrote in the nineties: a JPEG with its tables inside."""
    jpeg = encoded(PAGE, "JPEG", subsampling="4:4:4")
    wide, high = PAGE.size
    tags: dict[int, Any] = {256: wide, 257: high, 258: (8, 8, 8), 259: 6, 262: 6, 277: 3}
    tags |= {278: high, 512: 1, 513: 0, 514: len(jpeg), 530: (1, 1)}
    at = len(forms.tiff_of([jpeg], tags)) - len(jpeg)
    return forms.tiff_of([jpeg], tags | {513: at})


WHOLE = {kind: encoded(PAGE, kind) for kind in ("BMP", "TIFF", "WEBP", "HEIF", "AVIF", "PNG")}
WHOLE |= {kind: encoded(PAGE, kind) for kind in ("JPEG", "JPEG2000", "GIF")}
WHOLE |= {packing: in_strips(packing)[0] for packing in PACKINGS}
WHOLE |= {f"{packing}, one strip": in_strips(packing, 1 << 24)[0] for packing in ONE_STRIP}
WHOLE |= {"old JPEG": in_old_jpeg()}
# a pixel of it takes more bytes than zeros need to make one
WHOLE |= {"noise": encoded(NOISE, "JPEG", quality=100)}


@pytest.mark.parametrize("part", [0.3, 0.5, 0.88])
@pytest.mark.parametrize("kind", WHOLE)
def test_of_a_copy_that_was_stopped_nothing_is_read(kind: str, part: float) -> None:
    with pytest.raises(UnreadablePage, match="damaged picture: ") as told:
        open_image(filled(WHOLE[kind], part))
    share = re.search(r"([0-9]+)%", str(told.value))
    if kind in ("BMP", "TIFF", "WEBP", "HEIF"):
        assert share and abs(int(share[1]) - 100 * (1 - part)) < 6


@pytest.mark.parametrize("kind", ["BMP", "TIFF"])
def test_a_small_part_that_is_missing_is_noted(kind: str) -> None:
    notes: list[str] = []
    open_image(filled(WHOLE[kind], 0.97), notes)
    assert len(notes) == 1 and re.search(r"damaged, [1-5]\.[0-9]% of its rows", notes[0])


@pytest.mark.parametrize("kind", ["HEIF", "JPEG", "PNG"])
def test_what_was_erased_is_all_ones(kind: str) -> None:
    with pytest.raises(UnreadablePage, match="damaged picture: "):
        open_image(filled(WHOLE[kind], 0.6, b"\xff"))


@pytest.mark.parametrize("filler", [b"\0", b"\xff"])
@pytest.mark.parametrize("kind", [kind for kind in WHOLE if kind != "noise"])
def test_what_stands_behind_a_whole_picture_is_no_part_of_it(kind: str, filler: bytes) -> None:
    notes: list[str] = []
    assert (
        open_image(WHOLE[kind] + filler * 5000, notes).tobytes()
        == open_image(WHOLE[kind]).tobytes()
    )
    assert not notes


def test_a_webp_may_have_room_kept_in_its_exif_data() -> None:
    exif = Image.Exif()
    exif[0x9C9B] = bytes(2000)
    notes: list[str] = []
    data = encoded(PAGE, "WEBP", exif=exif)
    assert data.endswith(bytes(600))
    open_image(data, notes)
    assert not notes


def black_below(edge: Callable[[int], int]) -> Image.Image:
    """A page that is black below an edge; `edge` gives its height in each column."""
    page = PAGE.copy()
    points = [(x, edge(x)) for x in range(page.width)]
    ImageDraw.Draw(page).polygon([*points, (page.width, page.height), (0, page.height)], "black")
    return page


def framed() -> Image.Image:
    page = black_below(lambda x: 500)
    ImageDraw.Draw(page).rectangle((0, 0, page.width - 1, page.height - 1), outline=0, width=40)
    return page


BLACK = {
    "level": black_below(lambda x: 500),
    "leaning": black_below(lambda x: 500 + x // 30),
    "leaning the other way": black_below(lambda x: 520 - x // 30),
    "hardly leaning": black_below(lambda x: 500 + x // 200),
    "ragged": black_below(lambda x: 500 + random.Random(x).randrange(4)),
    "framed": framed(),
    "all of it": Image.new("RGB", PAGE.size),
}


@pytest.mark.parametrize("kind", ["BMP", "TIFF", "PNG", "tiff_lzw"])
@pytest.mark.parametrize("picture", BLACK.values(), ids=BLACK)
def test_a_page_may_be_black_at_its_end(picture: Image.Image, kind: str) -> None:
    """In every row at which a file's zeros may begin; a BMP ends with its top."""
    turned = picture.transpose(Image.Transpose.FLIP_TOP_BOTTOM) if kind == "BMP" else picture
    options = {"compression": kind} if kind.startswith("tiff_") else {}
    notes: list[str] = []
    data = encoded(turned, "TIFF" if options else kind, **options)
    assert open_image(data, notes).convert("RGB").tobytes() == turned.tobytes() and not notes


@pytest.mark.parametrize("is_whole", [True, False])
def test_a_strip_that_is_unpacked_from_zeros_is_told(is_whole: bool) -> None:
    """Each zero bit is a white byte here. A strip may also have free space after its data."""
    packer = zlib.compressobj(strategy=zlib.Z_HUFFMAN_ONLY)
    packed = packer.compress(PAGE.tobytes()) + packer.flush()
    zeros = bytes(len(packed) * 9 // 10)
    strip = packed + zeros if is_whole else packed[: -len(zeros)] + zeros
    wide, high = PAGE.size
    tags = {256: wide, 257: high, 258: (8, 8, 8), 259: 8, 262: 2, 277: 3, 278: high}
    notes: list[str] = []
    if is_whole:
        assert open_image(forms.tiff_of([strip], tags), notes).tobytes() == PAGE.tobytes()
        assert not notes
    else:
        with pytest.raises(UnreadablePage, match="damaged picture: "):
            open_image(forms.tiff_of([strip], tags))


@pytest.mark.parametrize("how", ["zeros", "ones", "ended"])
def test_strips_that_are_half_a_jpeg_are_told(how: str) -> None:
    data, starts, sizes = in_strips("jpeg")
    for number in range(5, 9):
        size = sizes[number] // 2
        middle, end = starts[number] + sizes[number] - size, starts[number] + sizes[number]
        ended = b"\xff\xd9" + data[middle + 2 : end]
        rest = {"zeros": bytes(size), "ones": b"\xff" * size, "ended": ended}[how]
        data = data[:middle] + rest + data[end:]
        notes: list[str] = []
        if number == 5:
            open_image(data, notes)
            assert len(notes) == 1
            assert re.search(r"damaged, [2-4]\.[0-9]% of its rows are missing", notes[0])
    with pytest.raises(UnreadablePage, match=r"damaged picture: 1[0-9]% of its rows are missing"):
        open_image(data)
