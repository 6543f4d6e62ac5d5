"""Decode a damaged picture file as far as possible, and measure how much is missing."""

import contextlib
import io
import random
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import cast

from PIL import Image, ImageFile

from picture.images import UnreadablePage, contrast
from picture.jpeg_scans import Scan, has_all_scans, scans_of
from picture.kinds import content_of

PNG = b"\x89PNG\r\n\x1a\n"
JPEGS = ("JPEG", "MPO")
GROUNDED = (*JPEGS, "PNG", "BMP", "GIF", "TIFF")
MOST_MISSING = 0.05  # of the rows: less than the margin of a letter
EVEN = 16  # gray levels; an area with no more contrast counts as even: nothing is missing
END_OF_IMAGE = b"\xff\xd9"
ENDS_EARLY = "damaged picture: it ends"  # said of a JPEG that has its end mark
ROWS_HELD = 32  # libjpeg keeps back at most so many rows if there is no end mark
MADE_UP = (127, 128)  # the gray that libjpeg gives to missing pixels


@contextlib.contextmanager
def tolerance() -> Iterator[None]:
    """Let Pillow decode what is there, without an error; in all threads, but only one computes."""
    ImageFile.LOAD_TRUNCATED_IMAGES = True
    try:
        yield
    finally:
        ImageFile.LOAD_TRUNCATED_IMAGES = False


def mended(
    data: bytes, opened: Callable[[bytes], ImageFile.ImageFile], why: object, notes: list[str]
) -> ImageFile.ImageFile:
    """Decode a damaged file. Missing rows get the colour of the first pixel that is there.

    In a JPEG, libjpeg makes them up. Raises UnreadablePage if more than MOST_MISSING is missing,
    and what Pillow raises.
    """
    data = bare_png(data) if data.startswith(PNG) else data
    with tolerance():
        image = opened(data)
        missing = part_missing(image, data)
        if missing > MOST_MISSING:
            share = f"{missing:.0%} of it is missing: " if missing < 1 else ""
            raise UnreadablePage(f"damaged picture: {share}{why}")
        if image.format in JPEGS:  # decode it again: libjpeg then fills a block row that was cut
            image = opened(data)
            image.load()
    share = (
        f"up to {missing:.1%} of its rows are missing" if missing else "nothing of it is missing"
    )
    notes.append(f"the picture's file is damaged, {share}: {why}")
    return image


def told(missing: float) -> str:
    """Return the note for a picture with this part of its rows missing; empty for 0.

    Raises UnreadablePage if it is more than MOST_MISSING.
    """
    if missing > MOST_MISSING:
        raise UnreadablePage(f"damaged picture: {missing:.0%} of its rows are missing")
    share = f"{missing:.1%} of its rows are missing"
    return f"the picture's file is damaged, {share}" if missing else ""


def part_missing(image: ImageFile.ImageFile, data: bytes) -> float:
    """Return what part of a picture's rows is missing; 1 if that cannot be told. May decode it."""
    if image.format in JPEGS:
        components, scans = scans_of(data)
        if len(scans) > 1 and not has_all_scans(components, scans):
            return 1.0
        if len(scans) > 1:
            return 0.0 if scans[-1].is_fine else part_not_reached(data, scans[-1])
    return decode_on_pattern(image) if can_tell(image) else 1.0


def check_end(
    picture: Image.Image, source: Path | bytes, opened: Callable[[bytes], ImageFile.ImageFile]
) -> None:
    """Raise UnreadablePage for a decoded JPEG with an end mark that lacks a part of its pixels.

    libjpeg makes those up without a warning.
    """
    if "progressive" in picture.info:
        if not has_all_scans(*scans_of(content_of(source))):
            raise UnreadablePage(f"{ENDS_EARLY} before the last of its scans")
        return
    lowest = picture.crop((0, picture.height - 1, picture.width, picture.height))
    extrema = [cast(tuple[float, float], band.getextrema()) for band in lowest.split()]
    if all(low == high and low in MADE_UP for low, high in extrema):
        data = content_of(source)
        data = data[: data.rfind(END_OF_IMAGE)]
        with tolerance():
            missing = part_missing(opened(data), data)
        if missing > max(MOST_MISSING, ROWS_HELD / picture.height):
            raise UnreadablePage(f"{ENDS_EARLY} where {missing:.0%} of it is missing")


def bare_png(png: bytes) -> bytes:
    """Keep only the chunks of a PNG that decide its pixels, and which way is up."""
    kept, at = [PNG], len(PNG)
    while at + 8 <= len(png):
        end = at + 12 + int.from_bytes(png[at : at + 4], "big")
        kind = png[at + 4 : at + 8]
        if kind[:1].isupper() or kind in (b"tRNS", b"eXIf"):
            kept.append(png[at:end])
        at = end
    return b"".join(kept)


def can_tell(image: ImageFile.ImageFile) -> bool:
    """Whether Pillow decodes a picture into the pixels we give it, so that missing rows show."""
    return image.format in GROUNDED and (image.format != "GIF" or "transparency" not in image.info)


def decode_on_pattern(image: ImageFile.ImageFile) -> float:
    """Decode a picture over random pixels: a row that still shows them was not decoded.

    Returns what part of the rows that is. Gives them the colour of the first decoded pixel.
    """
    if image.format in JPEGS:
        image._ended = True  # type: ignore[attr-defined] # else Pillow ends the file, with gray
    size = len(Image.new(image.mode, (image.width, 1)).tobytes())
    row = Image.frombytes(image.mode, (image.width, 1), random.Random(size).randbytes(size))
    image.im = row.resize(image.size, Image.Resampling.NEAREST).im
    image.load()
    pattern = row.tobytes()
    missing = [y for y in range(image.height) if row_of(image, y) == pattern]
    if missing and len(missing) < image.height:
        first = next(y for y, gone in enumerate([*missing, -1]) if y != gone)
        pixel = image.crop((0, first, 1, first + 1))
        for y in missing:
            image.paste(pixel.resize((image.width, 1)), (0, y))
    return len(missing) / image.height


def row_of(image: Image.Image, y: int) -> bytes:
    """The pixels of a row."""
    return image.crop((0, y, image.width, y + 1)).tobytes()


def part_not_reached(data: bytes, last: Scan) -> float:
    """Return what part of the rows a JPEG's last scan did not reach: it changed nothing there.

    Returns 0 if the rest of the page is even: nothing can be missing there.
    """
    with_it, without = (
        Image.open(io.BytesIO(part + END_OF_IMAGE), formats=["JPEG"]).convert("L")
        for part in (data, data[: last.start])
    )
    wide, high = with_it.size
    reached = [y + 1 for y in range(high) if row_of(with_it, y) != row_of(without, y)]
    rest = with_it.crop((0, max(reached, default=0), wide, high))
    return 0.0 if not rest.height or contrast(rest) <= EVEN else rest.height / high
