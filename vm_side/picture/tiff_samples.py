"""Read a TIFF's samples as its tags mean them, if Pillow would misread them or refuse them."""

from typing import IO, Any, cast

from PIL import ImageFile, ImagePalette, TiffImagePlugin
from PIL.TiffImagePlugin import OPEN_INFO, ImageFileDirectory_v2, TiffImageFile

BITS, PHOTOMETRIC, PLANES, PALETTE, FORMAT = 258, 262, 284, 320, 339
BIT_ORDER, LOWEST_FIRST = 266, 2
EIGHT_BITS = 1 << 8
APART = 2  # each channel in strips of its own
MIN_IS_WHITE, MIN_IS_BLACK, YCBCR = 0, 1, 6
MIN_IS_WHITE_KEY = "minimum is white"  # in a picture's info: it must still be inverted
WHOLE, SIGNED, FRACTION = 1, 2, 3  # what a sample may be
# (bits, format) of gray -> Pillow's mode, and its name for the samples; {} is their byte order
GRAY = {
    (12, WHOLE): ("I;16", "I;12"),
    (16, WHOLE): ("I;16", "I;16{}"),
    (32, WHOLE): ("F", "F;32{}"),
    (8, SIGNED): ("I", "I;8S"),
    (16, SIGNED): ("I", "I;16{}S"),
    (32, SIGNED): ("I", "I;32{}S"),
    (32, FRACTION): ("F", "F;32{}F"),
    (64, FRACTION): ("F", "F;64{}F"),
}
ORDERS = {b"II": "", b"MM": "B"}
BIG_ENDIAN_BIGTIFF = b"MM\0+"
NATIVE = "N"  # the byte order that libtiff unpacks to


def know_gray() -> None:
    """Make Pillow open each kind of gray; as_meant() then sets the right kind."""
    for bits, form in GRAY:
        for order in ORDERS:
            for photometric in (MIN_IS_WHITE, MIN_IS_BLACK):
                key = order, photometric, (form,), 1, (bits,), ()
                OPEN_INFO.setdefault(key, ("I", "I;32N"))


def as_meant(image: ImageFile.ImageFile) -> None:
    """Prepare an opened TIFF to be decoded as its tags mean it; leave other pictures alone."""
    if not isinstance(image, TiffImageFile):
        return
    know_palette(image)
    tags = image.tag_v2
    bits = tags.get(BITS, (1,))
    is_packed = image.use_load_libtiff
    if not is_packed and is_misread(tags):
        unpack_by_libtiff(image)
    form, *_ = tags.get(FORMAT, (WHOLE,))
    is_gray = tags.get(PHOTOMETRIC, MIN_IS_WHITE) in (MIN_IS_WHITE, MIN_IS_BLACK)
    is_reversed = tags.get(BIT_ORDER) == LOWEST_FIRST and not is_packed
    if is_gray and not is_reversed and (*bits, form) in GRAY:
        mode, rawmode = GRAY[*bits, form]
        order = NATIVE if is_packed else ORDERS[tags.prefix]
        image._mode = mode
        image.tile = [
            tile._replace(args=(rawmode.format(order), *cast(tuple[Any, ...], tile.args)[1:]))
            for tile in image.tile
        ]
        if tags.get(PHOTOMETRIC) == MIN_IS_WHITE:
            image.info[MIN_IS_WHITE_KEY] = True


def know_palette(image: TiffImageFile) -> None:
    """Read a palette of 8 bits a colour, which old programs wrote, as libtiff does.

    The standard has 16 bits, and Pillow keeps the upper 8: all colours would be black.
    """
    colours = image.tag_v2.get(PALETTE, ())
    if image.mode == "P" and colours and max(colours) < EIGHT_BITS:
        image.palette = ImagePalette.raw("RGB;L", bytes(colours))


def is_misread(tags: ImageFileDirectory_v2) -> bool:
    """Whether Pillow would misread these samples if they are not packed; libtiff does not."""
    bits = tags.get(BITS, (1,))
    is_apart = tags.get(PLANES) == APART and (max(bits) > 8 or len(bits) == 2)
    return is_apart or tags.get(PHOTOMETRIC) == YCBCR


def unpack_by_libtiff(image: TiffImageFile) -> None:
    """Let libtiff decode a picture, though it is not packed."""
    TiffImagePlugin.READ_LIBTIFF = True
    try:
        image._setup()
    finally:
        TiffImagePlugin.READ_LIBTIFF = False


def why_not_opened(file: IO[bytes]) -> str:
    """Say why Pillow does not open a TIFF that is not damaged, for people; else empty."""
    file.seek(0)
    if file.read(4) == BIG_ENDIAN_BIGTIFF:
        return "a big-endian BigTIFF is not read: save it as a common TIFF"
    file.seek(0)
    try:
        TiffImageFile(file)
    except SyntaxError as error:
        said = str(error)
        if said == "unknown pixel mode":
            return "a TIFF of samples that are not read: save it with 8 bits a channel"
        if said.isdigit():
            return f"a TIFF whose compression, {said}, is not read: save it with another"
    return ""
