"""The strips of a TIFF, or its tiles: is each of them whole? Of many libtiff says nothing."""

import io
import zlib
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
    OLD_JPEG,
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
from picture.unfilled import PIECE_BYTES, filled_to, part_of_rows

JPEG, JPEG_TABLES = 7, 347
FAX_WITHOUT_ENDS, DEFLATED = 2, (8, 32946)
TAKE_ZEROS = (FAX_WITHOUT_ENDS, OLD_JPEG, *DEFLATED)  # as pixels, till a strip has all of them
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
    if packing not in (NOT_PACKED, JPEG, *TAKE_ZEROS):
        return 0.0
    try:
        strips = strips_of(tags)
        if packing == NOT_PACKED:
            first, end = min(strip.start for strip in strips), max(strip.end for strip in strips)
            return part_of_rows(file, first, end, strips[0].size // strips[0].rows)
        tables = bytes(tags.get(JPEG_TABLES, b""))
        lost = 0.0
        for strip in strips:
            is_jpeg = packing == JPEG
            part = part_of_jpeg(file, strip, tables) if is_jpeg else filler_of(file, strip, packing)
            lost += strip.rows * part
        return lost / sum(strip.rows for strip in strips)
    except ODD_TAGS:
        return 0.0


def filler_of(file: IO[bytes], strip: Strip, packing: int) -> float:
    """What part of a strip is filler, unless what is packed ends before that."""
    start = max(strip.start, filled_to(file, strip.end))
    if start == strip.end:
        return 0.0
    file.seek(strip.start)
    return 0.0 if has_end(file.read(strip.size), packing) else (strip.end - start) / strip.size


def has_end(packed: bytes, packing: int) -> bool:
    """Whether a strip is packed to its end, whatever stands behind it."""
    if packing == OLD_JPEG:
        return packed.rstrip(b"\0\xff").endswith(END_OF_IMAGE[1:])
    if packing not in DEFLATED:
        return False
    unpacker = zlib.decompressobj()
    try:
        while packed and not unpacker.eof:
            unpacker.decompress(packed, PIECE_BYTES)
            packed = unpacker.unconsumed_tail
    except zlib.error:
        return False
    return unpacker.eof


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
