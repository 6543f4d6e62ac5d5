"""A file -> the picture the model sees.

Pixels follow the reference client of dots.ocr (rednote-hilab/dots.ocr at 36d7248); `make parity`
compares the two. A page is held as a Pillow image of mode "L" (gray) or "RGB"; sizes are
(width, height) in pixels.
"""

import contextlib
import io
import math
import struct
import warnings
import zlib
from collections.abc import Iterator
from typing import IO, cast

from PIL import Image, ImageOps, ImageStat, UnidentifiedImageError

from picture.kinds import HEAD_BYTES, HEIF, picture_kind, what_it_is

FACTOR = 28  # the model's patch of 14 pixels, merged 2 x 2
MIN_PIXELS = 3_136
MAX_PIXELS = 11_289_600
MAX_ASPECT = 200
MAX_SOURCE_PIXELS = 178_956_970  # above it Pillow, and so the server, calls a picture a bomb
PDF_DPI = 200
GUARD_SIDE = 4_500
IMAGE_DPI = 96  # what MuPDF takes for a picture that states none
FIXED_POINT = 1 << 14  # MuPDF counts a picture's pixels in so many parts
# EPS would run a program
IMAGE_FORMATS = ("PNG", "JPEG", "WEBP", "TIFF", "BMP", "GIF", "JPEG2000", "AVIF")

BLANK_RANGE = 16  # gray levels between the darkest and the lightest pixel of an even page
NOISE_RANGE = 64  # the same of an empty page with a scanner's noise
NOISE_RANGE_REDUCED = 5  # what remains of that noise when 8 x 8 pixels are averaged
NOISE_REACH = 16  # standard deviations that noise spans; a faint mark on even paper spans more


class UnreadablePage(Exception):
    """This file holds no page that can be read; the message is the reason, for people."""


def open_image(data: bytes, notes: list[str] | None = None) -> Image.Image:
    """Decode a picture file: upright by its EXIF tag, alpha on white, 8 bits, "L" or "RGB".

    Of an animation the first frame counts; that, and the like, is added to the notes.
    Raises UnreadablePage.
    """
    if not data:
        raise UnreadablePage("the file is empty")
    with faults_told(data):
        image = opened(io.BytesIO(data))
        said = of_many(image)
        if said and notes is not None:
            notes.append(said)
        return decoded(image)


@contextlib.contextmanager
def faults_told(head: bytes) -> Iterator[None]:
    """What Pillow raises for a bad file becomes UnreadablePage; head is how the file begins."""
    try:
        with warnings.catch_warnings(action="ignore"):  # they would tear the progress bar
            yield
    except UnidentifiedImageError:
        found, damaged = what_it_is(head[:HEAD_BYTES]), bool(picture_kind(head))
        raise UnreadablePage(f"{found}, damaged" if damaged else f"no picture: {found}") from None
    except Image.DecompressionBombError:
        raise UnreadablePage(f"more than {MAX_SOURCE_PIXELS:,} pixels: make it smaller") from None
    except (OSError, SyntaxError, ValueError, EOFError, struct.error, zlib.error) as error:
        raise UnreadablePage(f"damaged picture: {error}") from error


def opened(file: IO[bytes]) -> Image.Image:
    """A picture file, of a format that counts, before it is decoded."""
    is_heif = picture_kind(file.read(16)) == HEIF
    file.seek(0)
    if is_heif:
        know_heif()
    return Image.open(file, formats=(*IMAGE_FORMATS, *(("HEIF",) if is_heif else ())))


def know_heif() -> None:
    """Have Pillow know HEIF; that takes a worker as long as it took to begin."""
    try:
        import pillow_heif  # noqa: PLC0415 - see above
    except ImportError as error:
        raise UnreadablePage(f"pillow-heif, which reads HEIC, cannot run here: {error}") from error
    pillow_heif.register_heif_opener()


def of_many(image: Image.Image) -> str:
    """What is to be noted of a file with more than one picture; empty: it has one.

    Raises UnreadablePage for a TIFF: its frames are pages, of which none may be lost.
    """
    if not getattr(image, "is_animated", False) or image.format == "MPO":
        return ""  # a camera's other pictures are the same one, larger or smaller
    if image.format == "TIFF":
        raise UnreadablePage("a TIFF of several pages: call it .tif, and each is read")
    return "an animation, or several pictures in one file: the first was read"


def decoded(image: Image.Image) -> Image.Image:
    """The pixels of an opened picture, as open_image gives them."""
    check_size(image.width, image.height)
    image.load()
    ImageOps.exif_transpose(image, in_place=True)  # else it copies what is upright
    return one_channel_if_gray(flatten(image))


def check_size(width: float, height: float) -> None:
    """Raise UnreadablePage for a page that cannot be held, or that the model cannot take."""
    if width * height > MAX_SOURCE_PIXELS:
        raise UnreadablePage(
            f"{width:.0f}x{height:.0f} is more than {MAX_SOURCE_PIXELS:,} pixels: make it smaller"
        )
    if max(width, height) > MAX_ASPECT * min(width, height):
        raise UnreadablePage(
            f"{width:.0f}x{height:.0f} is longer than {MAX_ASPECT}:1: cut it into pieces"
        )


def flatten(image: Image.Image) -> Image.Image:
    """Any Pillow mode -> "L" or "RGB"; what is transparent becomes white."""
    if image.mode in ("L", "RGB"):
        if "transparency" not in image.info:
            return image
        image = image.convert("RGBA")
    if image.mode.startswith("I"):
        # 16 bits a pixel; Pillow's own conversion would cut all above 255 to white
        return image.convert("F").point(lambda value: value * (1 / 257) + 0.5).convert("L")
    if image.mode in ("LA", "PA", "La", "RGBa") or (
        image.mode == "P" and "transparency" in image.info
    ):
        image = image.convert("RGBA")
    if image.mode == "RGBA":
        white = Image.new("RGB", image.size, "white")
        white.paste(image, mask=image.getchannel("A"))
        return white
    return image.convert("L" if image.mode == "1" else "RGB")


def one_channel_if_gray(image: Image.Image) -> Image.Image:
    """An "RGB" picture whose channels are equal -> the same pixels as "L".

    Every later step costs a third; the server makes three channels of it again.
    """
    if image.mode == "L":
        return image
    sample = image.resize((64, 64), Image.Resampling.NEAREST)  # colour mostly shows at once
    for picture in (sample, image):
        red, green, blue = (channel.tobytes() for channel in picture.split())
        if not red == green == blue:
            return image
    return image.getchannel("R")


def is_blank(page: Image.Image) -> bool:
    """Whether the page is one even colour, apart from a scanner's noise.

    Drawn narrowly: text of a tenth of full contrast is not blank.
    """
    if contrast(page.convert("L")) > NOISE_RANGE:
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


def model_picture(page: Image.Image, max_pixels: int, upsample_below: int) -> Image.Image:
    """The picture to send: enlarged if of at most upsample_below pixels, then smart_resize.

    Raises UnreadablePage if it comes out longer than the server takes.
    """
    is_small = page.width * page.height <= upsample_below
    large = enlarged_size(page.size) if is_small else page.size
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
