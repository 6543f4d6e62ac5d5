"""Very large pictures are halved in bands: the same pixels, with little memory."""

from __future__ import annotations

import io
import random
import struct
import subprocess
import sys
import zlib
from pathlib import Path
from typing import Any

import pytest
from PIL import Image, ImageChops, TiffImagePlugin

from picture import images
from picture.images import UnreadablePage, own_size
from picture.large import halves
from picture.large.halves import averageable, halved, is_too_large
from picture.large.png import CHANNELS, SIGNATURE, chunk
from picture.large.tiff import cut_tiff
from picture.opening import open_image
from rig import forms
from rig.command import SCRIPT

RANDOM = random.Random(5)
WIDE, HIGH = 101, 53
NOISE = Image.frombytes("RGB", (WIDE, HIGH), RANDOM.randbytes(WIDE * HIGH * 3))
SIDE = 13_300
MOST_MIB = 600


@pytest.fixture(autouse=True)
def small_bands(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make bands and strips of a few rows."""
    monkeypatch.setattr(images, "BAND_PIXELS", 8 * WIDE)
    monkeypatch.setattr(TiffImagePlugin, "STRIP_SIZE", 6 * 3 * WIDE)


def encoded(picture: Image.Image, kind: str, **options: Any) -> bytes:
    file = io.BytesIO()
    picture.save(file, kind, **options)
    return file.getvalue()


def png(kind: int, depth: int, *more: tuple[bytes, bytes], behind: bytes = b"") -> bytes:
    """A PNG of noise; its rows use all five filters."""
    row_bytes = WIDE * CHANNELS[kind] * depth // 8
    rows = [bytes([RANDOM.randrange(5)]) + RANDOM.randbytes(row_bytes) for _ in range(HIGH)]
    packed = zlib.compress(b"".join(rows), 1)
    head = struct.pack(">IIBBBBB", WIDE, HIGH, depth, kind, 0, 0, 0)
    half = len(packed) // 2
    pixels = (b"IDAT", packed[:half]), (b"IDAT", packed[half:])
    chunks = [(b"IHDR", head), *more, *pixels]
    return SIGNATURE + b"".join(chunk(*each) for each in chunks) + behind + chunk(b"IEND", b"")


def assert_halved(data: bytes, is_cut: bool = True) -> None:
    """Check the half. If the file can be cut, the whole picture must not have been decoded."""
    image, whole = (Image.open(io.BytesIO(data)) for _ in range(2))
    half = halved(image)
    expected = averageable(whole).reduce(2)
    assert (half.mode, half.size) == (expected.mode, expected.size)
    assert half.tobytes() == expected.tobytes()
    assert own_size(half) == whole.size
    assert bool(image.tile) == is_cut


@pytest.mark.parametrize("depth", [8, 16])
@pytest.mark.parametrize("kind", CHANNELS)
def test_a_png(kind: int, depth: int) -> None:
    assert_halved(png(kind, depth))


def test_a_png_with_a_transparent_colour() -> None:
    assert_halved(png(2, 8, (b"tRNS", bytes(6))))


@pytest.mark.parametrize(
    "data",
    [
        encoded(Image.merge("RGBA", [*NOISE.split(), Image.new("L", NOISE.size)]), "TIFF"),
        png(0, 16, (b"tRNS", bytes(2))),
    ],
    ids=["alpha that hides all", "16 bits with a transparent level"],
)
def test_what_is_hidden_stays_there(data: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    """A page that its alpha hides completely is shown without alpha, also a very large one."""
    whole = open_image(data).convert("RGB").reduce(2)
    monkeypatch.setattr(halves, "MOST_BYTES", 0)
    half = open_image(data).convert("RGB")
    assert half.size == whole.size
    assert images.contrast(ImageChops.difference(half, whole).convert("L")) <= 2


TIFFS = {
    f"{mode} {packing}": (mode, packing)
    for mode in ("1", "L", "LA", "RGB", "RGBA", "CMYK")
    for packing in ("raw", "packbits", "tiff_lzw", "tiff_adobe_deflate", "jpeg", "group4")
    if (packing != "group4" or mode == "1") and (packing, mode) != ("jpeg", "1")
}


@pytest.mark.parametrize(("mode", "packing"), TIFFS.values(), ids=TIFFS)
def test_a_tiff(monkeypatch: pytest.MonkeyPatch, mode: str, packing: str) -> None:
    if mode == "1":
        monkeypatch.setattr(TiffImagePlugin, "STRIP_SIZE", WIDE)
    assert_halved(encoded(NOISE.convert(mode), "TIFF", compression=packing))


def test_a_tiff_of_16_bits() -> None:
    for packing in ("raw", "tiff_lzw"):
        assert_halved(encoded(forms.deep(NOISE.convert("L")), "TIFF", compression=packing))


@pytest.mark.parametrize("prefix", [b"II", b"MM"])
def test_a_tiff_of_tiles(prefix: bytes) -> None:
    side, across, down = 16, -(-WIDE // 16), -(-HIGH // 16)
    padded = NOISE.crop((0, 0, across * side, down * side))
    tiles = [
        padded.crop((x * side, y * side, (x + 1) * side, (y + 1) * side)).tobytes()
        for y in range(down)
        for x in range(across)
    ]
    tags = {256: WIDE, 257: HIGH, 258: (8, 8, 8), 259: 1, 262: 2, 277: 3, 322: side, 323: side}
    assert_halved(tiff_of(tags, 324, 325, tiles, prefix))


def test_a_tiff_of_one_strip() -> None:
    tags = {256: WIDE, 257: HIGH, 258: (8, 8, 8), 259: 1, 262: 2, 277: 3, 278: HIGH}
    assert_halved(tiff_of(tags, 273, 279, [NOISE.tobytes()]))
    packed = zlib.compress(NOISE.tobytes())
    assert_halved(tiff_of(tags | {259: 8}, 273, 279, [packed]), is_cut=False)


@pytest.mark.parametrize("odd", [(279, 2), (60_000, 4)])
def test_a_tiff_with_an_odd_tag_is_not_cut(odd: tuple[int, int]) -> None:
    """The tag is text, or missing. Decoding the whole file may still find out what is meant."""
    tags = {256: WIDE, 257: HIGH, 258: 8, 259: 1, 262: 1, 277: 1, 278: HIGH}
    sound = tiff_of(tags, 273, 279, [NOISE.convert("L").tobytes()])
    image = Image.open(
        io.BytesIO(sound.replace(struct.pack("<HH", 279, 4), struct.pack("<HH", *odd)))
    )
    assert isinstance(image, TiffImagePlugin.TiffImageFile) and image.fp
    assert cut_tiff(image, image.fp) is None


def test_a_tiff_with_its_channels_apart() -> None:
    tags = {256: WIDE, 257: HIGH, 258: (8, 8, 8), 259: 1, 262: 2, 277: 3, 278: HIGH, 284: 2}
    parts = [band.tobytes() for band in NOISE.split()]
    assert_halved(tiff_of(tags, 273, 279, parts), is_cut=False)


def tiff_of(
    tags: dict[int, Any], places: int, sizes: int, parts: list[bytes], prefix: bytes = b"II"
) -> bytes:
    """A TIFF of these strips or tiles, with its tags after them."""
    order = "<" if prefix == b"II" else ">"
    starts = [8 + sum(map(len, parts[:number])) for number in range(len(parts))]
    values = {**tags, places: starts, sizes: [len(part) for part in parts]}
    body = b"".join(parts)
    entries = []
    for tag, value in sorted(values.items()):
        numbers = [value] if isinstance(value, int) else list(value)
        packed = struct.pack(f"{order}{len(numbers)}L", *numbers)
        if len(numbers) > 1:
            packed, body = struct.pack(f"{order}L", 8 + len(body)), body + packed
        entries.append(struct.pack(f"{order}HHL", tag, 4, len(numbers)) + packed)
    head = prefix + struct.pack(f"{order}HL", 42, 8 + len(body))
    return head + body + struct.pack(f"{order}H", len(entries)) + b"".join(entries) + bytes(4)


@pytest.mark.parametrize("mode", ["RGB", "P", "RGBA"])
def test_a_bmp(mode: str) -> None:
    whole = encoded(NOISE.convert(mode), "BMP")
    assert_halved(whole)
    stride = (WIDE * {"RGB": 24, "P": 8, "RGBA": 32}[mode] + 31) // 32 * 4
    start = len(whole) - HIGH * stride
    rows = [whole[at : at + stride] for at in range(start, len(whole), stride)]
    height = struct.pack("<i", -HIGH)
    assert_halved(whole[:22] + height + whole[26:start] + b"".join(reversed(rows)))


def test_what_cannot_be_cut_is_decoded_whole_first() -> None:
    assert_halved(encoded(NOISE.convert("P"), "GIF"), is_cut=False)
    assert_halved(encoded(NOISE.convert("P"), "PNG"), is_cut=False)
    assert_halved(encoded(NOISE.convert("P"), "PNG", transparency=3), is_cut=False)
    assert_halved(encoded(NOISE, "WEBP", lossless=True), is_cut=False)


@pytest.mark.parametrize(
    ("mode", "pixels", "large"),
    [
        ("L", 178_000_000, False),
        ("1", 178_000_000, False),
        ("I;16", 178_000_000, True),
        ("I;16", 100_000_000, False),
        ("RGB", 64_000_000, False),
        ("RGB", 64_010_000, True),
        ("CMYK", 60_000_000, True),
        ("RGBA", 50_000_000, False),
    ],
)
def test_which_are_too_large(mode: str, pixels: int, large: bool) -> None:
    image = Image.Image()
    image._mode, image._size = mode, (pixels // 1000, 1000)
    assert is_too_large(image) == large


# ---- through open_image ----


@pytest.fixture
def nothing_fits(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make every picture count as too large."""
    monkeypatch.setattr(halves, "MOST_BYTES", 0)


@pytest.mark.parametrize("orientation", forms.STORED)
@pytest.mark.parametrize("kind", ["PNG", "TIFF", "TIFF of one strip", "JPEG", "WEBP"])
def test_it_is_upright(monkeypatch: pytest.MonkeyPatch, kind: str, orientation: int) -> None:
    packing = {}
    if kind == "TIFF of one strip":
        monkeypatch.setattr(TiffImagePlugin, "STRIP_SIZE", 1 << 30)
        kind, packing = "TIFF", {"compression": "tiff_lzw"}
    monkeypatch.setattr(halves, "MOST_BYTES", 400 * 300 * halves.BYTES["RGB"] // 2)
    page = Image.new("RGB", (400, 300), "white")
    page.paste("red", (0, 0, 400, 60))
    stored = forms.stored(page, orientation)
    exif = forms.tagged(orientation).tobytes()
    half = open_image(encoded(stored, kind, exif=exif, **packing))
    assert (half.size, own_size(half)) == ((200, 150), (400, 300))
    rows = [half.getpixel((100, y)) for y in (5, 140)]
    assert rows[0][1] < 20 and rows[1][1] > 235  # type: ignore[index] # of colours


@pytest.mark.usefixtures("nothing_fits")
def test_an_exif_tag_behind_the_pixels_of_a_png_counts() -> None:
    exif = forms.tagged(6).tobytes().removeprefix(b"Exif\0\0")
    assert open_image(png(2, 8, behind=chunk(b"eXIf", exif))).size == (27, 51)


@pytest.mark.usefixtures("nothing_fits")
def test_damage_is_told_as_of_any_other() -> None:
    whole = encoded(NOISE, "PNG")
    notes: list[str] = []
    assert open_image(whole[:-12], notes).tobytes() == open_image(whole).tobytes()
    assert notes == ["the picture's file is cut off, after all of its pixels"]
    end = whole.rindex(b"IEND") - 8  # end of the compressed data, which ends with its checksum
    notes.clear()
    half = open_image(whole[: end - 4] + b"none" + whole[end:], notes)
    assert half.size == (51, 27) and "file is damaged" in notes[0]
    for kind in ("PNG", "BMP", "TIFF"):
        data = encoded(NOISE, kind)
        with pytest.raises(UnreadablePage, match="damaged picture"):
            open_image(data[: len(data) // 2])


def test_a_jpeg_2000_is_decoded_as_small_as_it_can_be(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(halves, "MOST_SAMPLES", 1000)
    page = NOISE.resize((640, 480))
    for resolutions, size in ((1, (640, 480)), (2, (320, 240)), (6, (20, 15))):
        half = open_image(encoded(page, "JPEG2000", num_resolutions=resolutions))
        assert (half.size, own_size(half)) == (size, page.size)


# ---- the whole worker ----

PREPARE = """
import sys
from pathlib import Path
from results.files import Wanted
from results.steps import prepare
values, wanted = {}, Wanted("a", drawing=False, pictures="files")
prepare(Path(sys.argv[1]), None, values, 2_000_000, 1_200_000, "auto", wanted, "ink")
peak = next(line for line in open("/proc/self/status") if line.startswith("VmHWM"))
print(int(peak.split()[1]) >> 10, *values["original_size"], values["notes"])
"""


@pytest.mark.skipif(sys.platform != "linux", reason="the peak is Linux' figure")
def test_what_a_worker_needs_for_the_largest(tmp_path: Path) -> None:
    """A BMP of 506 MiB that takes no space on the disk; for other forms: tests/bench/memory.py."""
    head = encoded(Image.new("RGB", (1, 1)), "BMP")[:54]
    with (tmp_path / "a.bmp").open("wb") as file:
        file.write(head[:18] + struct.pack("<ii", SIDE, SIDE) + head[26:])
        file.truncate(54 + SIDE * 3 * SIDE)
    command = [sys.executable, "-c", PREPARE, str(tmp_path / "a.bmp")]
    done = subprocess.run(command, cwd=SCRIPT.parent, capture_output=True, text=True, check=True)
    peak_mib, *rest = done.stdout.split()
    assert rest == [str(SIDE), str(SIDE), "[]"]
    assert int(peak_mib) < MOST_MIB
