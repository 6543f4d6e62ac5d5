"""A picture file -> the page that it holds."""

import contextlib
import io
import struct
import warnings
import zlib
from collections.abc import Callable, Iterator
from typing import IO

from PIL import Image, ImageFile, ImageOps, UnidentifiedImageError

from picture.damaged import PNG, mended
from picture.images import (
    MAX_SOURCE_PIXELS,
    OWN_SIZE,
    UnreadablePage,
    check_size,
    one_channel_if_gray,
)
from picture.kinds import HEAD_BYTES, HEIF, picture_kind, what_it_is
from picture.modes import brightened, flattened

# EPS would run a program
IMAGE_FORMATS = ("PNG", "JPEG", "WEBP", "TIFF", "BMP", "GIF", "JPEG2000", "AVIF")
MOST_PIXELS = 64_000_000  # in colour: Pillow holds them in 256 MB
DAMAGE = (OSError, SyntaxError, ValueError, EOFError, struct.error, zlib.error)
JUNK = b"\xef\xbb\xbf\r\n\t \0"  # what a careless download puts before a file

Opener = Callable[[bytes], ImageFile.ImageFile]


def open_image(data: bytes, notes: list[str] | None = None) -> Image.Image:
    """Decode a picture file: upright by its EXIF tag, alpha on white, 8 bits, "L" or "RGB".

    Of an animation the first frame counts; that, and what else is odd, is added to the notes.
    Raises UnreadablePage.
    """
    if not data:
        raise UnreadablePage("the file is empty")
    odd = [] if notes is None else notes
    if not picture_kind(data) and picture_kind(sound := data.lstrip(JUNK)):
        odd.append(f"{len(data) - len(sound)} bytes before the picture left out")
        data = sound
    with faults_told(data):
        return page_in(data, lambda content: opened(io.BytesIO(content)), odd)


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
    except DAMAGE as error:
        raise UnreadablePage(f"damaged picture: {error}") from error


def opened(file: IO[bytes]) -> ImageFile.ImageFile:
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


def page_in(data: bytes, opener: Opener, notes: list[str]) -> Image.Image:
    """The page in a picture, as open_image gives it. Raises what Pillow raises, UnreadablePage."""
    image = decoded(data, opener, notes)
    turn_upright(image, notes)
    page = one_channel_if_gray(flattened(image, notes))
    if OWN_SIZE in image.info:
        page.info[OWN_SIZE] = image.info[OWN_SIZE]
    return page


def decoded(data: bytes, opener: Opener, notes: list[str]) -> Image.Image:
    """The picture as it is stored, of a damaged file as far as it goes; opener opens it, also anew.

    Raises what Pillow raises, and UnreadablePage if too much is missing.
    """

    def fresh(content: bytes) -> ImageFile.ImageFile:
        return made_small(opener(content))

    try:
        image = opener(data)
        notes += filter(None, [of_many(image)])
        image = made_small(image)
        is_deep = ";16" in str(image.tile)
        image.load()
    except UnidentifiedImageError:
        if not data.startswith(PNG):
            raise
        return mended(data, fresh, "a chunk of it is damaged", notes)
    except DAMAGE as error:
        return mended(data, fresh, error, notes)
    if image.format == "PNG" and data.rfind(b"IEND") < 0:
        notes.append("the picture's file is cut off, after all of its pixels")
    return brightened(image, notes) if is_deep and image.mode[0] not in "IF" else image


def made_small(image: ImageFile.ImageFile) -> ImageFile.ImageFile:
    """An opened picture; a very large one is to be decoded smaller, if its format can.

    Raises UnreadablePage.
    """
    size = wide, high = image.size
    check_size(wide, high)
    if wide * high > MOST_PIXELS and image.mode != "L":
        if image.format == "JPEG2000":
            image.reduce = 1  # type: ignore[assignment] # halvings; Pillow's way to ask
        else:
            image.draft(image.mode, (wide // 2, high // 2))  # of a JPEG; of others nothing
    if image.size != size or image.format == "JPEG2000":
        image.info[OWN_SIZE] = size
    return image


def turn_upright(image: Image.Image, notes: list[str]) -> None:
    """Turn a picture as its EXIF tag says, if that can be read."""
    try:
        lying = image.size
        ImageOps.exif_transpose(image, in_place=True)  # else it copies what is upright
        if image.size != lying and OWN_SIZE in image.info:
            image.info[OWN_SIZE] = image.info[OWN_SIZE][::-1]
    except DAMAGE as error:
        notes.append(f"its EXIF data is damaged, not turned: {error}")
