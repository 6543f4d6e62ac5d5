"""Find missing rows in a group 4 fax in a TIFF: libtiff does not warn if the data is cut off."""

from typing import IO

import pymupdf
from PIL.TiffImagePlugin import ImageFileDirectory_v2

from picture.strips import ODD_TAGS, strips_of

GROUP_4 = "group4"  # as Pillow calls it
BIT_ORDER, LOWEST_FIRST = 266, 2
REVERSED = bytes(int(f"{byte:08b}"[::-1], 2) for byte in range(256))
END = 0x001001  # ends a whole strip: the code for the end of a row, twice


def part_missing(file: IO[bytes], tags: ImageFileDirectory_v2) -> float:
    """Return what part of the rows is missing; 0 if odd tags make that impossible to tell."""
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
    """Whether a strip ends with its end code; only zeros may follow."""
    last = int.from_bytes(packed.rstrip(b"\0")[-5:], "big")
    return any(last >> shift & 0xFFFFFF == END for shift in range(8))


def rows_in(packed: bytes, wide: int, most: int) -> int:
    """Count the rows of this width, up to most, by MuPDF: it stops after the last row it finds."""
    with pymupdf.open() as document:
        xref = document.get_new_xref()
        document.update_object(xref, "<<>>")
        document.update_stream(xref, packed, compress=False)
        document.xref_set_key(xref, "DecodeParms", f"<</K -1/Columns {wide}/Rows {most}>>")
        document.xref_set_key(xref, "Filter", "/CCITTFaxDecode")
        return len(document.xref_stream(xref)) // -(-wide // 8)
