"""The pages of the sample, one file for each. Only the processes of lib.pool open pages."""

import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

import pymupdf
from PIL import Image, ImageOps, UnidentifiedImageError

from lib import files
from lib.damage import UNREADABLE
from lib.inputs import status_of
from lib.pages.originals import FORMATS
from lib.pdf import opened
from lib.plan.counting import HEAD_BYTES, PDF
from lib.pool import each
from lib.tune.sampling import Place, order

Size = tuple[float, float]
PNG_MODES = ("1", "L", "LA", "I", "I;16", "P", "RGB", "RGBA")


@dataclass(frozen=True)
class Job:
    """A page to open. target is where it is written to; None if it is only measured."""

    root: Path
    place: Place
    target: Path | None = None
    password: str = field(default="", repr=False)

    @property
    def path(self) -> Path:
        """Its file."""
        return self.root / self.place.name

    def __str__(self) -> str:
        return str(self.place)


def measured(
    root: Path, places: Iterable[Place], password: str
) -> tuple[dict[Place, Size], dict[Place, str]]:
    """Return width and height of these pages, and for the others why they cannot be opened."""
    jobs = [Job(root, place, None, password) for place in places]
    sizes, why = dict[Place, Size](), dict[Place, str]()
    for job, found in each(measure, jobs, "make tune: looking at pages"):
        if isinstance(found, str):
            why[job.place] = found
        else:
            sizes[job.place] = found
    return sizes, why


def measure(job: Job) -> Size | str:
    """Return width and height of one page: pixels of a picture, points of a PDF.

    (0, 0) if the kind of picture is not known here. If the page cannot be opened, return why.
    """
    try:
        if is_pdf(job.path):
            with opened(job.path, job.password) as document:
                rect = document[job.place.page or 0].rect
            return float(rect.width), float(rect.height)
        with Image.open(job.path, formats=FORMATS) as image:
            image.seek(job.place.page or 0)
            return float(image.width), float(image.height)
    except UnidentifiedImageError:  # perhaps HEIC, or no picture: the machine will know
        return 0.0, 0.0
    except UNREADABLE as error:
        return reason_of(error)


def bring(
    root: Path, places: Sequence[Place], folder: Path, password: str
) -> tuple[dict[str, Place], dict[Place, str]]:
    """Make a folder hold exactly these pages, one file for each.

    Return (page by file, why other pages are not there). From a file with many pages, the page is
    cut out, so that only this page must be sent to the machine.
    """
    names = {target_of(place): place for place in sorted(places, key=order)}
    why = dict.fromkeys(set(places) - set(names.values()), "another page has its name")
    cut = []
    for name, place in list(names.items()):
        try:
            status = status_of(root / place.name)
            if place.page is None:
                files.copy_new(root / place.name, folder / name)
            elif not is_as_old(folder / name, status):
                (folder / name).parent.mkdir(parents=True, exist_ok=True)
                cut.append(Job(root, place, folder / name, password))
        except OSError as error:
            why[place] = error.strerror or str(error)
    said = {job.place: text for job, text in each(cut_out, cut, "make tune: cutting pages out")}
    why |= {job.place: text for job in cut if (text := said.get(job.place, "took too long"))}
    names = {name: place for name, place in names.items() if place not in why}
    files.remove_others(folder, names)
    return names, why


def target_of(place: Place) -> str:
    """The name of a page's file in the sample. A page cut out of a file is named as its results."""
    if place.page is None:
        return place.name
    path = PurePosixPath(place.name)
    return str(path.with_name(f"{path.stem}_page_{place.page}{path.suffix}"))


def is_as_old(path: Path, status: os.stat_result) -> bool:
    """Whether this page was cut out of the file in its present state (same mtime)."""
    return path.is_file() and path.stat().st_mtime_ns == status.st_mtime_ns


def cut_out(job: Job) -> str:
    """Write one page of a file as a file of its own. Return what went wrong, or ""."""
    assert job.target and job.place.page is not None
    part = job.target.with_name(job.target.name + files.PART)
    try:
        times = job.path.stat()
        if is_pdf(job.path):
            cut_pdf(job, part)
        else:
            cut_picture(job, part)
        os.utime(part, ns=(times.st_atime_ns, times.st_mtime_ns))
        part.replace(job.target)
    except UNREADABLE as error:
        part.unlink(missing_ok=True)
        return reason_of(error)
    return ""


def reason_of(error: Exception) -> str:
    """The text of an error, on one line."""
    return " ".join(str(error).split()) or type(error).__name__


def cut_pdf(job: Job, part: Path) -> None:
    """Write one page of a PDF as a PDF. If the original needs a password, the page needs it too."""
    with opened(job.path, job.password) as document, pymupdf.open() as page:
        number = job.place.page
        page.insert_pdf(document, from_page=number, to_page=number, links=False)
        closed = {}
        if document.needs_pass:
            closed = {"encryption": pymupdf.mupdf.PDF_ENCRYPT_AES_256, "user_pw": job.password}
            closed["owner_pw"] = job.password
        page.save(part, garbage=1, **closed)


def cut_picture(job: Job, part: Path) -> None:
    """Write a frame of a TIFF as a PNG, upright. PNG loses no pixel of it."""
    with Image.open(job.path, formats=FORMATS) as image:
        image.seek(job.place.page or 0)
        upright = ImageOps.exif_transpose(image)
        picture = upright if upright.mode in PNG_MODES else upright.convert("RGB")
        picture.save(part, "PNG", compress_level=1)


def is_pdf(path: Path) -> bool:
    """Whether the content of a file says that it is a PDF."""
    with path.open("rb") as file:
        return PDF in file.read(HEAD_BYTES)
