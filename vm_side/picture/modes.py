"""Any Pillow mode -> "L" or "RGB", without losing anything visible."""

import math
from typing import cast

from PIL import Image, ImageChops, ImageFilter, ImageOps

from picture.images import bands_of, is_blank
from picture.tiff_samples import MIN_IS_WHITE_KEY

FULL_16_BITS = 65_535
ON_BLACK = "its ink shows only on a dark ground: put on black"
ON_GRAY = "a part of its ink shows only on a dark ground: put on gray"
OPAQUE = "its alpha hides all of it: shown without alpha"
GRAY = 128  # the level of Pillow's colour "gray"
VANISHES = 16  # levels; ink that differs less from its ground cannot be seen
ROW_STEP, LEAST_ROWS, LEAST_EDGES = (
    4,
    2,
    8,
)  # a line of letters has few rows, and many edges in each
ROUNDING = 2**-24  # of 32-bit floats, in which 2^32 - 1 becomes 2^32
FRINGE = 5  # pixels across; the paler fringe of visible ink is no wider
FEW = 16  # levels; floats in a smaller range are fractions, not whole levels


def flattened(image: Image.Image, notes: list[str]) -> Image.Image:
    """Make any mode "L" or "RGB"; transparent parts become white, unless ink would vanish."""
    if image.mode in ("L", "RGB"):
        if "transparency" not in image.info:
            return image
        image = image.convert("RGBA")
    if image.mode[0] in "IF":
        page = eight_bits(image, notes)
        return ImageOps.invert(page) if MIN_IS_WHITE_KEY in image.info else page
    if image.mode in ("LA", "PA", "La", "RGBa") or (
        image.mode == "P" and "transparency" in image.info
    ):
        image = image.convert("RGBA")
    if image.mode == "RGBA":
        return without_alpha(image, notes)
    return image.convert("L" if image.mode == "1" else "RGB")


def without_alpha(image: Image.Image, notes: list[str]) -> Image.Image:
    """Put an "RGBA" picture on white; on another ground or without alpha if that shows more."""
    alpha = image.getchannel("A")
    if alpha.getextrema() == (255, 255):
        return image.convert("RGB")
    page = laid_on("white", image, alpha)
    if is_blank(page):
        others = {ON_BLACK: laid_on("black", image, alpha), OPAQUE: image.convert("RGB")}
        for note, other in others.items():
            if not is_blank(other):
                notes.append(note)
                return other
    elif hides_lines(image, 255):
        ground, note = ("black", ON_BLACK) if hides_lines(image, GRAY) else ("gray", ON_GRAY)
        notes.append(note)
        return laid_on(ground, image, alpha)
    return page


def hides_lines(image: Image.Image, level: int) -> bool:
    """Whether lines of letters in an "RGBA" picture would vanish on a ground of this level.

    Letters begin and end often in a row of pixels; a sheet of paper does so only once. The fringe
    of visible ink does not count as letters.
    """
    alpha = image.getchannel("A").point(lambda opaque: 255 * (opaque >= 128))
    gray = image.convert("L")
    if not has_lines(vanishing(gray, alpha, level)):
        return False
    others = gray.point([255 * (abs(each - level) > VANISHES) for each in range(256)])
    fringe = ImageChops.darker(others, alpha).filter(ImageFilter.MaxFilter(FRINGE))
    return has_lines(ImageChops.subtract(vanishing(gray, alpha, level), fringe))


def vanishing(gray: Image.Image, alpha: Image.Image, level: int) -> Image.Image:
    """Make a map of ink: white for ink that vanishes, gray for other ink, black for no ink."""
    ink = gray.point([255 - 127 * (abs(each - level) > VANISHES) for each in range(256)])
    return ImageChops.darker(ink, alpha)


def has_lines(ink: Image.Image) -> bool:
    """Whether some rows of such a map often change between white and black."""
    rows = ink.resize((ink.width, -(-ink.height // ROW_STEP)), Image.Resampling.NEAREST)
    right = rows.crop((1, 0, rows.width, rows.height))
    edges = ImageChops.difference(right, rows.crop((0, 0, rows.width - 1, rows.height)))
    edges = edges.point(lambda apart: 255 * (apart == 255))
    found, wide = edges.tobytes(), edges.width
    counts = [found.count(b"\xff", at, at + wide) for at in range(0, len(found), max(1, wide))]
    return sum(count >= LEAST_EDGES for count in counts) >= LEAST_ROWS


def laid_on(colour: str, image: Image.Image, alpha: Image.Image) -> Image.Image:
    """Put a picture on a ground of this colour."""
    ground = Image.new("RGB", image.size, colour)
    ground.paste(image, mask=alpha)
    return ground


def eight_bits(image: Image.Image, notes: list[str]) -> Image.Image:
    """Make 16 or 32 bits a pixel, or fractions, "L"; Pillow itself makes all above 255 white."""
    low, high = cast(tuple[float, float], image.getextrema())
    black, white = levels(low, high, image.mode == "F")
    if (black, white) != (0, FULL_16_BITS):
        notes.append(f"its levels are {low:g} to {high:g}: {white:g} was taken for white")
    scale = 255 / (white - black)
    page, top = Image.new("L", image.size), 0
    for band in bands_of(image):
        fractions = band.convert("F").point(lambda value: value * scale + (0.5 - black * scale))
        page.paste(fractions.convert("L"), (0, top))
        top += band.height
    return page


def levels(low: float, high: float, is_fraction: bool) -> tuple[float, float]:
    """Choose the levels of black and white from the lowest and the highest level in a picture.

    White is the highest level of the fewest bits that can hold them all: 16, or a camera's 12.
    Fractions end at 1, or a little above. A picture with one level stays as dark as it is.
    Raises ValueError.
    """
    if not math.isfinite(high - low):
        raise ValueError("levels that are not numbers")
    black = min(low, 0)
    span = high - black
    if is_fraction and span < FEW:
        return black, black + max(1, span)
    if low == high and span <= FULL_16_BITS:
        return black, black + FULL_16_BITS
    exact = span * (1 - ROUNDING) if is_fraction else span
    return black, black + 2 ** max(8, math.ceil(exact).bit_length()) - 1


def brightened(image: Image.Image, notes: list[str]) -> Image.Image:
    """Brighten a picture of 16 bits a channel if the upper 8, which Pillow kept, are all low."""
    colours = [band for band in image.getbands() if band != "A"]
    extrema = [cast(tuple[int, int], image.getchannel(band).getextrema()) for band in colours]
    high = max(high for _, high in extrema)
    if high > 127 or all(low == high for low, high in extrema):
        return image
    white = 2 ** high.bit_length() - 1
    table = [min(255, level * 255 // white) for level in range(256)]
    notes.append(f"its levels end at {high} of 255: {white} was taken for white")
    same = list(range(256))
    return image.point([v for band in image.getbands() for v in (same if band == "A" else table)])
