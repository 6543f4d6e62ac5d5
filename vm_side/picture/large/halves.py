"""Find pictures that are too large for memory, and make them half as wide and half as high."""

import re

from PIL import Image, ImageFile, TiffImagePlugin

from picture.damaged import JPEGS
from picture.images import OWN_SIZE
from picture.large.bands import in_bands

MOST_BYTES = 512_000_000  # of a picture; the programs of a worker take 100 MiB more
# the most that a pixel takes while it is decoded, flattened and turned; other modes: BYTES_ELSE
BYTES = {"1": 2, "L": 2, "I;16": 3, "I;16B": 3, "I;16L": 3, "I": 5, "F": 5, "P": 8, "RGB": 8}
BYTES_ELSE = 10
ORIENTATION = 0x0112
LARGEST_IN_SCANS = 150_000_000  # pixels
MOST_SAMPLES = 70_000_000  # of a JPEG 2000, which takes 6 bytes for each
HALVINGS = re.compile(rb"\xff\x52\0.{6}(.)", re.DOTALL)  # where a JPEG 2000 says how it is coded
HEAD_BYTES = 1 << 20


def is_too_large(image: Image.Image) -> bool:
    """Whether a picture would need more than MOST_BYTES."""
    hides = image.mode in ("1", "L", "P", "RGB") and "transparency" in image.info
    each = BYTES_ELSE if hides else BYTES.get(image.mode, BYTES_ELSE)
    return image.width * image.height * each > MOST_BYTES


def ask_for_less(image: ImageFile.ImageFile) -> None:
    """Ask Pillow to decode a JPEG or a JPEG 2000 smaller, if it is too large."""
    size = wide, high = image.size
    if image.format == "JPEG2000":
        samples, halvings = wide * high * len(image.getbands()), 0
        while samples >> 2 * halvings > MOST_SAMPLES and halvings < halvings_in(image):
            halvings += 1
        if halvings:
            image.reduce = halvings  # type: ignore[assignment] # Pillow's way to ask
            image.info[OWN_SIZE] = size
    elif image.format in JPEGS and is_too_large(image):
        parts = 2
        if "progressive" in image.info:  # memory also holds what its scans add up to
            parts = 4 if wide * high < LARGEST_IN_SCANS else 8
        image.draft(image.mode, (wide // parts, high // parts))
        image.info[OWN_SIZE] = size


def halvings_in(image: ImageFile.ImageFile) -> int:
    """Return how many times a JPEG 2000 can be decoded at half the size."""
    assert image.fp is not None
    image.fp.seek(0)
    found = HALVINGS.search(image.fp.read(HEAD_BYTES))
    return found[1][0] if found else 0


def halved(image: ImageFile.ImageFile) -> Image.Image:
    """Decode an opened picture as it is stored, and average each 2 x 2 pixels.

    Raises what Pillow raises, and zlib.error.
    """
    bands, size = in_bands(image), image.size
    if isinstance(image, TiffImagePlugin.TiffImageFile) and image.tile:  # not decoded, not turned
        size = image.tag_v2[256], image.tag_v2[257]
    half, top = None, 0
    for band in bands:
        part = averaged(averageable(band))
        half = half or Image.new(part.mode, ((size[0] + 1) // 2, (size[1] + 1) // 2))
        half.paste(part, (0, top))
        top += part.height
    assert half is not None
    half.info = {OWN_SIZE: size, **image.info}
    half.info.pop("transparency", None)
    half.getexif()[ORIENTATION] = Image.Image.getexif(image).get(ORIENTATION, 1)
    return half


def averaged(band: Image.Image) -> Image.Image:
    """Halve a band. Pillow weighs colours by alpha, so keep those of fully hidden pixels here."""
    half = band.reduce(2)
    if band.mode == "RGBA":
        alpha = half.getchannel("A")
        colours = band.convert("RGB").reduce(2)
        colours.putalpha(alpha)
        half.paste(colours, mask=alpha.point(lambda opaque: 255 * (not opaque)))
    return half


def averageable(band: Image.Image) -> Image.Image:
    """Return the same pixels in a mode that can be averaged."""
    if band.mode.startswith("I;"):
        return band.convert("I")
    if "transparency" in band.info or band.mode in ("LA", "PA"):
        return band.convert("RGBA")
    return band.convert({"1": "L", "P": "RGB"}.get(band.mode, band.mode))
