"""The rows of a TIFF in bands: each of its strips, or tiles, is packed by itself."""

import io
import itertools
from collections.abc import Iterator, Sequence
from operator import index
from typing import IO

from PIL import Image, ImageFile
from PIL.TiffImagePlugin import ImageFileDirectory_v2, TiffImageFile
from PIL.TiffTags import LONG

from picture.images import rows_of_band
from picture.large.pieces import open_piece, read
from picture.tiff_samples import as_meant, is_misread

WIDTH, HEIGHT, COMPRESSION, PLANES = 256, 257, 259, 284
STRIPS_AT, STRIP_ROWS, STRIP_SIZES = 273, 278, 279
TILE_WIDTH, TILE_ROWS, TILES_AT, TILE_SIZES = 322, 323, 324, 325
# other tags that decide how the rows are decoded
DECIDING = (258, 259, 262, 266, 277, 284, 292, 293, 317, 320, 332, 338, 339, 347, 530, 531, 532)
NOT_PACKED, OLD_JPEG = 1, 6  # the tables of an old JPEG are anywhere in the file
APART = 2  # each channel in strips of its own


def cut_tiff(image: ImageFile.ImageFile, file: IO[bytes]) -> Iterator[Image.Image] | None:
    """Cut a TIFF; None if its channels are apart, or if it has one strip, and that is packed.

    None also if a tag is missing or of a wrong type: Pillow may know what it means.
    """
    assert isinstance(image, TiffImageFile)
    try:
        return bands_by(image.tag_v2, file)
    except (KeyError, TypeError, ValueError, ZeroDivisionError):
        return None


def bands_by(tags: ImageFileDirectory_v2, file: IO[bytes]) -> Iterator[Image.Image] | None:
    """Do the same by its tags. Raises KeyError, TypeError, ValueError and ZeroDivisionError."""
    wide, high = tags[WIDTH], tags[HEIGHT]
    packing = tags.get(COMPRESSION, NOT_PACKED)
    if TILES_AT in tags:
        parts = places_of(tags[TILES_AT], tags[TILE_SIZES])
        rows, across = tags[TILE_ROWS], -(-wide // tags[TILE_WIDTH])
    else:
        parts = places_of(tags[STRIPS_AT], tags[STRIP_SIZES])
        rows, across = min(high, tags.get(STRIP_ROWS, high)), 1
        if len(parts) == 1 and packing == NOT_PACKED:
            start, size = parts[0]
            parts, rows = [(start + row * (size // high), size // high) for row in range(high)], 1
    is_odd = tags.get(PLANES) == APART or packing == OLD_JPEG
    is_odd = is_odd or (packing == NOT_PACKED and is_misread(tags))
    if is_odd or len(parts) != across * -(-high // rows):
        return None
    deep = -(-rows_of_band(wide) // rows)  # strips in a band, or rows of tiles
    deep += deep * rows % 2
    if deep * rows >= high:
        return None
    shape = (WIDTH, TILE_WIDTH, TILE_ROWS) if TILES_AT in tags else (WIDTH,)
    common = {tag: (tags.tagtype[tag], tags[tag]) for tag in (*shape, *DECIDING) if tag in tags}

    def band(first: int) -> Image.Image:
        pieces = [read(file, *part) for part in parts[first : first + deep * across]]
        own = ImageFileDirectory_v2(prefix=tags.prefix)
        for tag, (kind, value) in common.items():
            own.tagtype[tag], own[tag] = kind, value
        return band_of(own, min(deep * rows, high - first // across * rows), rows, pieces)

    return map(band, range(0, len(parts), deep * across))


def places_of(starts: Sequence[int], sizes: Sequence[int]) -> list[tuple[int, int]]:
    """Pair the start and size of each strip or tile. Raises TypeError and ValueError."""
    return [(index(start), index(size)) for start, size in zip(starts, sizes, strict=True)]


def band_of(
    own: ImageFileDirectory_v2, high: int, rows: int, parts: Sequence[bytes]
) -> Image.Image:
    """Make a small TIFF of some strips of so many rows, or of tiles; own has its other tags."""
    places, sizes = (TILES_AT, TILE_SIZES) if TILE_ROWS in own else (STRIPS_AT, STRIP_SIZES)
    lengths = [len(part) for part in parts]
    starts = list(itertools.accumulate(lengths[:-1], initial=0))
    own.tagtype[places] = own.tagtype[sizes] = LONG
    own[HEIGHT], own[sizes], own[places] = high, tuple(lengths), tuple(starts)
    file = io.BytesIO()
    if places == STRIPS_AT:
        own[STRIP_ROWS] = rows
    else:  # Pillow moves the starts of strips behind the tags, but not those of tiles
        own.save(file)
        own[places] = tuple(file.tell() + start for start in starts)
        file.seek(0)
    own.save(file)
    file.writelines(parts)
    piece = open_piece(file.getvalue(), "TIFF")
    as_meant(piece)
    return piece
