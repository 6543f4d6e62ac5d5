"""A picture file -> the page that it holds."""

import contextlib
import io
import os
import struct
import warnings
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import IO, cast

from PIL import ExifTags, Image, ImageFile, ImageOps, UnidentifiedImageError
from PIL.TiffImagePlugin import TiffImageFile

from picture import fax, jpeg_scans, libtiff, strips, tiff_samples
from picture.damaged import PNG, check_end, mended, told
from picture.images import (
    MAX_SOURCE_PIXELS,
    OWN_SIZE,
    UnreadablePage,
    check_size,
    one_channel_if_gray,
    with_square_pixels,
)
from picture.kinds import (
    HEAD_BYTES,
    HEIF,
    JPEG,
    TIFF,
    WITH_END,
    content_of,
    file_of,
    head_of,
    picture_kind,
    what_it_is,
)
from picture.large.halves import ask_for_less, halved, is_too_large
from picture.modes import brightened, flattened
from picture.tiff_samples import as_meant, know_gray
from picture.unfilled import part_of_bmp, part_of_pixels, without_filler

# EPS would run a program
IMAGE_FORMATS = ("PNG", "JPEG", "WEBP", "TIFF", "BMP", "GIF", "JPEG2000", "AVIF")
DAMAGE = (
    *(OSError, SyntaxError, ValueError, EOFError, struct.error, zlib.error),
    RuntimeError,  # of AVIF
    TypeError,  # of a tag that should be a number
)
JUNK = b"\xef\xbb\xbf\r\n\t \0"  # bytes that a bad download may put before a file

TAIL_BYTES = 1 << 20  # of a file: we look for its end mark in these
CODED = ("HEIF", "AVIF", "WEBP")  # their codecs decode missing data as pixels
CUT_SHORT = "was never written, as of a copy that was cut short"


def open_image(source: Path | bytes, notes: list[str] | None = None) -> Image.Image:
    """Decode a picture file, or its content: upright by its EXIF tag, alpha on white, "L" or "RGB".

    Use the first frame of an animation. Add that, and everything else that is odd, to the notes.
    Raises UnreadablePage, and OSError if the file cannot be opened.
    """
    head = head_of(source)
    if not head:
        raise UnreadablePage("the file is empty")
    odd = [] if notes is None else notes
    if not picture_kind(head):
        data = content_of(source)
        if picture_kind(sound := data.lstrip(JUNK)):
            odd.append(f"{len(data) - len(sound)} bytes before the picture left out")
            source, head = sound, sound[:HEAD_BYTES]
    with file_of(source) as file, faults_told(head):
        return page_in(file, source, odd)


@contextlib.contextmanager
def faults_told(head: bytes) -> Iterator[None]:
    """Turn what Pillow raises for a bad file into UnreadablePage; head is the file's beginning."""
    try:
        with warnings.catch_warnings(action="ignore"):  # they would break the progress bar
            yield
    except UnidentifiedImageError:
        found, damaged = what_it_is(head), bool(picture_kind(head))
        raise UnreadablePage(f"{found}, damaged" if damaged else f"no picture: {found}") from None
    except Image.DecompressionBombError:
        raise UnreadablePage(f"more than {MAX_SOURCE_PIXELS:,} pixels: make it smaller") from None
    except DAMAGE as error:
        raise UnreadablePage(damage_told(error)) from error


def damage_told(error: Exception) -> str:
    """Turn an error of Pillow or Python about a damaged file into a reason for people."""
    why = "a tag of it is of a wrong type" if isinstance(error, TypeError) else error
    return f"damaged picture: {why}"


def opened(file: IO[bytes]) -> ImageFile.ImageFile:
    """Open a picture file of a format that we read, without decoding its pixels.

    Raises what Pillow raises, and UnreadablePage for a kind of TIFF or JPEG that we do not read.
    """
    kind = picture_kind(file.read(16))
    file.seek(0)
    if kind == HEIF:
        know_heif()
    elif kind == TIFF:
        know_gray()
    try:
        image = Image.open(file, formats=(*IMAGE_FORMATS, *(("HEIF",) if kind == HEIF else ())))
    except UnidentifiedImageError:
        file.seek(0)
        why = ""
        if kind == TIFF:
            why = tiff_samples.why_not_opened(file)
        elif kind == JPEG:
            why = jpeg_scans.why_not_opened(file.read(TAIL_BYTES))
        if why:
            raise UnreadablePage(why) from None
        raise
    as_meant(image)
    return image


def know_heif() -> None:
    """Make Pillow able to read HEIF; this takes as long as a worker takes to start."""
    try:
        import pillow_heif  # noqa: PLC0415 - see above
    except ImportError as error:
        raise UnreadablePage(f"pillow-heif, which reads HEIC, cannot run here: {error}") from error
    pillow_heif.register_heif_opener()


def of_many(image: Image.Image) -> str:
    """Return the note for a file with more than one picture; empty if it has one.

    Raises UnreadablePage for a TIFF: its frames are pages, and no page may be lost.
    """
    if not getattr(image, "is_animated", False) or image.format == "MPO":
        return ""  # a camera's other pictures are the same one, larger or smaller
    if image.format == "TIFF":
        raise UnreadablePage("a TIFF of several pages: call it .tif, and each is read")
    return "an animation, or several pictures in one file: the first was read"


def own_jpeg(source: Path | bytes, page_size: tuple[int, int]) -> bytes:
    """Return the content of a JPEG file that shows exactly what open_image() gives; else b"".

    That is b"" for a JPEG that is damaged, turned by its EXIF tag, decoded smaller, or neither gray
    nor RGB.
    """
    content = content_of(source)
    notes: list[str] = []
    try:
        with Image.open(io.BytesIO(content), formats=("JPEG",)) as image:
            as_it_lies = image.getexif().get(ExifTags.Base.Orientation, 1) not in range(2, 9)
            is_plain = as_it_lies and image.format == "JPEG" and image.mode in ("L", "RGB")
        is_same = is_plain and open_image(content, notes).size == page_size
    except (*DAMAGE, UnreadablePage, Image.DecompressionBombError):
        return b""
    return content if is_same and not notes else b""


def page_in(file: IO[bytes], source: Path | bytes, notes: list[str]) -> Image.Image:
    """Return the page in an open picture file, as open_image does.

    source has the same bytes, to check or repair them; for a TIFF it may be empty.
    Raises what Pillow raises, and UnreadablePage.
    """
    image = decoded(file, source, notes)
    turn_upright(image, notes)
    page = one_channel_if_gray(flattened(image, notes))
    if OWN_SIZE in image.info:
        page.info[OWN_SIZE] = image.info[OWN_SIZE]
    return with_square_pixels(page, image.info.get("dpi", (1, 1)), notes)


def decoded(file: IO[bytes], source: Path | bytes, notes: list[str]) -> Image.Image:
    """Decode the picture as it is stored. Raises what Pillow raises, and UnreadablePage."""
    kind = picture_kind(file.read(16))
    if kind in WITH_END and (written := without_filler(file)):
        return as_stored(io.BytesIO(written), written, notes)
    file.seek(0)
    if kind != TIFF:
        return as_stored(file, source, notes)
    so_far = len(notes)
    try:
        with libtiff.heard() as said:
            picture = as_stored(file, source, notes)
    except UnidentifiedImageError:
        raise  # the caller says what the file is
    except DAMAGE as error:
        raise UnreadablePage(damage_told(error) + libtiff.first_of(said)) from error
    file.seek(0)
    tags = cast(TiffImageFile, opened(file)).tag_v2
    if said:
        notes.append(libtiff.remark(said, tags))
    elif len(notes) == so_far:
        is_fax = picture.info.get("compression") == fax.GROUP_4
        notes += filter(None, [told((fax if is_fax else strips).part_missing(file, tags))])
    return picture


def as_stored(file: IO[bytes], source: Path | bytes, notes: list[str]) -> Image.Image:
    """Decode the picture as it is stored; a damaged file as far as possible. source: see page_in().

    Raises what Pillow raises, and UnreadablePage if too much is missing.
    """

    def anew(content: bytes) -> ImageFile.ImageFile:
        file.seek(0)
        return fitting(opened(io.BytesIO(content) if content else file))

    try:
        image = opened(file)
        notes += filter(None, [of_many(image)])
        image = fitting(image)
        kind, is_deep = image.format, ";16" in str(image.tile)
        picture = whole_or_half(image)
    except UnidentifiedImageError:
        data = content_of(source)
        if not data.startswith(PNG):
            raise
        return whole_or_half(mended(data, anew, "a chunk of it is damaged", notes))
    except DAMAGE as error:
        return whole_or_half(mended(content_of(source), anew, error, notes))
    if kind == "JPEG":
        check_end(picture, source, anew)
    if kind in CODED and (missing := part_of_pixels(file)):
        raise UnreadablePage(f"damaged picture: the last {missing:.0%} of its data {CUT_SHORT}")
    if kind == "BMP":
        notes += filter(None, [told(part_of_bmp(file, image.size))])
    if kind == "PNG" and not has_end(file):
        notes.append("the picture's file is cut off, after all of its pixels")
    return brightened(picture, notes) if is_deep and picture.mode[0] not in "IF" else picture


def fitting(image: ImageFile.ImageFile) -> ImageFile.ImageFile:
    """Check an opened picture's size; ask for a smaller one if it is very large and can do that.

    Raises UnreadablePage.
    """
    check_size(*image.size)
    ask_for_less(image)
    return image


def whole_or_half(image: ImageFile.ImageFile) -> Image.Image:
    """Decode a picture as it is stored; a very large one half as wide and half as high."""
    if is_too_large(image):
        return halved(image)
    image.load()
    return image


def has_end(png: IO[bytes]) -> bool:
    """Whether a PNG has its last chunk."""
    size = png.seek(0, os.SEEK_END)
    png.seek(max(0, size - TAIL_BYTES))
    return b"IEND" in png.read()


def turn_upright(image: Image.Image, notes: list[str]) -> None:
    """Turn a picture as its EXIF tag says, if that can be read."""
    try:
        lying = image.size
        ImageOps.exif_transpose(image, in_place=True)  # else it copies even an upright picture
        if image.size != lying and OWN_SIZE in image.info:
            image.info[OWN_SIZE] = image.info[OWN_SIZE][::-1]
    except DAMAGE as error:
        notes.append(f"its EXIF data is damaged, not turned: {error}")
