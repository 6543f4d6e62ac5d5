"""How many pages the files have that may have many: opened in processes that can be killed.

The machine counts again, and strictly (vm_side/results/counting.py): a page that the file only says
it has counts there as a failed one, and here as a page.
"""

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

from PIL import Image

from lib import pool
from lib.damage import UNREADABLE
from lib.inputs import status_of

PDF = b"%PDF-"
HEAD_BYTES = 1024  # before which a PDF must say what it is
BYTES_PER_PAGE = 4  # of a PDF, at least

Counter = Callable[[Sequence[Path]], dict[Path, int]]


def count_all(paths: Sequence[Path], password: str = "") -> dict[Path, int]:
    """Pages by file; a file that cannot be opened is left out."""
    found = pool.each(partial(count_in, password=password), paths, "counting pages")
    return {path: pages for path, pages in found if pages}


def count_in(path: Path, password: str) -> int:
    """The pages of one file; 0 if they cannot be counted."""
    try:
        status_of(path)  # a pipe would be waited for, and takes no time of the CPU
        with path.open("rb") as file:
            is_pdf = PDF in file.read(HEAD_BYTES)
        return count_in_pdf(path, password) if is_pdf else count_frames(path)
    except UNREADABLE:
        return 0


def count_in_pdf(path: Path, password: str) -> int:
    """The pages that a PDF says it has, if it is large enough for them."""
    from lib.pdf import page_count  # noqa: PLC0415 - see there

    pages = page_count(path, password)
    return pages if pages * BYTES_PER_PAGE <= path.stat().st_size else 0


def count_frames(path: Path) -> int:
    """The frames of a TIFF; a picture of another kind is one page, whatever its name says."""
    with Image.open(path) as image:
        frames: int = getattr(image, "n_frames", 1) if image.format == "TIFF" else 1
    return frames
