"""The pages' pictures for a report, in WebP, named by content: one to read, one for the list.

They are made from the input. After that the report does not need the input: results can be moved
and their pages can still be seen.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

from PIL import Image

from lib.damage import UNREADABLE
from lib.files import PART
from lib.pages import originals
from lib.pages.entries import Entry
from lib.results import is_below

PAGES, THUMBS = KINDS = ("pages", "thumbs")
ENDING = ".webp"  # half the size of a JPEG; .jpg is the ending of the drawings (IMAGES=1)
PAGE_SIDE, PAGE_QUALITY = 1400, 50
THUMB_SIZE, THUMB_QUALITY = (112, 144), 45
PDF_RUN = 16  # one job renders at most so many pages of a file


@dataclass(frozen=True)
class Job:
    """Pictures to make from one file, if it still has this content."""

    path: Path
    sha256: str
    folder: Path
    pages: tuple[tuple[int | None, int, str], ...]
    """For each: (page of a PDF, or frame of a TIFF, or None; rotation; name of the pictures)."""
    password: str = field(default="", repr=False)

    def __str__(self) -> str:
        """The file and its pages, for people."""
        numbers = ", ".join(str(page) for page, _, _ in self.pages if page is not None)
        return f"{self.path.name} page {numbers}" if numbers else self.path.name


def jobs(
    entries: Iterable[Entry], source: Path | None, folder: Path, password: str = ""
) -> Iterator[Job]:
    """The pictures that are still missing, file by file. The password opens PDFs that need one."""
    if source is None:
        return
    stand = [names_in(folder / kind) for kind in KINDS]
    missing: dict[tuple[str, str], dict[str, tuple[int | None, int]]] = {}
    for entry in entries:
        if (
            entry.picture
            and is_below(entry.input)
            and not all(entry.picture in names for names in stand)
        ):
            page = entry.pdf_page, entry.rotation
            missing.setdefault((entry.input, entry.sha256), {})[entry.picture] = page
    for (name, sha256), pictures in missing.items():
        pages = [(*page, picture) for picture, page in pictures.items()]
        for start in range(0, len(pages), PDF_RUN):
            run = tuple(pages[start : start + PDF_RUN])
            yield Job(source / name, sha256, folder, run, password)


def one_by_one(job: Job) -> list[Job]:
    """Split a job into one for each page, the last page first; nothing if it has only one."""
    return [replace(job, pages=(page,)) for page in job.pages[::-1]] if len(job.pages) > 1 else []


def make(job: Job) -> int:
    """Make the pictures of a job. Return how many pages have new ones.

    A file that is gone or changed gives none; a damaged one gives those before the damage.
    """
    made = 0
    try:
        head = originals.head_of(job.path, job.sha256)
        for number, rotation, name in job.pages if head else ():
            picture = originals.open_page(job.path, head, number, rotation, PAGE_SIDE, job.password)
            write(picture, job.folder, name)
            made += 1
    except UNREADABLE:
        pass  # the report shows such a page as an empty sheet
    return made


def write(picture: Image.Image, folder: Path, name: str) -> None:
    """Write a picture in both sizes."""
    save(picture, folder / PAGES / f"{name}{ENDING}", PAGE_QUALITY)
    small = picture.convert("RGB") if picture.mode == "P" else picture.copy()
    small.thumbnail(THUMB_SIZE, reducing_gap=3.0)
    save(small, folder / THUMBS / f"{name}{ENDING}", THUMB_QUALITY)


def save(picture: Image.Image, path: Path, quality: int) -> None:
    """Write a picture, whole or not at all."""
    part = path.with_name(path.name + PART)
    picture.save(part, "WEBP", quality=quality, method=2)
    part.replace(path)


def names_in(folder: Path) -> set[str]:
    """The names of the pictures in a folder; empty if there is no such folder."""
    return {path.stem for path in folder.glob(f"*{ENDING}")}


def remove_others(folder: Path, entries: Iterable[Entry]) -> None:
    """Remove the pictures of pages that are no longer among the results."""
    names = {entry.picture for entry in entries}
    for kind in KINDS:
        for name in names_in(folder / kind) - names:
            (folder / kind / f"{name}{ENDING}").unlink()
