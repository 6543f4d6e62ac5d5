"""A picture's file -> its rows in bands; for each band we make a small file.

Pillow decodes these files, so the pixels are the same as in the whole picture.
"""

import struct
from collections.abc import Iterator
from typing import IO

from PIL import Image, ImageFile

from picture.images import bands_of, rows_of_band
from picture.large.pieces import open_piece, read
from picture.large.png import cut_png
from picture.large.tiff import cut_tiff

NOT_PACKED = (0, 3)  # a BMP's codes for rows that are not packed


def in_bands(image: ImageFile.ImageFile) -> Iterator[Image.Image]:
    """Yield the rows of an opened picture in bands, as they are stored, from the top.

    All bands but the last have an even height. A file that cannot be cut is decoded whole first.
    Raises what Pillow raises, and zlib.error.
    """
    cutter = {"PNG": cut_png, "TIFF": cut_tiff, "BMP": cut_bmp}.get(image.format or "")
    bands = cutter(image, image.fp) if cutter and image.fp and image.tile else None
    if bands is not None:
        return bands
    image.load()
    return bands_of(image)


def cut_bmp(image: ImageFile.ImageFile, file: IO[bytes]) -> Iterator[Image.Image] | None:
    """Cut a BMP; None if its rows are packed. Mostly the lowest row comes first in the file."""
    start = struct.unpack("<I", read(file, 10, 4))[0]
    head = read(file, 0, start)
    if start < 54 or head[30] not in NOT_PACKED:
        return None
    wide, high = image.size
    stride = (wide * struct.unpack("<H", head[28:30])[0] + 31) // 32 * 4
    is_downward = head[25] > 127  # its height is negative
    rows = rows_of_band(stride)

    def band(top: int) -> Image.Image:
        count = min(rows, high - top)
        first = top if is_downward else high - top - count
        height = struct.pack("<i", -count if is_downward else count)
        pixels = read(file, start + first * stride, count * stride)
        return open_piece(head[:22] + height + head[26:] + pixels, "BMP")

    return map(band, range(0, high, rows))
