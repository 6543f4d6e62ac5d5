"""The pictures of a document, small enough to be looked at; those in the results are whole."""

import io
import struct
import zlib
from dataclasses import dataclass
from pathlib import Path

from PIL import Image

from contract import picture_number
from lib.documents.document import Document
from lib.documents.flow import Block

MOST_BYTES = 64 << 20  # of all pictures in one file
LARGEST_BYTES = 1 << 28  # of one, as it stands in the results
MOST_PIXELS = 1_600  # of a side
PLENTY = 100_000  # bytes: of a PNG with more, the look is kept, not each pixel
QUALITY = 85
MISSING = "pictures are not in the results, or cannot be opened: make process with PICTURES=files"
TOO_MANY = "it has more pictures than fit in one file: the last ones are left out"
DAMAGE = (
    *(OSError, SyntaxError, ValueError, EOFError, struct.error, zlib.error),
    *(Image.DecompressionBombError, Image.DecompressionBombWarning, ArithmeticError, LookupError),
)
"""What Pillow raises for a damaged picture."""


@dataclass(frozen=True)
class ShownPicture:
    """A picture to put into a document."""

    content: bytes
    kind: str
    """png or jpeg."""
    width: int
    height: int


class ShownPictures:
    """Gives the pictures of a document, no more than fit in one file; and tells what is lost."""

    def __init__(self, document: Document, results: Path) -> None:
        self.document, self._results = document, results
        self._bytes = 0
        self.remarks: dict[str, None] = {}

    def of(self, block: Block) -> ShownPicture | None:
        """What a Picture's block shows; None: it cannot be had."""
        entry = self.document.pages[block.page].entry
        paths = [path for path in entry.pictures if picture_number(path) == block.picture]
        picture = fitting(self._results / paths[0]) if paths else None
        if picture is None:
            self.remarks[MISSING] = None
        elif self._bytes + len(picture.content) > MOST_BYTES:
            self.remarks[TOO_MANY] = None
            return None
        else:
            self._bytes += len(picture.content)
        return picture


def fitting(path: Path) -> ShownPicture | None:
    """A picture's file, made smaller if it is large; None if it cannot be opened."""
    try:
        if path.stat().st_size > LARGEST_BYTES:
            return None
        content = path.read_bytes()
        with Image.open(io.BytesIO(content), formats=("PNG", "JPEG")) as image:
            image.load()
            kind = str(image.format).lower()
            is_small = max(image.size) <= MOST_PIXELS
            if is_small and (kind == "jpeg" or len(content) <= PLENTY):
                return ShownPicture(content, kind, *image.size)
            smaller = image.convert("L" if image.mode in ("1", "L", "LA", "I;16") else "RGB")
    except DAMAGE:
        return None
    smaller.thumbnail((MOST_PIXELS, MOST_PIXELS))
    buffer = io.BytesIO()
    smaller.save(buffer, "JPEG", quality=QUALITY)
    return ShownPicture(buffer.getvalue(), "jpeg", *smaller.size)
