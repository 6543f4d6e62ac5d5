"""What a page is opened from: its file on a disk, or its content from a store."""

import functools
import threading
from pathlib import Path

from picture.images import UnreadablePage
from results.counting import source_of
from results.pages import Page
from results.store import Place, Remote

FETCHING = threading.Lock()  # for a PDF, because the threads of its other pages want it, too


def content_of(page: Page, folder: Place, sha256: str) -> Path | bytes:
    """Return the page's file, or its content. Raises UnreadablePage, and OSError of a store."""
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
    """Return a PDF's content, fetched once for pages that follow one another."""
    return source_of(place)
