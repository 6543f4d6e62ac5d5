"""What is printed or written on a page: its connected parts of ink, with their boxes.

Ink is what is darker or lighter than the ground around it. Ground and contrast are measured part
by part, because there are slides, shadows and coloured boxes.
"""

import math
from dataclasses import dataclass

import numpy
from numpy.typing import NDArray
from PIL import Image, ImageChops, ImageFilter

from trust.ink.runs import Bits, Ints, Runs, joined, runs_of, touching

SEEN_PIXELS = 2_200_000  # a larger page is reduced: a few pixels each become one
PART = 32  # pixels: the side of a part that has one ground and one contrast
CONTRAST = 0.3  # of the strongest contrast nearby: a pixel of ink has at least so much
SAMPLES = 8  # pixels of a part that are looked at, across and down
LEAST = 22  # levels of gray: a weaker difference is not ink
NOISE = 6  # times the usual difference from the ground: ink differs at least so much
LONG_RUN = 1 / 14  # of the longer side: a longer piece of ink is a rule or a filled area
MANY_RUNS = 200_000  # more than any page of text has
GRAIN = 8  # pixels: the side of a square whose ink is counted

Boxes = NDArray[numpy.int16]


@dataclass(frozen=True)
class Ink:
    """Connected parts of ink: boxes (x1, y1, x2, y2), areas, and the runs they are made of."""

    boxes: Boxes
    areas: Ints
    runs: Runs
    part: Ints
    """The part that each run belongs to."""

    def kept(self, wanted: Bits) -> "Ink":
        """Return only the wanted parts."""
        number = numpy.cumsum(wanted) - 1
        runs = wanted[self.part]
        return Ink(
            self.boxes[wanted],
            self.areas[wanted],
            self.runs.kept(runs),
            number[self.part[runs]],
        )


def ink_in(gray: Image.Image) -> tuple[Ink, NDArray[numpy.uint8]]:
    """Find the ink in a picture of mode "L", without rules and areas, and how much all of it is."""
    runs = runs_of(ink_bits(gray))
    long = runs.ends - runs.starts
    is_short = long <= max(12, max(gray.size) * LONG_RUN)
    density = density_of(runs, gray.size)
    runs = runs.kept(is_short & (numpy.cumsum(is_short) <= MANY_RUNS))
    return parts_of(runs, joined(touching(runs), len(runs))), density


def density_of(runs: Runs, size: tuple[int, int]) -> NDArray[numpy.uint8]:
    """Return about how many pixels of each square of GRAIN are ink; a long run counts in part."""
    wide, high = (-(-side // GRAIN) for side in size)
    long = runs.ends - runs.starts
    square = runs.rows // GRAIN * wide + (runs.starts + runs.ends) // 2 // GRAIN
    counts = numpy.bincount(square, numpy.minimum(long, 4 * GRAIN), wide * high)
    return numpy.minimum(counts, 255).astype(numpy.uint8).reshape(high, wide)


def reduced(picture: Image.Image) -> tuple[Image.Image, int]:
    """Return the picture in gray with at most SEEN_PIXELS, and what its sides were divided by."""
    step = math.ceil(math.sqrt(picture.width * picture.height / SEEN_PIXELS))
    step = max(1, min(step, *picture.size))
    gray = picture.convert("L")
    return (gray.reduce(step) if step > 1 else gray), step


def ink_bits(gray: Image.Image) -> Bits:
    """Return which pixels are ink."""
    seen = ImageChops.difference(gray, spread(ground_of(gray), gray.size))
    differs = samples_of(seen)
    noise = numpy.percentile(numpy.median(differs, 2), 30)  # of the calmer parts, without text
    least = max(LEAST, min(60, round(NOISE * noise)))
    strongest = Image.fromarray(differs.max(2)).filter(ImageFilter.MaxFilter(3))
    limit = strongest.point([max(least, round(CONTRAST * level)) for level in range(256)])
    found: Bits = numpy.asarray(seen) >= numpy.asarray(spread(limit, gray.size))
    return found


def ground_of(gray: Image.Image) -> Image.Image:
    """Return what each part of the page would be without its ink.

    It is about the darkest or the lightest level, whichever is more usual in and around a part.
    """
    levels = samples_of(gray)
    tenth = levels.shape[2] // 10
    ordered = numpy.partition(levels, (tenth, 5 * tenth, 9 * tenth), axis=2)
    dark, usual, light = (ordered[:, :, n * tenth] for n in (1, 5, 9))
    balance = numpy.pad(usual.astype(numpy.float32) * 2 - light - dark, 1, "edge")
    high, wide = dark.shape
    around = sum(balance[y : y + high, x : x + wide] for y in range(3) for x in range(3))
    is_dark = balance[1:-1, 1:-1] * 4 + around < 0
    return Image.fromarray(numpy.where(is_dark, dark, light)).filter(ImageFilter.MedianFilter(3))


def samples_of(gray: Image.Image) -> NDArray[numpy.uint8]:
    """Return some pixels of each part, by rows of parts. All parts are alike, of about PART."""
    wide, high = (-(-side // PART) for side in gray.size)
    few = gray.resize((wide * SAMPLES, high * SAMPLES), Image.Resampling.NEAREST)
    levels = numpy.asarray(few).reshape(high, SAMPLES, wide, SAMPLES)
    return levels.transpose(0, 2, 1, 3).reshape(high, wide, -1)


def spread(parts: Image.Image, size: tuple[int, int]) -> Image.Image:
    """Enlarge a picture with one pixel for each part to the size of the page: smooth, and fast."""
    fewer = (-(-size[0] // 4), -(-size[1] // 4))
    return parts.resize(fewer, Image.Resampling.BILINEAR).resize(size, Image.Resampling.NEAREST)


def parts_of(runs: Runs, part: Ints) -> Ink:
    """Put runs together into parts of ink. part is the number of the part of each run."""
    sides = numpy.stack((runs.starts, runs.rows, runs.ends, runs.rows + 1), axis=1)
    boxes = boxes_around(sides.astype(numpy.int16), part)
    areas = numpy.bincount(part, runs.ends - runs.starts).astype(numpy.int64)
    return Ink(boxes, areas, runs, part)


def boxes_around(boxes: Boxes, group: Ints) -> Boxes:
    """Return the box around each group's boxes."""
    count = int(group.max()) + 1 if len(group) else 0
    around = numpy.zeros((count, 4), numpy.int16)
    around[:, :2] = 32767
    for side, farther in enumerate((numpy.minimum,) * 2 + (numpy.maximum,) * 2):
        farther.at(around[:, side], group, boxes[:, side])
    return around
