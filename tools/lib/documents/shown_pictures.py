"""The pictures of a document for formats that are one file, made small enough to look at."""

import io
from dataclasses import dataclass

from PIL import Image

from lib.damage import UNREADABLE
from lib.documents.document import Document, Sources
from lib.documents.flow import Block
from lib.documents.pictures import NO_PICTURES, Pictures
from lib.pages.originals import on_white

MOST_BYTES = 64 << 20  # for all pictures in one file
MOST_PIXELS = 1_600  # for a side
PLENTY = 100_000  # bytes: a larger PNG becomes a JPEG, which looks the same but loses detail
QUALITY = 85
TOO_MANY = "it has more pictures than fit in one file: the last ones are left out"


@dataclass(frozen=True)
class ShownPicture:
    """A picture to put into a document."""

    content: bytes
    kind: str
    """png or jpeg."""
    width: int
    height: int


class ShownPictures:
    """Get the pictures of a document, as many as fit in one file, and note what is lost."""

    def __init__(self, document: Document, sources: Sources) -> None:
        self.document = document
        self._pictures = Pictures(document, sources)
        self._bytes = 0
        self.remarks: dict[str, None] = {}

    def of(self, block: Block) -> ShownPicture | None:
        """Return the picture of a block; None if it is not available, or does not fit."""
        found = self._pictures.of(block)
        picture = fitting(found[0]) if found else None
        if picture is None:
            self.remarks[NO_PICTURES] = None
        elif self._bytes + len(picture.content) > MOST_BYTES:
            self.remarks[TOO_MANY] = None
            return None
        else:
            self._bytes += len(picture.content)
        return picture


def fitting(content: bytes) -> ShownPicture | None:
    """Return a picture, made smaller if it is large; None if it cannot be opened."""
    try:
        with Image.open(io.BytesIO(content), formats=("PNG", "JPEG")) as image:
            image.load()
            kind = str(image.format).lower()
            is_small = max(image.size) <= MOST_PIXELS
            if is_small and (kind == "jpeg" or len(content) <= PLENTY):
                return ShownPicture(content, kind, *image.size)
            smaller = on_white(image)
    except UNREADABLE:
        return None
    smaller.thumbnail((MOST_PIXELS, MOST_PIXELS))
    buffer = io.BytesIO()
    smaller.save(buffer, "JPEG", quality=QUALITY)
    return ShownPicture(buffer.getvalue(), "jpeg", *smaller.size)
