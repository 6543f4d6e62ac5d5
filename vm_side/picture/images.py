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
MUCH_MORE = 1.25  # times the pixels; with fewer more it would be the same picture again
MAX_ASPECT = 200
MAX_SOURCE_PIXELS = 178_956_970  # above it Pillow, and so the server, calls a picture a bomb
PDF_DPI = 200
GUARD_SIDE = 4_500
IMAGE_DPI = 96  # what MuPDF takes for a picture that states none
FIXED_POINT = 1 << 14  # MuPDF counts a picture's pixels in so many parts

BAND_PIXELS = 4_000_000  # an A4 page at 200 dpi
OWN_SIZE = "own size"  # in a picture's info, if it has another one now
HALF_AS_HIGH = (1.8, 2.2)  # times as many dots across as down: of a fax 204 and 98

BLANK_RANGE = 16  # gray levels between the darkest and the lightest pixel of an even page
NOISE_RANGE = 64  # the same of an empty page with a scanner's noise
NOISE_RANGE_REDUCED = 5  # what remains of that noise when 8 x 8 pixels are averaged
NOISE_REACH = 16  # standard deviations that noise spans; a faint mark on even paper spans more


class UnreadablePage(Exception):
    """This file holds no page that can be read; the message is the reason, for people."""


def check_size(width: float, height: float) -> None:
    """Raise UnreadablePage for a page that cannot be held, or that the model cannot take."""
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
    """An "RGB" picture whose channels are equal -> the same pixels as "L".

    Every later step costs a third; the server makes three channels of it again.
    """
    if image.mode == "L":
        return image
    sample = image.resize((64, 64), Image.Resampling.NEAREST)  # colour mostly shows at once
    for picture in itertools.chain([sample], bands_of(image)):
        red, green, blue = (channel.tobytes() for channel in picture.split())
        if not red == green == blue:
            return image
    return image.getchannel("R")


def rows_of_band(width: int) -> int:
    """How many rows of this width have BAND_PIXELS; an even number."""
    return max(2, BAND_PIXELS // width // 2 * 2)


def bands_of(image: Image.Image) -> Iterator[Image.Image]:
    """A picture in bands of BAND_PIXELS, so that what is made of them needs little memory."""
    rows = rows_of_band(image.width)
    if rows >= image.height:
        yield image
        return
    for top in range(0, image.height, rows):
        yield image.crop((0, top, image.width, min(top + rows, image.height)))


def own_size(page: Image.Image) -> tuple[int, int]:
    """The page's own (width, height): the picture may have been decoded smaller."""
    size: tuple[int, int] = page.info.get(OWN_SIZE, page.size)
    return size


def with_square_pixels(
    page: Image.Image, dots_per_inch: tuple[float, float], notes: list[str]
) -> Image.Image:
    """A page as it should look, if it has half as many dots down as across, as a usual fax has.

    Its own size stays that of its file.
    """
    across, down = map(float, dots_per_inch)
    low, high = HALF_AS_HIGH
    if OWN_SIZE in page.info or not 0 < low * down <= across <= high * down:
        return page
    notes.append(f"{across:.0f} dots an inch across, {down:.0f} down, as a fax has: shown so")
    square = page.resize((page.width, round(page.height * across / down)), Image.Resampling.BICUBIC)
    square.info[OWN_SIZE] = page.size
    return square


def is_blank(page: Image.Image) -> bool:
    """Whether the page is one even colour, apart from a scanner's noise.

    Drawn narrowly: text of a tenth of full contrast is not blank.
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
    """Levels between the darkest and the lightest pixel of a picture of mode "L"."""
    low, high = cast(tuple[float, float], gray.getextrema())
    return high - low


def smart_resize(height: int, width: int, max_pixels: int) -> tuple[int, int]:
    """The (height, width) that the model wants for a picture of this height and width.

    Multiples of 28, the aspect ratio kept, MIN_PIXELS to max_pixels in all. Rounding is that of
    the reference (Python's round, then int before the multiple), since one patch more or less
    shifts every box.
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
    """The (width, height) that MuPDF gives a picture at 200 dpi; beyond GUARD_SIDE, its own.

    There the reference would shrink it instead.
    """
    if max(size) * PDF_DPI > GUARD_SIDE * IMAGE_DPI:
        return size
    wide, high = (-(-side * PDF_DPI // IMAGE_DPI) for side in size)
    return wide, high


def stretched(page: Image.Image, size: tuple[int, int]) -> Image.Image:
    """Enlarge a picture as the reference does, pixel for pixel.

    The reference lays the picture on the page of a PDF and has MuPDF render it, which repeats
    columns and rows: the middle of a new one falls on an old one, in steps of 1 / FIXED_POINT.
    """
    if size == page.size:
        return page
    x_step, y_step = (
        own * FIXED_POINT // new / FIXED_POINT for own, new in zip(page.size, size, strict=True)
    )
    matrix = (x_step, 0, 0, 0, y_step, 0)
    return page.transform(size, Image.Transform.AFFINE, matrix, Image.Resampling.NEAREST)


def large_size(size: tuple[int, int], upsample_below: int) -> tuple[int, int]:
    """The (width, height) of a page before it is brought to what the model takes."""
    width, height = size
    return enlarged_size(size) if width * height <= upsample_below else size


def is_capped(size: tuple[int, int], max_pixels: int, upsample_below: int) -> bool:
    """Whether a page of this (width, height) has much more than the model sees of it."""
    width, height = large_size(size, upsample_below)
    now, most = (math.prod(smart_resize(height, width, n)) for n in (max_pixels, MAX_PIXELS))
    return most >= MUCH_MORE * now


def model_picture(page: Image.Image, max_pixels: int, upsample_below: int) -> Image.Image:
    """The picture to send: enlarged if of at most upsample_below pixels, then smart_resize.

    Raises UnreadablePage if it comes out longer than the server takes.
    """
    large = large_size(page.size, upsample_below)
    height, width = smart_resize(large[1], large[0], max_pixels)
    if max(height, width) >= MAX_ASPECT * min(height, width):
        raise UnreadablePage(
            f"{width}x{height}, as sent, reaches {MAX_ASPECT}:1: cut it into pieces"
        )
    if (width, height) == page.size:
        return page
    # one direction after the other: Pillow 13 chooses their order by the sizes, where the Pillow of
    # the reference always goes across first, and the order shows in the pixels; enlarging so, too,
    # spares the work on rows that are all repeated
    across = stretched(page, (large[0], page.height))
    across = across.resize((width, page.height), Image.Resampling.BICUBIC)
    return stretched(across, (width, large[1])).resize((width, height), Image.Resampling.BICUBIC)
