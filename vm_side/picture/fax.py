"""A fax of group 4 in a TIFF: are all of its rows there? libtiff says nothing of a cut."""

from typing import IO

import pymupdf
from PIL.TiffImagePlugin import ImageFileDirectory_v2

from picture.strips import ODD_TAGS, strips_of

GROUP_4 = "group4"  # as Pillow calls it
BIT_ORDER, LOWEST_FIRST = 266, 2
REVERSED = bytes(int(f"{byte:08b}"[::-1], 2) for byte in range(256))
END = 0x001001  # of a whole strip: the code that ends a row, twice


def part_missing(file: IO[bytes], tags: ImageFileDirectory_v2) -> float:
    """What part of its rows is missing; 0 if that cannot be told, of odd tags."""
    lost = total = 0
    try:
        for strip in strips_of(tags):
            file.seek(strip.start)
            packed = file.read(strip.size)
            if tags.get(BIT_ORDER) == LOWEST_FIRST:
                packed = packed.translate(REVERSED)
            if not has_end(packed):
                lost += max(0, strip.rows - rows_in(packed, strip.across, strip.rows))
            total += strip.rows
    except ODD_TAGS:
        return 0.0
    return lost / max(1, total)


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
