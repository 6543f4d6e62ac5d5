"""What a page is opened from: its file on a disk, or the content that a store holds."""

import functools
import threading
from pathlib import Path

from picture.images import UnreadablePage
from results.counting import source_of
from results.pages import Page
from results.store import Place, Remote

FETCHING = threading.Lock()  # of a PDF, which its other pages' threads want, too


def content_of(page: Page, folder: Place, sha256: str) -> Path | bytes:
    """The page's file below the input folder. Raises UnreadablePage, and OSError of a store."""
    if page.fault:
        raise UnreadablePage(page.fault)
    place = folder / page.input
    if isinstance(place, Path):
        return place
    if page.pdf_page is None:
        return place.read_bytes()
    with FETCHING:
        return kept_bytes(place, sha256)


@functools.lru_cache(maxsize=1)
def kept_bytes(place: Remote, sha256: str) -> Path | bytes:
    """A PDF's content, fetched once for pages that follow one another."""
    return source_of(place)
