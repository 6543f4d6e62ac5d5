"""A fax of group 4 in a TIFF: are all of its rows there? libtiff says nothing of a cut."""

from typing import IO

import pymupdf
from PIL.TiffImagePlugin import ImageFileDirectory_v2

from picture.damaged import MOST_MISSING
from picture.images import UnreadablePage
from picture.large.tiff import (
    HEIGHT,
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

GROUP_4 = "group4"  # as Pillow calls it
BIT_ORDER, LOWEST_FIRST = 266, 2
REVERSED = bytes(int(f"{byte:08b}"[::-1], 2) for byte in range(256))
END = 0x001001  # of a whole strip: the code that ends a row, twice


def remark(file: IO[bytes], tags: ImageFileDirectory_v2) -> str:
    """What is to be noted of a fax in this file, which libtiff decoded without a word.

    Raises UnreadablePage if more than MOST_MISSING of it is missing.
    """
    missing = part_missing(file, tags)
    if missing > MOST_MISSING:
        raise UnreadablePage(f"damaged picture: {missing:.0%} of its rows are missing")
    share = f"{missing:.1%} of its rows are missing"
    return f"the picture's file is damaged, {share}" if missing else ""


def part_missing(file: IO[bytes], tags: ImageFileDirectory_v2) -> float:
    """What part of its rows is missing; 0 if that cannot be told, of odd tags."""
    try:
        wide, high = tags[WIDTH], tags[HEIGHT]
        if TILES_AT in tags:
            parts = places_of(tags[TILES_AT], tags[TILE_SIZES])
            across, rows = tags[TILE_WIDTH], tags[TILE_ROWS]
            wanted = [rows] * len(parts)
        else:
            parts = places_of(tags[STRIPS_AT], tags[STRIP_SIZES])
            across, rows = wide, min(high, tags.get(STRIP_ROWS, high))
            wanted = [min(rows, high - top) for top in range(0, high, rows)]
        lost = 0
        for (start, size), least in zip(parts, wanted, strict=True):
            file.seek(start)
            packed = file.read(size)
            if tags.get(BIT_ORDER) == LOWEST_FIRST:
                packed = packed.translate(REVERSED)
            if not has_end(packed):
                lost += max(0, least - rows_in(packed, across, least)) * across
    except (KeyError, TypeError, ValueError):
        return 0.0
    return min(1.0, float(lost / (wide * high)))


def has_end(packed: bytes) -> bool:
    """Whether a strip goes on to the code of its end, behind which there are but zeros."""
    last = int.from_bytes(packed.rstrip(b"\0")[-5:], "big")
    return any(last >> shift & 0xFFFFFF == END for shift in range(8))


def rows_in(packed: bytes, wide: int, most: int) -> int:
    """How many rows of this width there are, at most so many, by MuPDF: it stops at the last."""
    with pymupdf.open() as document:
        xref = document.get_new_xref()
        document.update_object(xref, "<<>>")
        document.update_stream(xref, packed, compress=False)
        document.xref_set_key(xref, "DecodeParms", f"<</K -1/Columns {wide}/Rows {most}>>")
        document.xref_set_key(xref, "Filter", "/CCITTFaxDecode")
        return len(document.xref_stream(xref)) // -(-wide // 8)
