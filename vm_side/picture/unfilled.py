"""Find a file that has its full length but was not filled to its end, such as a stopped copy.

Its last bytes are zeros, or all ones if the disk had erased them. Decoders read them as pixels.
"""

import os
from typing import IO

LEAST = 256  # bytes; a good file was seen to end in 16
FILLERS = (b"\0", b"\xff")
PIECE_BYTES = 1 << 16
BLOCK_BYTES = 512  # a copy fills a file in blocks; by chance, 1 place in 512 is a block's end
LEAST_STEP = 16  # bytes from the ends of a row; a filler nearer may be a page's ragged edge
PLAIN_BMP = (0, 3)  # a BMP's codes for rows that are not packed


def filled_to(file: IO[bytes], end: int) -> int:
    """Return where the filler before this place begins; the place itself if there is none."""
    file.seek(max(0, end - 1))
    last, start = file.read(1), end
    if last not in FILLERS:
        return end
    while start:
        size = min(PIECE_BYTES, start)
        file.seek(start - size)
        kept = file.read(size).rstrip(last)
        start -= size - len(kept)
        if kept:
            break
    return start if end - start >= LEAST else end


def without_filler(file: IO[bytes]) -> bytes:
    """Return the bytes of a file before its filler; b"" if it has no filler."""
    end = file.seek(0, os.SEEK_END)
    start = filled_to(file, end)
    file.seek(0)
    return file.read(start) if start < end else b""


def part_of_rows(file: IO[bytes], first: int, end: int, stride: int) -> float:
    """Return what part of rows is filler; unpacked, they fill the file from first to end.

    A page may itself end in black. Then the black begins with a row, or the row above has it, too.
    """
    start = max(first, filled_to(file, end))
    if start + stride > end or start - first < stride:
        return 0.0
    file.seek(start - stride)
    above, filler = file.read(stride), file.read(1)
    column = (start - first) % stride
    is_within = LEAST_STEP <= column <= stride - LEAST_STEP
    parts = (above[: stride - column], above[stride - column :]) if is_within else (above,)
    is_edge = any(part.count(filler) >= len(part) / 2 for part in parts)
    is_torn = (is_within or start % BLOCK_BYTES == 0) and not is_edge
    return (end - start) / (end - first) if is_torn else 0.0


def part_of_bmp(bmp: IO[bytes], size: tuple[int, int]) -> float:
    """Return what part of a BMP of this size is filler."""
    end = bmp.seek(0, os.SEEK_END)
    bmp.seek(0)
    head = bmp.read(54)
    first, head_bytes = int.from_bytes(head[10:14], "little"), head[14]
    if head_bytes < 40 or first >= end:
        return 0.0
    if head[30] in PLAIN_BMP:
        bits = int.from_bytes(head[28:30], "little")
        stride = (size[0] * bits + 31) // 32 * 4
        return part_of_rows(bmp, first, min(end, first + stride * size[1]), stride)
    return (end - max(first, filled_to(bmp, end))) / (end - first)


def part_of_pixels(file: IO[bytes]) -> float:
    """Return what part of a HEIF's, AVIF's or WebP's pixels is filler: no codec writes that."""
    start, end = pixels_in(file)
    return (end - max(start, filled_to(file, end))) / max(1, end - start)


def pixels_in(file: IO[bytes]) -> tuple[int, int]:
    """Find where the last chunk of pixels starts and ends, by the length of each chunk."""
    length = file.seek(0, os.SEEK_END)
    file.seek(0)
    is_webp = file.read(4) == b"RIFF"
    at, found = 12 if is_webp else 0, (0, 0)
    while at + 8 <= length:
        file.seek(at)
        head = file.read(16)
        if is_webp:
            name, size = head[:4], 8 + int.from_bytes(head[4:8], "little")
        else:
            name, size = head[4:8], int.from_bytes(head[:4], "big")
            size = int.from_bytes(head[8:], "big") if size == 1 else size or length - at
        if name in (b"mdat", b"VP8 ", b"VP8L", b"ANMF"):
            found = at, min(at + size, length)
        at += max(8, size + size % 2 * is_webp)
    return found
