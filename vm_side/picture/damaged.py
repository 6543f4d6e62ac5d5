"""A damaged picture file, decoded as far as it goes: how much of it is missing?"""

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
EVEN = 16  # gray levels: of what is no more than that apart nothing can be missing
END_OF_IMAGE = b"\xff\xd9"
ENDS_EARLY = "damaged picture: it ends"  # of a JPEG with an end
ROWS_HELD = 32  # at most, that libjpeg does not give away without an end
MADE_UP = (127, 128)  # the gray that libjpeg gives to pixels that it has not got


@contextlib.contextmanager
def tolerance() -> Iterator[None]:
    """Have Pillow decode what there is, without a word. For this process: one thread computes."""
    ImageFile.LOAD_TRUNCATED_IMAGES = True
    try:
        yield
    finally:
        ImageFile.LOAD_TRUNCATED_IMAGES = False


def mended(
    data: bytes, opened: Callable[[bytes], ImageFile.ImageFile], why: object, notes: list[str]
) -> ImageFile.ImageFile:
    """The picture of a damaged file. What is missing gets the colour of the first pixel.

    Raises UnreadablePage if that is more than MOST_MISSING, and what Pillow raises.
    """
    data = bare_png(data) if data.startswith(PNG) else data
    with tolerance():
        image = opened(data)
        missing = part_missing(image, data)
        if missing > MOST_MISSING:
            share = f"{missing:.0%} of it is missing: " if missing < 1 else ""
            raise UnreadablePage(f"damaged picture: {share}{why}")
        if image.format in JPEGS:  # again, to its end: what is missing of a block's row is made up
            image = opened(data)
            image.load()
    share = (
        f"up to {missing:.1%} of its rows are missing" if missing else "nothing of it is missing"
    )
    notes.append(f"the picture's file is damaged, {share}: {why}")
    return image


def told(missing: float) -> str:
    """What is to be noted of a picture of whose rows this part is missing; empty: none is.

    Raises UnreadablePage if that is more than MOST_MISSING.
    """
    if missing > MOST_MISSING:
        raise UnreadablePage(f"damaged picture: {missing:.0%} of its rows are missing")
    share = f"{missing:.1%} of its rows are missing"
    return f"the picture's file is damaged, {share}" if missing else ""


def part_missing(image: ImageFile.ImageFile, data: bytes) -> float:
    """What part of a picture's rows is missing; all where that cannot be told. It is decoded."""
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
    """Raise UnreadablePage for a decoded JPEG that ends before its pixels do, if it has an end.

    libjpeg makes up the others, without a word.
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
    """Nothing but the chunks that decide the pixels, and which way is up."""
    kept, at = [PNG], len(PNG)
    while at + 8 <= len(png):
        end = at + 12 + int.from_bytes(png[at : at + 4], "big")
        kind = png[at + 4 : at + 8]
        if kind[:1].isupper() or kind in (b"tRNS", b"eXIf"):
            kept.append(png[at:end])
        at = end
    return b"".join(kept)


def can_tell(image: ImageFile.ImageFile) -> bool:
    """Whether Pillow decodes a picture onto what is there, so that it shows what is missing."""
    return image.format in GROUNDED and (image.format != "GIF" or "transparency" not in image.info)


def decode_on_pattern(image: ImageFile.ImageFile) -> float:
    """Decode a picture on a ground of random rows: where those still show, nothing was decoded.

    Returns what part of the rows that is, and gives them the colour of the first pixel there is.
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
    """What part of the rows a JPEG's last scan did not reach: those that it left as they were.

    An even rest of the page lacks nothing.
    """
    with_it, without = (
        Image.open(io.BytesIO(part + END_OF_IMAGE), formats=["JPEG"]).convert("L")
        for part in (data, data[: last.start])
    )
    wide, high = with_it.size
    reached = [y + 1 for y in range(high) if row_of(with_it, y) != row_of(without, y)]
    rest = with_it.crop((0, max(reached, default=0), wide, high))
    return 0.0 if not rest.height or contrast(rest) <= EVEN else rest.height / high
