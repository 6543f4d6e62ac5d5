"""Pictures in a PDF: the file's bytes or all of its pixels, upright, and as large as on paper."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy
import pillow_heif
import pymupdf
import pytest
from PIL import Image, ImageCms, ImageOps

from lib.documents.document import Page
from lib.documents.searchable.picture import Picture, page_size, picture_of
from lib.documents.searchable.sheets import Book, File, pictures_in
from rig.known_page import entry_of

WIDE, HIGH = 64, 48


def noise(bands: int, most: int = 256, kind: str = "uint8") -> Image.Image:
    """A picture of random pixels."""
    shape = (HIGH, WIDE, bands) if bands > 1 else (HIGH, WIDE)
    return Image.fromarray(numpy.random.default_rng(1).integers(0, most, shape, kind))


def colours() -> Image.Image:
    return noise(3)


def palette() -> Image.Image:
    return colours().quantize(13)


def black_and_white() -> Image.Image:
    return noise(1, 2).point(lambda value: value * 255).convert("1")


def with_alpha() -> Image.Image:
    return noise(4)


def in_print() -> Image.Image:
    return Image.merge("CMYK", colours().convert("RGBA").split())


Kinds = dict[str, tuple[Callable[[], Image.Image], dict[str, Any]]]

OWN: Kinds = {  # the PDF contains the file's bytes
    "gray.jpg": (lambda: noise(1), {}),
    "colour.jpg": (colours, {"subsampling": 0}),
    "progressive.jpg": (colours, {"subsampling": 0, "progressive": True}),
    "print.jpg": (in_print, {}),
    "colour.jp2": (colours, {}),
}
OWN_ROWS: Kinds = {  # the PDF contains its compressed rows
    "gray.png": (lambda: noise(1), {}),
    "colour.png": (colours, {}),
    "palette.png": (palette, {"bits": 4}),
    "two.png": (black_and_white, {}),
    "deep.png": (lambda: noise(1, 65536, "uint16"), {}),
}
PIXELS: Kinds = {
    "alpha.png": (with_alpha, {}),
    "gray alpha.png": (lambda: with_alpha().convert("LA"), {}),
    "transparent.png": (palette, {"transparency": 3}),
    "two.tif": (black_and_white, {"compression": "group4"}),
    "colour.tif": (colours, {"compression": "tiff_lzw"}),
    "deep.tif": (lambda: noise(1, 65536, "uint16"), {}),
    "print.tif": (in_print, {}),
    "lossless.webp": (colours, {"lossless": True}),
    "colour.avif": (colours, {}),
    "colour.heic": (colours, {}),
    "colour.bmp": (colours, {}),
    "palette.gif": (palette, {}),
    "alpha.jp2": (with_alpha, {}),
}


def on_white(image: Image.Image) -> numpy.ndarray[Any, numpy.dtype[numpy.int64]]:
    """The pixels of a picture as they are seen, on white."""
    if image.mode.startswith("I;16"):
        return numpy.repeat(numpy.asarray(image, int)[:, :, None] // 257, 3, axis=2)
    if "A" in image.mode or "transparency" in image.info:
        white = Image.new("RGBA", image.size, "white")
        image = Image.alpha_composite(white, image.convert("RGBA"))
    return numpy.asarray(image.convert("RGB"), int)


def in_pdf(path: Path, picture: Picture) -> pymupdf.Document:
    target = path.with_suffix(".pdf")
    book = Book(target)
    book.add(picture, Page(entry_of(path, path.parent), ()))
    book.write()
    return pymupdf.open(target)


def drawn(page: pymupdf.Page, size: tuple[int, int]) -> Any:
    scale = pymupdf.Matrix(size[0] / page.rect.width, size[1] / page.rect.height)
    pixmap = page.get_pixmap(matrix=scale)
    return numpy.frombuffer(pixmap.samples, numpy.uint8).reshape(size[1], size[0], 3).astype(int)


@pytest.mark.parametrize("name", [*OWN, *OWN_ROWS, *PIXELS])
def test_nothing_of_a_picture_is_lost(tmp_path: Path, name: str) -> None:
    pillow_heif.register_heif_opener()
    make, options = {**OWN, **OWN_ROWS, **PIXELS}[name]
    path = tmp_path / name
    make().save(path, **options)
    with Image.open(path) as image:
        picture = picture_of(path, image)
        wanted = on_white(image)
    assert picture.remark == ""
    if name in OWN:
        assert picture.data == path.read_bytes()
    if name in OWN_ROWS:
        assert picture.data in path.read_bytes()
    with in_pdf(path, picture) as book:
        shown = drawn(book[0], (WIDE, HIGH))
    apart = numpy.abs(shown - wanted)
    if name.startswith("print"):  # each program converts CMYK in its own way
        assert apart.mean() < 40 < numpy.abs(255 - shown - wanted).mean()
    else:
        assert apart.max() <= 2


def test_what_is_lost_is_said(tmp_path: Path) -> None:
    Image.fromarray(numpy.random.default_rng(1).random((HIGH, WIDE), "float32")).save(
        tmp_path / "numbers.tif"
    )
    with Image.open(tmp_path / "numbers.tif") as image:
        assert (
            picture_of(tmp_path / "numbers.tif", image).remark
            == "only 8 of its 32 bits a pixel are kept"
        )


def test_a_colour_profile_goes_with_its_picture_if_it_is_one_for_it(tmp_path: Path) -> None:
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    colours().save(tmp_path / "colour.png", icc_profile=profile)
    noise(1).save(tmp_path / "gray.png", icc_profile=profile)
    for name, own in (("colour.png", profile), ("gray.png", b"")):
        with Image.open(tmp_path / name) as image:
            picture = picture_of(tmp_path / name, image)
        assert picture.profile == own
        with in_pdf(tmp_path / name, picture) as book:
            ((xref, *_, space, _, _, _),) = [row[:9] for row in book.get_page_images(0, full=True)]
            assert xref
            assert ("ICCBased" in space) == bool(own)


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("ending", [".jpg", ".png", ".tif"])
def test_a_picture_is_upright_as_exif_has_it(tmp_path: Path, orientation: int, ending: str) -> None:
    exif = Image.Exif()
    exif[0x0112] = orientation
    path = tmp_path / f"lying{ending}"
    Image.linear_gradient("L").resize((WIDE, HIGH)).rotate(30).save(path, exif=exif)
    with Image.open(path) as image:
        picture = picture_of(path, image)
    with Image.open(path) as image:
        image.load()
        upright = ImageOps.exif_transpose(image)
    with in_pdf(path, picture) as book:
        shown = drawn(book[0], upright.size)
    assert numpy.abs(shown - on_white(upright)).max() <= 2


@pytest.mark.parametrize(
    ("size", "dpi", "wanted"),
    [
        ((1654, 2339), (200, 200), (595.44, 842.04)),
        ((1728, 1100), (204, 98), (609.88, 808.16)),  # a fax: its pixels are not square
        ((1654, 2339), None, (595.41, 842)),
        ((1654, 2339), (0, 0), (595.41, 842)),
        ((4000, 3000), (72, 72), (842, 631.5)),  # a camera's picture, without a paper size
        ((4000, 3000), (1201, 1201), (842, 631.5)),
        ((100, 80), (600, 600), (842, 673.6)),  # smaller than a stamp
        ((10_000, 10), None, (842, 3)),
        ((1654, 2339), "200", (595.41, 842)),
        ((1654, 2339), (float("nan"), 200), (595.41, 842)),
    ],
)
def test_page_size(size: tuple[int, int], dpi: object, wanted: tuple[float, float]) -> None:
    assert page_size(size, dpi) == pytest.approx(wanted, abs=0.01)


def test_a_damaged_picture_is_shown_as_far_as_it_goes(tmp_path: Path) -> None:
    """It was read; its line in the manifest says what is missing."""
    path = tmp_path / "cut.bmp"
    colours().save(path)
    path.write_bytes(path.read_bytes()[:-40])
    jpeg = tmp_path / "exif.jpg"
    colours().save(jpeg, exif=b"Exif\0\0II*\0\x08\0\0\0\xff\xff\x12\x01", quality=95, subsampling=0)
    for file in (path, jpeg):
        ((page, picture),) = pictures_in(File(file, (Page(entry_of(file, tmp_path), ()),)))
        assert page.entry.input == file.name
        assert isinstance(picture, Picture)
        with in_pdf(file, picture) as book:
            shown = drawn(book[0], (WIDE, HIGH))
        assert numpy.abs(shown - on_white(colours()))[: HIGH // 2].mean() < 40


def test_each_page_of_a_file_that_cannot_be_opened_is_told(tmp_path: Path) -> None:
    path = tmp_path / "torn.tif"
    path.write_bytes(b"II*\0torn")
    entry = entry_of(path, tmp_path)
    pages = tuple(Page(replace(entry, pdf_page=number), ()) for number in range(2))
    found = list(pictures_in(File(path, pages)))
    assert [page for page, _ in found] == list(pages)
    assert all(isinstance(why, Exception) for _, why in found)
