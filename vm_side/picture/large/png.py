"""The rows of a PNG in bands: they are packed together, and a row may depend on the one above."""

import struct
import zlib
from collections.abc import Iterator
from typing import IO

from PIL import Image, ImageFile

from picture.images import rows_of_band
from picture.large.pieces import open_piece, read

SIGNATURE = b"\x89PNG\r\n\x1a\n"
CHANNELS = {0: 1, 2: 3, 4: 2, 6: 4}  # by colour type; a palette is left out
PIECE_BYTES = 1 << 20
# Pillow's raw modes for 16 bits a channel: one that drops half of the bits -> one for that half
OTHER_BITS = {"RGB;16B": "RGB;16L", "RGBA;16B": "RGBA;16L", "LA;16B": "RGBA"}


def cut_png(image: ImageFile.ImageFile, file: IO[bytes]) -> Iterator[Image.Image] | None:
    """Cut a PNG; None if it has less than 8 bits a channel, is interlaced or has a palette."""
    head = read(file, len(SIGNATURE) + 8, 13)
    depth, kind, is_interlaced = head[8], head[9], head[12]
    if is_interlaced or kind not in CHANNELS or depth < 8:
        return None
    beside, pieces = chunks_of(file)
    if b"eXIf" in beside:  # after the pixels, Pillow finds it only when it has decoded them
        image.info.setdefault("exif", b"Exif\0\0" + beside[b"eXIf"])
    return bands_of_png(head, beside.get(b"tRNS"), Unpacked(pieces), CHANNELS[kind] * depth // 8)


def chunks_of(file: IO[bytes]) -> tuple[dict[bytes, bytes], Iterator[bytes]]:
    """Return the chunks of a PNG that decide how it is shown, by name, and its packed pixels.

    The pixels come in pieces.
    """
    beside, places = dict[bytes, bytes](), list[tuple[int, int]]()
    at = len(SIGNATURE)
    file.seek(at)
    while len(start := file.read(8)) == 8:
        size, name = int.from_bytes(start[:4], "big"), start[4:]
        if name == b"IDAT":
            done = range(0, size, PIECE_BYTES)
            places += [(at + 8 + each, min(PIECE_BYTES, size - each)) for each in done]
        elif name in (b"tRNS", b"eXIf"):
            beside[name] = file.read(size)
        at += 12 + size
        file.seek(at)
    return beside, (read(file, *place) for place in places)


def bands_of_png(
    head: bytes, transparent: bytes | None, unpacked: "Unpacked", pixel_bytes: int
) -> Iterator[Image.Image]:
    """Decode each band as a PNG of its own; its first row is the row above the band."""
    wide, high = struct.unpack(">II", head[:8])
    above = bytes(1 + wide * pixel_bytes)  # a row begins with its filter: 0 for none
    rows = rows_of_band(wide * pixel_bytes)
    for top in range(0, high, rows):
        count = min(rows, high - top)
        chunks = {
            b"IHDR": head[:4] + struct.pack(">I", count + 1) + head[8:],
            **({} if transparent is None else {b"tRNS": transparent}),
            b"IDAT": zlib.compress(above + unpacked.take(count * len(above)), 0),
            b"IEND": b"",
        }
        png = SIGNATURE + b"".join(chunk(*each) for each in chunks.items())
        band = open_piece(png, "PNG")
        above = b"\0" + last_row(png, band)
        yield band.crop((0, 1, wide, count + 1))
    unpacked.check_end()


def chunk(name: bytes, data: bytes) -> bytes:
    """Make a chunk of a PNG."""
    checksum = zlib.crc32(data, zlib.crc32(name))
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", checksum)


def last_row(png: bytes, band: ImageFile.ImageFile) -> bytes:
    """Return the bytes of a PNG's last row; decode it twice if Pillow keeps half of the bits."""
    way, lowest = str(band.tile[0].args), (0, band.height - 1, band.width, band.height)
    kept = band.crop(lowest)
    if way not in OTHER_BITS:
        return kept.tobytes("raw", way)
    again = open_piece(png, "PNG")
    again.tile = [again.tile[0]._replace(args=OTHER_BITS[way])]
    other = again.crop(lowest).tobytes()
    if way == "LA;16B":  # read as four channels of 8 bits, which hold all
        return other
    row = bytearray(2 * len(other))
    row[::2], row[1::2] = kept.tobytes(), other
    return bytes(row)


class Unpacked:
    """Unpack data that comes in packed pieces, a part at a time."""

    def __init__(self, pieces: Iterator[bytes]) -> None:
        self._pieces, self._zlib = pieces, zlib.decompressobj()

    def take(self, size: int) -> bytes:
        """Return the next size bytes. Raises EOFError if there are fewer, and zlib.error."""
        parts = []
        while size:
            packed = self._next()
            parts.append(self._zlib.decompress(packed, size))
            size -= len(parts[-1])
            if not packed and not parts[-1]:
                raise EOFError("the file ends before its last row")
        return b"".join(parts)

    def check_end(self) -> None:
        """Raise zlib.error if the checksum after the data is wrong."""
        while not self._zlib.eof and (packed := self._next()):
            self._zlib.decompress(packed, PIECE_BYTES)

    def _next(self) -> bytes:
        return self._zlib.unconsumed_tail or next(self._pieces, b"")
