"""Turn a picture into an object of a PDF: the file's own bytes if possible, else all its pixels."""

import io
import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy
from PIL import Image, ImageOps
from PIL.TiffImagePlugin import TiffImageFile

from lib.damage import UNREADABLE

PNG = b"\x89PNG\r\n\x1a\n"
GRAY, RGB, CMYK = "/DeviceGray", "/DeviceRGB", "/DeviceCMYK"
COLOURS = {GRAY: 1, RGB: 3, CMYK: 4}
SPACES = {"L": GRAY, "RGB": RGB, "CMYK": CMYK}
PROFILES = {b"GRAY": GRAY, b"RGB ": RGB, b"CMYK": CMYK}
PNG_SPACES = {0: GRAY, 2: RGB, 3: ""}
INVERTED = "/Decode[1 0 1 0 1 0 1 0]"  # Adobe, and all others since, write CMYK JPEGs inverted
ORIENTATION, UPRIGHT, LYING = 0x0112, 1, (5, 6, 7, 8)  # EXIF's
DEFLATE = 4  # level of 9: twice as fast as 6, and only 1 % larger
ROWS_PER_STRIP, STRIP_OFFSETS, STRIP_BYTES = 278, 273, 279  # of a TIFF
LEAST_DPI, MOST_DPI = 72, 1200
LEAST_SIDE_PT, MOST_SIDE_PT = 200, 1800  # of a page's longer side: from a small card to A2
A4_PT = 842


@dataclass(frozen=True)
class Picture:
    """A picture as an object of a PDF."""

    size: tuple[int, int]
    data: bytes
    keys: str
    """How the data are packed, in PDF syntax."""
    space: str = ""
    """Its colour space; empty if the data define it."""
    orientation: int = UPRIGHT
    """How it is turned, as a value of EXIF."""
    dpi: object = None
    """The value in its file, not checked."""
    profile: bytes = b""
    """The ICC profile of its colours, if its file has one."""
    mask: "Picture | None" = None
    remark: str = ""
    """What is lost."""


def picture_of(path: Path, image: Image.Image) -> Picture:
    """Return the picture in an open file, or the frame that the file is at.

    Raises what Pillow raises.
    """
    found = as_it_is(path, image)
    if found is None:
        is_deep = ";16" in str(getattr(image, "tile", ""))
        lost = "only 8 of its 16 bits a colour are kept" if is_deep else ""
        image.load()
        found = decoded(upright(image), lost)
    profile = image.info.get("icc_profile") or b""
    fits = profile and PROFILES.get(profile[16:20]) == found.space
    return replace(found, dpi=image.info.get("dpi"), profile=profile if fits else b"")


def as_it_is(path: Path, image: Image.Image) -> Picture | None:
    """Return a picture with the file's own bytes; None if a PDF cannot hold them."""
    orientation = orientation_of(image)
    space, eight = SPACES.get(image.mode), "/BitsPerComponent 8"
    if space and image.format in ("JPEG", "MPO"):
        inverted = INVERTED if space == CMYK and "adobe" in image.info else ""
        keys = f"{eight}/Filter/DCTDecode{inverted}"
        return Picture(image.size, path.read_bytes(), keys, space, orientation)
    if space and image.format == "JPEG2000":
        return Picture(image.size, path.read_bytes(), "/Filter/JPXDecode", "", orientation)
    if image.format == "PNG" and (found := rows_of_png(path.read_bytes())):
        return replace(found, orientation=orientation)
    return None


def orientation_of(image: Image.Image) -> int:
    """Return how a picture is turned, as a value of EXIF; UPRIGHT if that cannot be read."""
    try:
        found = image.getexif().get(ORIENTATION, UPRIGHT)
    except UNREADABLE:
        return UPRIGHT
    return found if found in TURNS else UPRIGHT


def upright(image: Image.Image) -> Image.Image:
    """Turn a decoded picture upright by its EXIF, if that can be read."""
    try:
        return ImageOps.exif_transpose(image)
    except UNREADABLE:
        return image


def rows_of_png(data: bytes) -> Picture | None:
    """Return a PNG's deflated rows, if a PDF can hold them as they are, else None."""
    chunks = list(chunks_of(data))
    kinds = {kind for kind, _ in chunks}
    if not chunks or len(head := chunks[0][1]) != 13 or b"tRNS" in kinds or b"IEND" not in kinds:
        return None
    wide, high, bits, kind, *_, interlace = struct.unpack(">IIBBBBB", head)
    space = PNG_SPACES.get(kind)
    if interlace or space is None:
        return None
    parameters = f"/Predictor 15/Colors {COLOURS.get(space, 1)}/BitsPerComponent {bits}"
    if not space:
        palette = next((body for name, body in chunks if name == b"PLTE"), b"")
        if not 3 <= len(palette) <= 768:
            return None
        space = f"[/Indexed{RGB} {len(palette) // 3 - 1}<{palette.hex()}>]"
    keys = f"/BitsPerComponent {bits}/Filter/FlateDecode/DecodeParms<<{parameters}/Columns {wide}>>"
    rows = b"".join(body for name, body in chunks if name == b"IDAT")
    return Picture((wide, high), rows, keys, space)


def chunks_of(png: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Yield the chunks of a PNG up to the first damaged one."""
    at = len(PNG)
    while at + 12 <= len(png):
        end = at + 12 + int.from_bytes(png[at : at + 4], "big")
        kind, body = png[at + 4 : at + 8], png[at + 8 : end - 4]
        if end > len(png) or zlib.crc32(kind + body) != int.from_bytes(png[end - 4 : end], "big"):
            return
        yield kind, body
        at = end


def decoded(image: Image.Image, remark: str = "") -> Picture:
    """Return all pixels of an upright picture."""
    if image.mode == "1":
        return in_two_colours(image)
    if image.mode.startswith("I;16"):
        rows = numpy.asarray(image).astype(">u2").tobytes()
        return Picture(
            image.size, zlib.compress(rows), "/BitsPerComponent 16/Filter/FlateDecode", GRAY
        )
    if image.mode == "CMYK":
        rows = image.tobytes()
        return Picture(
            image.size, zlib.compress(rows), "/BitsPerComponent 8/Filter/FlateDecode", CMYK
        )
    if image.mode in ("I", "F"):
        numbers = numpy.asarray(image, numpy.float64)
        scale = 255 / max(1.0, numbers.max() - numbers.min())
        image = Image.fromarray(((numbers - numbers.min()) * scale).astype(numpy.uint8))
        remark = "only 8 of its 32 bits a pixel are kept"
    mask = None
    if "A" in image.mode.upper() or "transparency" in image.info:
        layered = image.convert("RGBA")
        mask, image = decoded(layered.getchannel("A")), layered.convert("RGB")
    elif image.mode not in ("L", "P", "RGB"):
        image = image.convert("RGB")
    file = io.BytesIO()
    image.save(file, "PNG", icc_profile=None, compress_level=DEFLATE)
    found = rows_of_png(file.getvalue())
    assert found
    return replace(found, mask=mask, remark=remark)


def in_two_colours(image: Image.Image) -> Picture:
    """Pack a black and white picture as fax machines do: much smaller than a deflated page."""
    file = io.BytesIO()
    image.save(file, "TIFF", compression="group4", tiffinfo={ROWS_PER_STRIP: image.height})
    packed = file.getvalue()
    with TiffImageFile(io.BytesIO(packed)) as tiff:
        (start,), (length,) = tiff.tag_v2[STRIP_OFFSETS], tiff.tag_v2[STRIP_BYTES]
    wide, high = image.size
    keys = (
        "/BitsPerComponent 1/Filter/CCITTFaxDecode"
        f"/DecodeParms<</K -1/Columns {wide}/Rows {high}/BlackIs1 true>>"
    )
    return Picture(image.size, packed[start : start + length], keys, GRAY)


def upright_size(picture: Picture) -> tuple[int, int]:
    """Return the (width, height) of a picture after it is turned by its EXIF."""
    wide, high = picture.size
    return (high, wide) if picture.orientation in LYING else (wide, high)


def page_size(size: tuple[int, int], dpi: object) -> tuple[float, float]:
    """Return the (width, height) in points of a page with this picture.

    Its dpi decides, if that gives a possible size of paper. Otherwise the page is as long as A4.
    """
    wide, high = size
    if isinstance(dpi, tuple) and len(dpi) == 2:
        x, y = (float(value) for value in dpi)
        if LEAST_DPI - 0.5 <= x <= MOST_DPI and LEAST_DPI - 0.5 <= y <= MOST_DPI:
            as_said = 72 * wide / x, 72 * high / y
            if LEAST_SIDE_PT <= max(as_said) <= MOST_SIDE_PT:
                return as_said
    scale = A4_PT / max(size)
    return max(3.0, wide * scale), max(3.0, high * scale)


TURNS = {  # value of EXIF -> matrix that turns a picture of 1 x 1, with its first row on top
    1: (1, 0, 0, 1, 0, 0),
    2: (-1, 0, 0, 1, 1, 0),
    3: (-1, 0, 0, -1, 1, 1),
    4: (1, 0, 0, -1, 0, 1),
    5: (0, -1, -1, 0, 1, 1),
    6: (0, -1, 1, 0, 0, 1),
    7: (0, 1, 1, 0, 0, 0),
    8: (0, 1, -1, 0, 1, 0),
}
