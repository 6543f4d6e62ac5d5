"""A page -> the picture the model sees.

Pixels follow the reference client of dots.ocr (rednote-hilab/dots.ocr at 36d7248); `make parity`
compares the two. A page is held as a Pillow image of mode "L" (gray) or "RGB"; sizes are
(width, height) in pixels.
"""

import itertools
import math
from collections.abc import Iterator
from typing import cast

from PIL import Image, ImageStat

FACTOR = 28  # the model's patch of 14 pixels, merged 2 x 2
MIN_PIXELS = 3_136
MAX_PIXELS = 11_289_600
MUCH_MORE = 1.25  # times the pixels; with less than that the model sees almost the same picture
MAX_ASPECT = 200
MAX_SOURCE_PIXELS = 178_956_970  # above it Pillow, in the server too, calls a picture a bomb
PDF_DPI = 200
GUARD_SIDE = 4_500
IMAGE_DPI = 96  # MuPDF's value for a picture that states none
FIXED_POINT = 1 << 14  # MuPDF divides each pixel of a picture into so many steps

BAND_PIXELS = 4_000_000  # an A4 page at 200 dpi
OWN_SIZE = "own size"  # in a picture's info, if its size is not that of its file
HALF_AS_HIGH = (1.8, 2.2)  # times as many dots an inch across as down; a fax has 204 and 98

BLANK_RANGE = 16  # gray levels between the darkest and the lightest pixel of an even page
NOISE_RANGE = 64  # the same of an empty page with a scanner's noise
NOISE_RANGE_REDUCED = 5  # what remains of that noise when 8 x 8 pixels are averaged
NOISE_REACH = 16  # standard deviations that noise spans; a faint mark on even paper spans more


class UnreadablePage(Exception):
    """This file has no page that can be read; the message is the reason, for people."""


def check_size(width: float, height: float) -> None:
    """Raise UnreadablePage for a page that is too large for memory, or for the model."""
    if min(width, height) < 1:
        raise UnreadablePage(f"{width:.0f}x{height:.0f}: the page has no area")
    if width * height > MAX_SOURCE_PIXELS:
        raise UnreadablePage(
            f"{width:.0f}x{height:.0f} is more than {MAX_SOURCE_PIXELS:,} pixels: make it smaller"
        )
    if max(width, height) > MAX_ASPECT * min(width, height):
        raise UnreadablePage(
            f"{width:.0f}x{height:.0f} is longer than {MAX_ASPECT}:1: cut it into pieces"
        )


def one_channel_if_gray(image: Image.Image) -> Image.Image:
    """Make an "RGB" picture with three equal channels "L"; return any other as it is.

    Each later step then costs a third; the server makes three channels again.
    """
    if image.mode == "L":
        return image
    sample = image.resize((64, 64), Image.Resampling.NEAREST)  # mostly enough to see colour
    for picture in itertools.chain([sample], bands_of(image)):
        red, green, blue = (channel.tobytes() for channel in picture.split())
        if not red == green == blue:
            return image
    return image.getchannel("R")


def rows_of_band(width: int) -> int:
    """Return how many rows of this width have about BAND_PIXELS; an even number."""
    return max(2, BAND_PIXELS // width // 2 * 2)


def bands_of(image: Image.Image) -> Iterator[Image.Image]:
    """Yield a picture in bands of about BAND_PIXELS, so that work on a band needs little memory."""
    rows = rows_of_band(image.width)
    if rows >= image.height:
        yield image
        return
    for top in range(0, image.height, rows):
        yield image.crop((0, top, image.width, min(top + rows, image.height)))


def own_size(page: Image.Image) -> tuple[int, int]:
    """Return the (width, height) in the page's file: the picture may have another size."""
    size: tuple[int, int] = page.info.get(OWN_SIZE, page.size)
    return size


def with_square_pixels(
    page: Image.Image, dots_per_inch: tuple[float, float], notes: list[str]
) -> Image.Image:
    """Stretch a page to its true height if it has half as many dots an inch down as across.

    A usual fax has that. own_size() still returns the size in the file.
    """
    across, down = map(float, dots_per_inch)
    low, high = HALF_AS_HIGH
    if OWN_SIZE in page.info or not 0 < low * down <= across <= high * down:
        return page
    notes.append(
        f"{across:.0f} dots an inch across, {down:.0f} down, as a fax has: its height was corrected"
    )
    square = page.resize((page.width, round(page.height * across / down)), Image.Resampling.BICUBIC)
    square.info[OWN_SIZE] = page.size
    return square


def is_blank(page: Image.Image) -> bool:
    """Whether the page is one even colour, apart from a scanner's noise.

    The limits are narrow: a page of text with a tenth of the full contrast is not blank.
    """
    if contrast(page if page.mode == "L" else page.convert("L")) > NOISE_RANGE:
        return False
    return all(map(is_even, page.split()))


def is_even(channel: Image.Image) -> bool:
    """Whether a channel, of mode "L", has one level, apart from a scanner's noise."""
    levels = contrast(channel)
    if levels <= BLANK_RANGE:
        return True
    return (
        levels <= NOISE_RANGE
        and levels <= NOISE_REACH * ImageStat.Stat(channel).stddev[0]
        and contrast(channel.reduce(8)) <= NOISE_RANGE_REDUCED
    )


def contrast(gray: Image.Image) -> float:
    """Count the levels between the darkest and the lightest pixel of a picture of mode "L"."""
    low, high = cast(tuple[float, float], gray.getextrema())
    return high - low


def smart_resize(height: int, width: int, max_pixels: int) -> tuple[int, int]:
    """Return the (height, width) that the model wants for a picture of this height and width.

    Both are multiples of 28; the aspect ratio stays about the same; the area is MIN_PIXELS to
    max_pixels. It rounds as the reference does (Python's round, then int before the multiple),
    because one patch more or less shifts every box.
    """

    def shrink(height: int, width: int) -> tuple[int, int]:
        beta = math.sqrt(height * width / max_pixels)
        return (
            max(FACTOR, int(height / beta) // FACTOR * FACTOR),
            max(FACTOR, int(width / beta) // FACTOR * FACTOR),
        )

    new_height = max(FACTOR, round(height / FACTOR) * FACTOR)
    new_width = max(FACTOR, round(width / FACTOR) * FACTOR)
    if new_height * new_width > max_pixels:
        return shrink(height, width)
    if new_height * new_width < MIN_PIXELS:
        beta = math.sqrt(MIN_PIXELS / (height * width))
        new_height = math.ceil(int(height * beta) / FACTOR) * FACTOR
        new_width = math.ceil(int(width * beta) / FACTOR) * FACTOR
        if new_height * new_width > max_pixels:
            return shrink(new_height, new_width)
    return new_height, new_width


def enlarged_size(size: tuple[int, int]) -> tuple[int, int]:
    """Return the (width, height) in which MuPDF draws a picture at 200 dpi.

    If a side would be longer than GUARD_SIDE, return size itself; the reference would shrink it.
    """
    if max(size) * PDF_DPI > GUARD_SIDE * IMAGE_DPI:
        return size
    wide, high = (-(-side * PDF_DPI // IMAGE_DPI) for side in size)
    return wide, high


def stretched(page: Image.Image, size: tuple[int, int]) -> Image.Image:
    """Enlarge a picture as the reference does, pixel for pixel.

    The reference puts the picture on a PDF page and lets MuPDF render it. MuPDF repeats columns and
    rows: each new one copies the old one at its middle, in steps of 1 / FIXED_POINT.
    """
    if size == page.size:
        return page
    x_step, y_step = (
        own * FIXED_POINT // new / FIXED_POINT for own, new in zip(page.size, size, strict=True)
    )
    matrix = (x_step, 0, 0, 0, y_step, 0)
    return page.transform(size, Image.Transform.AFFINE, matrix, Image.Resampling.NEAREST)


def large_size(size: tuple[int, int], upsample_below: int) -> tuple[int, int]:
    """Return the (width, height) of a page before smart_resize: enlarged if it is small."""
    width, height = size
    return enlarged_size(size) if width * height <= upsample_below else size


def is_capped(size: tuple[int, int], max_pixels: int, upsample_below: int) -> bool:
    """Whether the model would see many more pixels of this page with MAX_PIXELS as the limit."""
    width, height = large_size(size, upsample_below)
    now, most = (math.prod(smart_resize(height, width, n)) for n in (max_pixels, MAX_PIXELS))
    return most >= MUCH_MORE * now


def model_picture(page: Image.Image, max_pixels: int, upsample_below: int) -> Image.Image:
    """Make the picture to send: enlarge a page of at most upsample_below pixels, then resize it.

    Raises UnreadablePage if the result has a longer shape than the server takes.
    """
    large = large_size(page.size, upsample_below)
    height, width = smart_resize(large[1], large[0], max_pixels)
    if max(height, width) >= MAX_ASPECT * min(height, width):
        raise UnreadablePage(
            f"{width}x{height}, as sent, reaches {MAX_ASPECT}:1: cut it into pieces"
        )
    if (width, height) == page.size:
        return page
    # Resize across, then down, because the order changes the pixels: the reference's Pillow always
    # goes across first, but Pillow 13 chooses by the sizes. Enlarging in the same order saves work
    # on rows that are only repeated.
    across = stretched(page, (large[0], page.height))
    across = across.resize((width, page.height), Image.Resampling.BICUBIC)
    return stretched(across, (width, large[1])).resize((width, height), Image.Resampling.BICUBIC)
