"""Read pieces of a large file, and open them as a small one."""

import io
from typing import IO

from PIL import Image, ImageFile


def read(file: IO[bytes], place: int, size: int) -> bytes:
    """Read so many bytes of a file. Raises EOFError if the file ends before."""
    file.seek(place)
    data = file.read(size)
    if len(data) < size:
        raise EOFError("the file ends before its last row")
    return data


def open_piece(data: bytes, kind: str) -> ImageFile.ImageFile:
    """Open the content of a file that was made of pieces."""
    return Image.open(io.BytesIO(data), formats=[kind])
