"""A file -> the picture the model sees.

Pixels follow the reference client of dots.ocr (rednote-hilab/dots.ocr at 36d7248); `make parity`
compares the two. A page is held as a Pillow image of mode "L" (gray) or "RGB"; sizes are
(width, height) in pixels.
"""

import functools
import io
import math
import re
import struct
import warnings
import zlib
from pathlib import Path
from typing import cast

import pymupdf
from PIL import Image, ImageOps, ImageStat, UnidentifiedImageError

FACTOR = 28  # the model's patch of 14 pixels, merged 2 x 2
MIN_PIXELS = 3_136
MAX_PIXELS = 11_289_600
MAX_ASPECT = 200
MAX_SOURCE_PIXELS = 178_956_970  # above it Pillow, and so the server, calls a picture a bomb
PDF_DPI = 200
FALLBACK_DPI = 72  # for pages of which a side would pass GUARD_SIDE at PDF_DPI
GUARD_SIDE = 4_500
IMAGE_DPI = 96  # what MuPDF takes for a picture that states none
FIXED_POINT = 1 << 14  # MuPDF counts a picture's pixels in so many parts
IMAGE_FORMATS = ("PNG", "JPEG", "WEBP", "TIFF", "BMP", "GIF")  # EPS would run a program

MUPDF_ERRORS = (pymupdf.mupdf.FzErrorBase, RuntimeError, ValueError, OSError)

BLANK_RANGE = 16  # gray levels between the darkest and the lightest pixel of an even page
NOISE_RANGE = 64  # the same of an empty page with a scanner's noise
NOISE_RANGE_REDUCED = 5  # what remains of that noise when 8 x 8 pixels are averaged
NOISE_REACH = 16  # standard deviations that noise spans; a faint mark on even paper spans more


class UnreadablePage(Exception):
    """This file holds no page that can be read; the message is the reason, for people."""


def open_image(data: bytes) -> Image.Image:
    """Decode a picture file: upright by its EXIF tag, alpha on white, 8 bits, "L" or "RGB".

    Of an animation the first frame counts. Raises UnreadablePage.
    """
    if not data:
        raise UnreadablePage("the file is empty")
    try:
        with warnings.catch_warnings(action="ignore"):  # they would tear the progress bar
            image = Image.open(io.BytesIO(data), formats=IMAGE_FORMATS)
            check_size(image.width, image.height)
            image.load()
            ImageOps.exif_transpose(image, in_place=True)  # else it copies what is upright
            return one_channel_if_gray(flatten(image))
    except UnidentifiedImageError:
        raise UnreadablePage("not a PNG or JPEG picture, whatever its name says") from None
    except Image.DecompressionBombError:
        raise UnreadablePage(f"more than {MAX_SOURCE_PIXELS:,} pixels: make it smaller") from None
    except (OSError, SyntaxError, ValueError, EOFError, struct.error, zlib.error) as error:
        raise UnreadablePage(f"damaged picture: {error}") from error


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


def open_pdf(source: Path | bytes) -> pymupdf.Document:
    """Open a PDF, a file or its content.

    Raises UnreadablePage when it is missing, damaged or wants a password.
    """
    pymupdf.TOOLS.mupdf_display_errors(False)  # its complaints would tear the progress bar
    pymupdf.TOOLS.mupdf_display_warnings(False)
    try:
        if is_empty(source):
            raise UnreadablePage("the file is empty")
        given = {"stream": source} if isinstance(source, bytes) else {"filename": source}
        document = pymupdf.open(**given, filetype="pdf")
    except OSError as error:
        raise UnreadablePage(f"the file cannot be opened: {error.strerror}") from error
    except MUPDF_ERRORS as error:
        check_memory(error)
        raise UnreadablePage("damaged beyond repair, or no PDF at all") from error
    if document.needs_pass:
        document.close()
        raise UnreadablePage("the PDF wants a password: save a copy without one")
    return document


def check_memory(error: Exception) -> None:
    """Raise MemoryError if that is what an error of MuPDF's says."""
    if re.search(r"(malloc|calloc|realloc)\b.* failed", str(error)):
        raise MemoryError(str(error)) from error


def is_empty(source: Path | bytes) -> bool:
    """Whether there is not one byte. Raises OSError."""
    if isinstance(source, bytes):
        return not source
    with source.open("rb") as file:
        return not file.read(1)


def open_pdf_page(source: Path | bytes, index: int) -> Image.Image:
    """Render one page of a PDF at 200 dpi; at 72 dpi if a side would pass 4,500 pixels.

    index counts from 0. Raises UnreadablePage.
    """
    document = kept_pdf(source)
    try:
        page = document[index]
        for dpi in (PDF_DPI, FALLBACK_DPI):
            matrix = pymupdf.Matrix(dpi / 72, dpi / 72)
            area = (page.rect * matrix).irect
            if max(area.width, area.height) <= GUARD_SIDE:
                break
        check_size(area.width, area.height)
        pixmap = page.get_pixmap(matrix=matrix, alpha=False)
        has_pictures = bool(page.get_images())
    except (*MUPDF_ERRORS, IndexError) as error:
        open_once.cache_clear()  # who knows what state it is in
        check_memory(error)
        raise UnreadablePage(f"damaged PDF page: {error}") from error
    if has_pictures:  # decoded, they would stay: up to 256 MiB in each worker
        pymupdf.TOOLS.store_shrink(100)
    rgb = pixmap.samples
    gray = one_of_three(rgb)
    mode, pixels = ("RGB", rgb) if gray is None else ("L", gray)
    return Image.frombuffer(mode, (pixmap.width, pixmap.height), pixels, "raw", mode, 0, 1)


def one_of_three(rgb: bytes) -> bytes | None:
    """One channel of three equal ones, or None. Without a picture of all three, half the time."""
    red = b""
    for step in (3 * 61, 3):  # colour mostly shows at once
        red = rgb[::step]
        if not red == rgb[1::step] == rgb[2::step]:
            return None
    return red


def kept_pdf(source: Path | bytes) -> pymupdf.Document:
    """The document, still open if it was the last one: half of a page's time goes into its fonts.

    Raises UnreadablePage.
    """
    if isinstance(source, bytes):
        return open_once(source, 0, len(source))
    try:
        state = source.stat()
    except OSError as error:
        raise UnreadablePage(f"the file cannot be opened: {error.strerror}") from error
    return open_once(source, state.st_mtime_ns, state.st_size)


@functools.lru_cache(maxsize=1)
def open_once(source: Path | bytes, mtime_ns: int, size: int) -> pymupdf.Document:
    """open_pdf, unless it is the last document again, unchanged."""
    return open_pdf(source)


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
