"""The strips of a TIFF, or its tiles: is each of them whole? Of many libtiff says nothing."""

import io
from dataclasses import dataclass
from typing import IO

from PIL import Image
from PIL.TiffImagePlugin import ImageFileDirectory_v2

from picture import damaged
from picture.damaged import END_OF_IMAGE
from picture.jpeg_scans import scans_of
from picture.large.tiff import (
    COMPRESSION,
    HEIGHT,
    NOT_PACKED,
    STRIP_ROWS,
    STRIP_SIZES,
    STRIPS_AT,
    TILE_ROWS,
    TILE_SIZES,
    TILE_WIDTH,
    TILES_AT,
    WIDTH,
    places_of,
)
from picture.unfilled import part_of_rows

JPEG, JPEG_TABLES = 7, 347
ODD_TAGS = (KeyError, TypeError, ValueError, ArithmeticError)  # what is raised for them


@dataclass(frozen=True)
class Strip:
    """Where a strip, or a tile, stands in the file, how many rows it has, and how wide they are."""

    start: int
    size: int
    rows: int
    across: int

    @property
    def end(self) -> int:
        """Where it ends."""
        return self.start + self.size


def strips_of(tags: ImageFileDirectory_v2) -> list[Strip]:
    """All of a TIFF. Raises ODD_TAGS."""
    wide, high = tags[WIDTH], tags[HEIGHT]
    if TILES_AT in tags:
        parts = places_of(tags[TILES_AT], tags[TILE_SIZES])
        across, rows = tags[TILE_WIDTH], [tags[TILE_ROWS]] * len(parts)
    else:
        parts = places_of(tags[STRIPS_AT], tags[STRIP_SIZES])
        deep = min(high, tags.get(STRIP_ROWS, high))
        across, rows = wide, [min(deep, high - top) for top in range(0, high, deep)]
        rows *= len(parts) // len(rows)  # each channel may have its own
    return [Strip(*part, least, across) for part, least in zip(parts, rows, strict=True)]


def part_missing(file: IO[bytes], tags: ImageFileDirectory_v2) -> float:
    """What part of a TIFF's rows is missing, of which libtiff said nothing; it would, of what is
    packed otherwise. 0 if that cannot be told, of odd tags.
    """
    packing = tags.get(COMPRESSION, NOT_PACKED)
    if packing not in (NOT_PACKED, JPEG):
        return 0.0
    try:
        strips = strips_of(tags)
        if packing == NOT_PACKED:
            first, end = min(strip.start for strip in strips), max(strip.end for strip in strips)
            return part_of_rows(file, first, end, strips[0].size // strips[0].rows)
        tables = bytes(tags.get(JPEG_TABLES, b""))
        lost = sum(strip.rows * part_of_jpeg(file, strip, tables) for strip in strips)
        return lost / sum(strip.rows for strip in strips)
    except ODD_TAGS:
        return 0.0


def part_of_jpeg(file: IO[bytes], strip: Strip, tables: bytes) -> float:
    """What part of the rows of a strip that is a JPEG is missing; it may have its tables apart."""
    file.seek(strip.start)
    packed = file.read(strip.size).rstrip(b"\0\xff")
    _, scans = scans_of(packed)
    if not scans:
        return 1.0
    end = packed.find(END_OF_IMAGE, scans[0].start)
    if end == len(packed) - len(END_OF_IMAGE):
        return 0.0
    packed = packed[:end] if end > 0 else packed
    jpeg = tables[: -len(END_OF_IMAGE)] + packed[2:] if tables else packed
    with damaged.tolerance():
        return damaged.part_missing(Image.open(io.BytesIO(jpeg), formats=["JPEG"]), jpeg)
