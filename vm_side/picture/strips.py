"""Check that each strip or tile of a TIFF is whole: often libtiff does not say that it is cut."""

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
TAKE_ZEROS = (FAX_WITHOUT_ENDS, OLD_JPEG, *DEFLATED)  # decode zeros as pixels, to a strip's end
ODD_TAGS = (KeyError, TypeError, ValueError, ArithmeticError)  # errors that odd tags cause


@dataclass(frozen=True)
class Strip:
    """A strip or a tile: its place and size in the file in bytes, its rows, and their width."""

    start: int
    size: int
    rows: int
    across: int

    @property
    def end(self) -> int:
        """Where it ends."""
        return self.start + self.size


def strips_of(tags: ImageFileDirectory_v2) -> list[Strip]:
    """Return all strips, or tiles, of a TIFF. Raises ODD_TAGS."""
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
    """Return what part of a TIFF's rows is missing, if libtiff said nothing.

    Returns 0 for other packings, because libtiff would warn, and if odd tags leave it unknown.
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
    """Return what part of a strip is filler; 0 if the packed data ends before the filler."""
    start = max(strip.start, filled_to(file, strip.end))
    if start == strip.end:
        return 0.0
    file.seek(strip.start)
    return 0.0 if has_end(file.read(strip.size), packing) else (strip.end - start) / strip.size


def has_end(packed: bytes, packing: int) -> bool:
    """Whether the packed data of a strip has its end; other bytes may follow."""
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
    """Return what part of the rows is missing in a JPEG strip; its tables may be separate."""
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
