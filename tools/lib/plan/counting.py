"""Count the pages of files that may have many. They are opened in processes that can be killed.

The machine counts again, and strictly (vm_side/results/counting.py). If a file claims a page that
it does not have, the machine counts that as a failed page; here it counts as a page.
"""

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

from PIL import Image

from lib import pool
from lib.damage import UNREADABLE
from lib.inputs import status_of

PDF = b"%PDF-"
HEAD_BYTES = 1024  # a PDF must say what it is within these first bytes
BYTES_PER_PAGE = 4  # the least that a page of a PDF takes

Counter = Callable[[Sequence[Path]], dict[Path, int]]


def count_all(paths: Sequence[Path], password: str = "") -> dict[Path, int]:
    """Return the number of pages of each file. A file that cannot be opened is left out."""
    found = pool.each(partial(count_in, password=password), paths, "counting pages")
    return {path: pages for path, pages in found if pages}


def count_in(path: Path, password: str) -> int:
    """The pages of one file; 0 if they cannot be counted."""
    try:
        status_of(path)  # reading a pipe would wait for ever, and use no CPU time
        with path.open("rb") as file:
            is_pdf = PDF in file.read(HEAD_BYTES)
        return count_in_pdf(path, password) if is_pdf else count_frames(path)
    except UNREADABLE:
        return 0


def count_in_pdf(path: Path, password: str) -> int:
    """The number of pages that a PDF claims; 0 if its file is too small for so many."""
    from lib.pdf import page_count  # noqa: PLC0415 - see there

    pages = page_count(path, password)
    return pages if pages * BYTES_PER_PAGE <= path.stat().st_size else 0


def count_frames(path: Path) -> int:
    """The number of frames of a TIFF; 1 for a picture of another kind, whatever its name is."""
    with Image.open(path) as image:
        frames: int = getattr(image, "n_frames", 1) if image.format == "TIFF" else 1
    return frames
