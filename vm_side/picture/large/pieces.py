"""What is read of a large file, and opened as a small one."""

import io
from typing import IO

from PIL import Image, ImageFile


def read(file: IO[bytes], place: int, size: int) -> bytes:
    """So many bytes of a file. Raises EOFError if it ends before."""
    file.seek(place)
    data = file.read(size)
    if len(data) < size:
        raise EOFError("the file ends before its last row")
    return data


def open_piece(data: bytes, kind: str) -> ImageFile.ImageFile:
    """Open a file that was made of pieces."""
    return Image.open(io.BytesIO(data), formats=[kind])
