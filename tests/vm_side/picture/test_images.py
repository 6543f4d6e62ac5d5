"""From a file to the picture for the model, pixel by pixel where that matters."""

from __future__ import annotations

import io
import random
import re
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import pymupdf
import pytest
from PIL import Image, ImageChops, ImageDraw, ImageFont, ImageStat

from picture.images import (
    FACTOR,
    MAX_PIXELS,
    MIN_PIXELS,
    OWN_SIZE,
    UnreadablePage,
    check_size,
    enlarged_size,
    is_blank,
    is_capped,
    model_picture,
    own_size,
    rows_of_band,
    smart_resize,
    stretched,
)
from picture.opening import open_image
from picture.pdf.page import open_pdf_page
from rig import pages
from rig.page_art import scanned

CAP = 2_000_000


def encoded(picture: Image.Image, kind: str = "PNG", **options: Any) -> bytes:
    buffer = io.BytesIO()
    picture.save(buffer, kind, **options)
    return buffer.getvalue()


def reason(data: bytes) -> str:
    with pytest.raises(UnreadablePage) as error:
        open_image(data)
    return str(error.value)


def difference(one: Image.Image, other: Image.Image) -> float:
    """Mean difference of two pictures of the same size, 0 to 255."""
    return ImageStat.Stat(ImageChops.difference(one.convert("L"), other.convert("L"))).mean[0]


# ---- pictures that look strange ----


@pytest.mark.parametrize("kind", ["gray16", "rgba", "gray_alpha", "animated"])
def test_odd_pictures_are_the_page_that_they_hold(tmp_path: Path, kind: str) -> None:
    """16 bits lose no gray; transparent parts are white paper; of an animation, the first frame."""
    picture = open_image(pages.ODD_GOOD[kind](tmp_path).read_bytes())
    assert picture.mode == "L"
    assert picture.tobytes() == pages.article(50).tobytes()


def test_transparent_paper_of_a_palette_is_white(tmp_path: Path) -> None:
    picture = open_image(pages.palette_transparent(tmp_path).read_bytes())
    grays = pages.article(50).point([0] * 64 + [85] * 64 + [170] * 64 + [255] * 64)
    assert (picture.mode, picture.tobytes()) == ("L", grays.tobytes())


def test_half_transparent_ink_is_mixed_with_white() -> None:
    picture = open_image(encoded(Image.new("RGBA", (40, 30), (255, 0, 0, 128))))
    assert (picture.mode, picture.getpixel((5, 5))) == ("RGB", (255, 127, 127))


@pytest.mark.parametrize("mode", ["L", "RGB"])
def test_a_transparent_colour_is_white(mode: str) -> None:
    black: Any = 0 if mode == "L" else (0, 0, 0)
    data = encoded(Image.new(mode, (40, 30), black), transparency=black)
    assert open_image(data).getextrema() == (255, 255)


@pytest.mark.parametrize(
    "wide", [(0, 0), (65535, 255), (32768, 128), (257, 1), (200, 1), (25700, 100)]
)
def test_16_bits_are_scaled_to_8(wide: tuple[int, int]) -> None:
    data = encoded(Image.new("I;16", (40, 30), wide[0]))
    assert open_image(data).getextrema() == (wide[1], wide[1])


def test_one_bit_is_black_and_white(tmp_path: Path) -> None:
    picture = open_image(pages.one_bit(tmp_path).read_bytes())
    assert picture.mode == "L"
    assert {level for _, level in picture.getcolors() or ()} == {0, 255}
    assert difference(picture, pages.article(100)) < 20


def test_cmyk_has_the_colours_of_the_page(tmp_path: Path) -> None:
    picture = open_image(pages.cmyk_jpeg(tmp_path).read_bytes())
    assert picture.mode == "RGB"
    assert difference(picture, pages.article(50, colour=True)) < 5


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("kind", ["JPEG", "PNG"])
def test_a_page_is_turned_upright_by_its_exif_tag(orientation: int, kind: str) -> None:
    """The dark corner is the upper left one, however the page is stored."""
    upright = Image.new("L", (64, 48), 255)
    upright.paste(0, (0, 0, 32, 16))
    turn = Image.Transpose
    stored = {
        1: upright,
        2: upright.transpose(turn.FLIP_LEFT_RIGHT),
        3: upright.transpose(turn.ROTATE_180),
        4: upright.transpose(turn.FLIP_TOP_BOTTOM),
        5: upright.transpose(turn.TRANSPOSE),
        6: upright.transpose(turn.ROTATE_90),
        7: upright.transpose(turn.TRANSVERSE),
        8: upright.transpose(turn.ROTATE_270),
    }[orientation]
    exif = Image.Exif()
    exif[0x0112] = orientation
    picture = open_image(encoded(stored, kind, exif=exif))
    assert picture.size == (64, 48)
    assert difference(picture, upright) < 1


def test_a_rotated_scan_is_upright(tmp_path: Path) -> None:
    picture = open_image(pages.rotated_jpeg(tmp_path).read_bytes())
    assert picture.size == (414, 585)
    assert ImageStat.Stat(picture.crop((0, 0, 414, 25))).mean[0] < 10


@pytest.mark.parametrize("kind", ["WEBP", "TIFF", "BMP", "GIF", "JPEG", "PNG", "MPO"])
def test_the_content_counts_and_not_the_ending(kind: str) -> None:
    options: dict[str, Any] = {"lossless": True} if kind == "WEBP" else {}
    picture = open_image(encoded(pages.article(50), kind, **options))
    assert (picture.mode, picture.size) == ("L", (414, 585))
    assert difference(picture, pages.article(50)) < 5


@pytest.mark.parametrize("kind", sorted(pages.ODD_GOOD))
def test_every_odd_picture_becomes_a_picture_to_send(tmp_path: Path, kind: str) -> None:
    picture = model_picture(open_image(pages.ODD_GOOD[kind](tmp_path).read_bytes()), CAP, 1_200_000)
    assert picture.mode in ("L", "RGB")
    assert MIN_PIXELS <= picture.width * picture.height <= CAP
    assert picture.width % FACTOR == picture.height % FACTOR == 0


# ---- gray stays one channel ----


def test_a_gray_page_of_three_channels_becomes_one(tmp_path: Path) -> None:
    picture = open_image(encoded(pages.article(50).convert("RGB")))
    assert (picture.mode, picture.tobytes()) == ("L", pages.article(50).tobytes())
    pages.pdf(tmp_path / "a.pdf", pages=1)
    assert open_pdf_page(tmp_path / "a.pdf", 0).mode == "L"


@pytest.mark.parametrize("place", [(0, 0), (333, 444), (413, 584)])
@pytest.mark.parametrize("colour", [(0, 0, 1), (1, 0, 0), (254, 255, 255)])
def test_one_pixel_of_colour_keeps_the_colours(
    place: tuple[int, int], colour: tuple[int, int, int]
) -> None:
    page = pages.article(50).convert("RGB")
    page.putpixel(place, colour)
    picture = open_image(encoded(page))
    assert (picture.mode, picture.getpixel(place)) == ("RGB", colour)


# ---- files that are no pages ----


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        ("empty", "the file is empty"),
        ("truncated_png", "damaged picture: .*truncated.*"),
        ("truncated_jpeg", "damaged picture: .*truncated.*"),
        ("text", "no picture: text"),
        ("bomb", "more than 178,956,970 pixels: make it smaller"),
        ("strip", "6030x30 is longer than 200:1: cut it into pieces"),
    ],
)
def test_a_bad_picture_says_why(tmp_path: Path, kind: str, expected: str) -> None:
    assert re.fullmatch(expected, reason(pages.BAD[kind](tmp_path).read_bytes()))


@pytest.mark.parametrize(
    ("data", "kind"),
    [
        (b"x", "text"),
        (b"%PDF-1.7", "a PDF: call it .pdf, and its pages are read"),
        (b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 10 10\n%%EndComments\n", "PostScript"),
        (b'<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"/>', "an SVG drawing"),
        (encoded(pages.tiny(1), "ICO"), "data of an unknown kind"),
        (encoded(pages.tiny(1), "PPM"), "data of an unknown kind"),
    ],
)
def test_other_kinds_of_files_are_no_pictures(data: bytes, kind: str) -> None:
    assert reason(data) == f"no picture: {kind}"


@pytest.mark.parametrize(
    ("size", "expected"),
    [((200, 1), ""), ((6000, 30), ""), ((201, 1), "201x1 is longer than 200:1: .*")],
)
def test_up_to_200_to_1_is_a_page(size: tuple[int, int], expected: str) -> None:
    for turned in (size, size[::-1]):
        data = encoded(Image.new("L", turned, 255))
        if expected:
            assert re.fullmatch(expected.replace("201x1", "{}x{}".format(*turned)), reason(data))
        else:
            assert open_image(data).size == turned


@pytest.mark.parametrize(
    ("size", "expected"),
    [
        ((0.5, 100), "has no area"),
        ((100, 0.5), "has no area"),
        ((1, 1), ""),
        ((17_895.697, 10_000), ""),
        ((17_895.698, 10_000), "more than 178,956,970 pixels"),
        ((200, 1), ""),
        ((201, 1), "longer than 200:1"),
    ],
)
def test_which_sizes_can_be_a_page(size: tuple[float, float], expected: str) -> None:
    with pytest.raises(UnreadablePage, match=expected) if expected else nullcontext():
        check_size(*size)


@pytest.mark.parametrize(("width", "rows"), [(1000, 4000), (3000, 1332), (10_000_000, 2)])
def test_a_band_has_an_even_number_of_rows(width: int, rows: int) -> None:
    assert rows_of_band(width) == rows


def test_a_picture_that_was_decoded_smaller_tells_its_own_size() -> None:
    page = Image.new("L", (10, 20))
    assert own_size(page) == (10, 20)
    page.info[OWN_SIZE] = (100, 200)
    assert own_size(page) == (100, 200)


@pytest.mark.parametrize(
    ("options", "high"),
    [
        ({"dpi": (204, 98)}, 208),
        ({"dpi": (200, 100)}, 200),
        ({"tiffinfo": {282: 80.0, 283: 40.0, 296: 3}}, 200),
        ({"dpi": (204, 196)}, 100),
        ({"dpi": (98, 204)}, 100),
        ({"dpi": (300, 100)}, 100),
        ({"tiffinfo": {282: 0.0, 283: 0.0, 296: 2}}, 100),
        ({"tiffinfo": {282: 200.0, 283: 100.0, 296: 1}}, 100),  # an unknown unit
        ({}, 100),
    ],
)
def test_a_fax_of_the_usual_resolution_is_as_high_as_it_should(
    options: dict[str, Any], high: int
) -> None:
    notes: list[str] = []
    page = open_image(encoded(Image.new("1", (150, 100), 1), "TIFF", **options), notes)
    assert page.size == (150, high) and own_size(page) == (150, 100)
    assert len(notes) == (high > 100)


def test_a_large_scan_is_no_bomb() -> None:
    """Pillow warns from 89 million pixels on. An A0 plan has 61 at 200 dpi, and 139 at 300 dpi."""
    data = encoded(Image.new("1", (10_000, 9_500), 1))
    assert open_image(data).size == (10_000, 9_500)


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP", "GIF", "BMP"])
def test_damage_anywhere_is_a_reason_or_a_picture(kind: str) -> None:
    rng = random.Random(3)
    whole = encoded(pages.article(30, colour=True), kind)
    for _ in range(150):
        data = bytearray(whole)
        for _ in range(rng.choice([0, 1, 10])):
            data[rng.randrange(rng.choice([60, len(data)]))] = rng.randrange(256)
        try:
            picture = open_image(bytes(data[: rng.choice([len(data), rng.randrange(len(data))])]))
        except UnreadablePage as error:
            assert str(error)
        else:
            assert picture.mode in ("L", "RGB")


# ---- blank pages ----

SHEET = Image.new("L", (827, 1170), 255)
SCAN = scanned(Image.new("L", (1654, 2339), 255), seed=2)


def marked(page: Image.Image, text: str, gray: int) -> Image.Image:
    """A page with a text of 10 points at its foot, at 100 dpi."""
    page = page.copy()
    font = ImageFont.load_default(100 * 10 / 72)
    place = (page.width // 2, page.height - 60)
    ImageDraw.Draw(page).text(place, text, font=font, fill=(gray,) * len(page.getbands()))
    return page


def dotted(page: Image.Image, size: int) -> Image.Image:
    page = page.copy()
    page.paste(0, (400, 600, 400 + size, 600 + size))
    return page


def faint(page: Image.Image, contrast: int) -> Image.Image:
    """The page in a gray that is this far from white."""
    return page.point(lambda level: 255 - (255 - level) * contrast // 255)


BLANK = {
    "white": SHEET,
    "black": Image.new("L", (827, 1170), 0),
    "coloured": Image.new("RGB", (827, 1170), (255, 240, 200)),
    "one pixel": Image.new("L", (1, 1), 77),
    "scanned": scanned(SHEET, seed=1),
    "scanned at 200 dpi": SCAN,
    "scanned, saved as JPEG": open_image(encoded(SCAN, "JPEG", quality=75)),
    "scanned in colour": Image.merge("RGB", [scanned(SHEET, seed) for seed in (1, 2, 3)]),
    "shaded": Image.linear_gradient("L").resize((827, 1170)).point(lambda v: 240 + v // 18),
}
NOT_BLANK = {
    "article": pages.article(50),
    "scanned article": pages.noisy_scan(50),
    "faint article": faint(pages.article(100), 25),
    "faint scanned article": scanned(faint(pages.article(100), 100), 1),
    "page number": marked(SHEET, "12", 0),
    "page number on a scan": scanned(marked(SHEET, "12", 0), 1),
    "gray page number": marked(SHEET, "- 12 -", 180),
    "faint page number": marked(SHEET, "7", 225),
    "white on black": marked(Image.new("L", (827, 1170), 0), "7", 255),
    "dot": dotted(SHEET, 2),
    "pixel": dotted(SHEET, 1),
    "dot on a scan": dotted(scanned(SHEET, 1), 2),
    "gradient": Image.linear_gradient("L"),
}
FRAME = SHEET.copy()
ImageDraw.Draw(FRAME).rectangle((90, 90, 600, 600), outline=220)
NOT_BLANK["frame"] = FRAME
COLOURS_OF_ONE_GRAY = Image.new("RGB", (827, 1170), (200, 0, 0))
COLOURS_OF_ONE_GRAY.paste((0, 102, 0), (100, 100, 500, 500))
NOT_BLANK["colours of one gray"] = COLOURS_OF_ONE_GRAY


def striped(low: int, high: int) -> Image.Image:
    """Stripes of four pixels; the average of 8 x 8 pixels is even."""
    return Image.frombytes("L", (64, 64), (bytes([low] * 4) + bytes([high] * 4)) * 8 * 64)


@pytest.mark.parametrize(
    ("page", "blank"),
    [
        (striped(96, 160), True),
        (striped(96, 161), False),
        (Image.frombytes("L", (64, 64), bytes([100] * 32 + [116] * 32) * 64), True),
        (Image.frombytes("L", (64, 64), bytes([100] * 32 + [117] * 32) * 64), False),
    ],
)
def test_how_far_levels_of_a_blank_page_are_apart(page: Image.Image, blank: bool) -> None:
    assert is_blank(page) is blank


@pytest.mark.parametrize("page", BLANK.values(), ids=BLANK)
def test_an_even_page_is_blank(page: Image.Image) -> None:
    assert is_blank(page)
    assert is_blank(page.convert("RGB"))


@pytest.mark.parametrize("page", NOT_BLANK.values(), ids=NOT_BLANK)
def test_a_page_with_the_least_mark_is_not(page: Image.Image) -> None:
    assert not is_blank(page)
    assert not is_blank(page.convert("RGB"))


# ---- smart_resize ----


@pytest.mark.parametrize(
    ("height", "width", "max_pixels", "expected"),
    [
        (28, 28, CAP, (56, 56)),
        (56, 56, CAP, (56, 56)),
        (1120, 840, CAP, (1120, 840)),
        # Python rounds a half to the even number: 1.5 and 2.5 patches both become 2.
        (42, 700, CAP, (56, 700)),
        (70, 700, CAP, (56, 700)),
        (98, 700, CAP, (112, 700)),
        (126, 700, CAP, (112, 700)),
        (69, 71, CAP, (56, 84)),
        # A4 at 100 dpi enlarged, 120, 150, 200, 300 dpi
        (2437, 1722, CAP, (1680, 1176)),
        (1404, 992, CAP, (1400, 980)),
        (1755, 1240, CAP, (1680, 1176)),
        (2339, 1654, CAP, (1680, 1176)),
        (3508, 2480, MAX_PIXELS, (3500, 2492)),
        (3508, 2480, 1_000_000, (1176, 840)),
        # too small: never less than 3,136 pixels
        (1, 1, CAP, (56, 56)),
        (10, 10, CAP, (56, 56)),
        (1, 200, CAP, (28, 196)),
        (20, 40, CAP, (56, 84)),
        (30, 41, CAP, (56, 84)),
        # too large or too long: no side below one patch
        (20_000, 100, CAP, (19_992, 84)),
        (100, 20_000, 100_000, (28, 4452)),
        (178_956, 1000, CAP, (18_900, 84)),
        (9000, 9000, MAX_PIXELS, (3332, 3332)),
        (13_000, 13_000, CAP, (1400, 1400)),
        # exactly the maximum, and the minimum
        (285, 280, 280 * 280, (280, 280)),
        (45, 62, CAP, (56, 56)),
        # too small, and too large after enlarging
        (10, 60, MIN_PIXELS, (28, 112)),
    ],
)
def test_smart_resize(height: int, width: int, max_pixels: int, expected: tuple[int, int]) -> None:
    assert smart_resize(height, width, max_pixels) == expected
    assert smart_resize(width, height, max_pixels) == expected[::-1]


@pytest.mark.parametrize(
    ("size", "upsample_below", "capped"),
    [
        ((1654, 2339), 0, True),  # A4 at 200 dpi
        ((1240, 1754), 0, False),  # at 150: 2.2 megapixels are only a little more
        ((827, 1170), 0, False),  # at 100
        ((827, 1170), 1_200_000, True),  # the same, enlarged
        ((20, 20), 0, False),
    ],
)
def test_whether_more_pixels_of_a_page_can_be_shown(
    size: tuple[int, int], upsample_below: int, capped: bool
) -> None:
    assert is_capped(size, CAP, upsample_below) == capped


def test_smart_resize_keeps_its_bounds_and_what_it_made() -> None:
    """The server resizes again. It must not change what is sent, or every box would be off."""
    rng = random.Random(5)
    for _ in range(20_000):
        height = rng.randint(1, rng.choice([60, 600, 6000]))
        width = rng.randint(-(-height // 200), min(height * 200, 12_000))
        max_pixels = rng.choice([200_000, 1_000_000, CAP, MAX_PIXELS])
        new_height, new_width = smart_resize(height, width, max_pixels)
        assert new_height % FACTOR == new_width % FACTOR == 0
        assert min(new_height, new_width) >= FACTOR
        assert new_height * new_width >= MIN_PIXELS
        if min(new_height, new_width) > FACTOR:
            assert new_height * new_width <= max_pixels
        assert smart_resize(new_height, new_width, MAX_PIXELS) == (new_height, new_width)


# ---- enlarging ----


def enlarged_by_the_reference(page: Image.Image) -> Image.Image:
    """The reference's long way: a PNG without dpi becomes a PDF, rendered at 200 dpi."""
    with (
        pymupdf.open(stream=encoded(page), filetype="png") as document,
        pymupdf.open("pdf", document.convert_to_pdf()) as pdf,
    ):
        pixmap = pdf[0].get_pixmap(dpi=200, alpha=False)
        return Image.frombytes("RGB", (pixmap.width, pixmap.height), pixmap.samples)


@pytest.mark.parametrize("colour", [False, True], ids=["gray", "colour"])
@pytest.mark.parametrize("size", [(414, 585), (413, 586), (827, 1170), (131, 77), (2160, 40)])
def test_enlarging_gives_the_pixels_of_the_reference(size: tuple[int, int], colour: bool) -> None:
    page = pages.article(100, colour=colour).resize(size)
    picture = stretched(page, enlarged_size(size))
    assert picture.mode == page.mode
    reference = enlarged_by_the_reference(page)
    assert picture.size == reference.size
    assert picture.convert("RGB").tobytes() == reference.tobytes()


@pytest.mark.parametrize("side", [*range(2, 40), *range(40, 2161, 53), 2158, 2159, 2160])
def test_every_column_and_row_is_repeated_as_in_the_reference(side: int) -> None:
    """Each has its own colour. The repeated ones were compared for every side up to 2160."""
    ramp = Image.new("RGB", (side, side // 9 + 2))
    for x in range(side):
        ramp.paste((x // 256, x % 256, 0), (x, 0, x + 1, ramp.height))
    for page in (ramp, ramp.transpose(Image.Transpose.ROTATE_90)):
        picture = stretched(page, enlarged_size(page.size))
        reference = enlarged_by_the_reference(page)
        assert picture.size == reference.size
        assert picture.tobytes() == reference.tobytes()


@pytest.mark.parametrize("mode", ["L", "RGB"])
@pytest.mark.parametrize("size", [(413, 586), (700, 131)])
def test_enlarging_and_resizing_in_turns_gives_the_same_pixels(
    size: tuple[int, int], mode: str
) -> None:
    noise = random.Random(5).randbytes(size[0] * size[1] * len(mode))
    page = Image.frombytes(mode, size, noise)
    enlarged = stretched(page, enlarged_size(size))
    picture = model_picture(page, 500_000, 1_200_000)
    assert picture.tobytes() == model_picture(enlarged, 500_000, 0).tobytes()


@pytest.mark.parametrize(
    ("size", "expected"),
    [
        ((827, 1170), (1723, 2438)),
        ((2160, 100), (4500, 209)),
        ((2161, 100), (2161, 100)),
        ((100, 2161), (100, 2161)),
        ((3000, 400), (3000, 400)),
    ],
    ids=["a4", "guard", "past-guard", "past-guard-high", "panorama"],
)
def test_a_picture_that_the_guard_would_shrink_stays_as_it_is(
    size: tuple[int, int], expected: tuple[int, int]
) -> None:
    assert enlarged_size(size) == expected


@pytest.mark.parametrize(
    ("size", "below", "enlarged"),
    [
        ((1000, 1200), 1_200_000, True),
        ((1000, 1201), 1_200_000, False),
        ((827, 1170), 1_200_000, True),
        ((827, 1170), 0, False),
        ((1654, 2339), 1_200_000, False),
        ((3000, 400), 1_200_000, False),
    ],
)
def test_pictures_up_to_1_200_000_pixels_are_enlarged(
    size: tuple[int, int], below: int, enlarged: bool
) -> None:
    own = smart_resize(size[1], size[0], MAX_PIXELS)
    sent = model_picture(Image.new("L", size, 255), MAX_PIXELS, below)
    assert (sent.size != own[::-1]) == enlarged
    if enlarged:
        assert sent.width / size[0] == pytest.approx(200 / 96, rel=0.02)


# ---- the picture to send ----


@pytest.mark.parametrize("max_pixels", [100_000, 1_000_000, CAP, MAX_PIXELS])
@pytest.mark.parametrize("size", [(48, 32), (827, 1170), (1654, 2339), (2480, 3508)])
def test_at_most_max_pixels_are_sent(size: tuple[int, int], max_pixels: int) -> None:
    picture = model_picture(Image.new("L", size, 255), max_pixels, 1_200_000)
    assert picture.width * picture.height <= max_pixels
    again = smart_resize(picture.height, picture.width, MAX_PIXELS)
    assert again == (picture.height, picture.width)


def test_the_picture_is_resized_as_pillow_does_by_default() -> None:
    page = pages.article(200)
    assert model_picture(page, CAP, 0).tobytes() == page.resize((1176, 1680)).tobytes()


def test_a_picture_of_the_right_size_is_sent_untouched() -> None:
    page = Image.new("L", (840, 1120), 255)
    assert model_picture(page, CAP, 0) is page


def test_a_picture_that_the_server_would_refuse_is_not_sent() -> None:
    """30 x 6,000 is 200:1; in whole patches it becomes 28 x 5,992."""
    for size, sent in (((6000, 30), "5992x28"), ((28, 5600), "28x5600")):
        with pytest.raises(UnreadablePage) as error:
            model_picture(Image.new("L", size, 255), CAP, 0)
        assert str(error.value) == f"{sent}, as sent, reaches 200:1: cut it into pieces"
