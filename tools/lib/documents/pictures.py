"""A document's pictures: the files in the results, else parts cut out of INPUT's pages."""

import io
from pathlib import Path

from PIL import Image

from lib import files
from lib.damage import UNREADABLE
from lib.documents.document import Document, Sources
from lib.documents.flow import Block
from lib.pages import originals
from lib.pages.entries import Entry
from lib.pages.values import Box
from lib.results import LARGEST_BYTES, is_below
from picture_files import picture_number

SIDE = 2400  # most pixels of a page's side: about 200 dpi for A4
NO_PICTURES = "pictures that are not in the results (PICTURES=files), nor in INPUT, are left out"
KINDS = {b"\x89PNG\r\n\x1a\n": ".png", b"\xff\xd8\xff": ".jpg"}

Found = tuple[bytes, str]
"""A picture file's content, and its ending."""


class Pictures:
    """Get the pictures of one document on demand. A page is opened once for all pictures on it."""

    def __init__(self, document: Document, sources: Sources) -> None:
        self._document, self._sources = document, sources
        self._opened: tuple[int, Image.Image | None] = (-1, None)
        self._heads: dict[str, bytes] = {}  # first bytes of INPUT's files, so each is hashed once
        self.missing = 0
        """How many pictures are neither in the results nor in INPUT."""

    def of(self, block: Block) -> Found | None:
        """Return the picture of a block; None if it is not available."""
        page, place = block.cells[0]
        entry = self._document.pages[page].entry
        found = self._among_results(entry, block.picture)
        if found is None:
            found = self._cut(page, self._document.pages[page].cells[place].box)
        self.missing += found is None
        return found

    def _among_results(self, entry: Entry, number: int) -> Found | None:
        for name in entry.pictures:
            path = self._sources.results / name
            if picture_number(name) == number and is_ours(path, self._sources.results, name):
                data = path.read_bytes()
                return next(
                    ((data, end) for head, end in KINDS.items() if data[:9].startswith(head)), None
                )
        return None

    def _cut(self, page: int, box: Box) -> Found | None:
        if self._opened[0] != page:
            self._opened = page, self._open(self._document.pages[page].entry)
        whole = self._opened[1]
        if whole is None:
            return None
        sides = (*whole.size, *whole.size)
        left, top, right, bottom = (
            round(part * side) for part, side in zip(box, sides, strict=True)
        )
        if left >= right or top >= bottom:
            return None
        file = io.BytesIO()
        whole.crop((left, top, right, bottom)).save(file, "PNG")
        return file.getvalue(), ".png"

    def _open(self, entry: Entry) -> Image.Image | None:
        """Open a page of INPUT; None if its file is not the one that was read."""
        source = self._sources.input
        if source is None or not is_below(entry.input):
            return None
        path = source / entry.input
        try:
            head = self._heads.get(entry.input)
            if head is None:
                head = self._heads[entry.input] = originals.head_of(path, entry.sha256)
            if not head:
                return None
            return originals.open_page(
                path, head, entry.pdf_page, entry.rotation, SIDE, self._sources.password
            )
        except UNREADABLE:
            return None


def is_ours(path: Path, results: Path, name: str) -> bool:
    """Whether a picture's file is in the results, not through a link, and is not too large."""
    return (
        path.is_file()
        and not files.leading_out(results, [name])
        and not path.is_symlink()
        and path.stat().st_size <= LARGEST_BYTES
    )
