"""Which pages lie below the input folder, and where their results go.

A picture is one page, a PDF as many as it has. Results keep the input's folders:
100dpi/page1.png -> 100dpi/page1/page1.json, report.pdf -> report/report_page_0.json.
"""

import hashlib
import os
import re
import unicodedata
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from contract import MANIFEST, PDFS, SUMMARY, is_page_file
from picture.images import UnreadablePage, open_pdf
from results.store import Place, Remote, listing

LONGEST_NAME_BYTES = 255
LONGEST_ENDING = "_nohf.md.part"
RESERVED = (MANIFEST, SUMMARY)  # the batch's own files, at the top of the results


@dataclass(frozen=True, slots=True)
class Page:
    """One page of the input.

    input is the file's path below the input folder, pdf_page counts from 0 (None for a picture),
    result is the path of its results below the output folder, without their endings. fault says
    why the page cannot be read, if that showed already when it was found; sha256 is that of the
    file, if it had to be fetched to find the page.
    """

    input: str
    result: str
    pdf_page: int | None = None
    fault: str = ""
    sha256: str = ""

    @property
    def key(self) -> tuple[str, int | None]:
        """What tells this page from all others of the input."""
        return self.input, self.pdf_page


def find_pages(root: Place) -> list[Page]:
    """All pages below root, in natural order (page2 before page10). Hidden files do not count."""
    pages: list[Page] = []
    for folder, names in walk(root, pages):
        reserved = RESERVED if folder == "." else ()
        for name, result in result_names(names, reserved).items():
            path = PurePosixPath(folder, name)
            pages.extend(pages_of(root, path, str(path.parent / result / result)))
    return sorted(pages, key=lambda page: (natural(page.input), page.pdf_page or 0))


def walk(root: Place, faults: list[Page]) -> Iterator[tuple[str, list[str]]]:
    """(folder below root, names of the page files in it), folders that cannot be listed aside."""
    return walk_url(root, faults) if isinstance(root, Remote) else walk_disk(root, faults)


def walk_url(root: Remote, faults: list[Page]) -> Iterator[tuple[str, list[str]]]:
    """Of a URL; raises OSError if it cannot be listed."""
    folders: dict[str, list[str]] = {}
    for name in listing(root.root):
        path = PurePosixPath(name)
        if is_page_file(path.name) and (str(path) != name or path.is_absolute()):
            reason = "a name with // or /./ can be no file's: rename it"
            faults.append(Page(name, str(path).lstrip("/"), fault=reason))
        elif is_page_file(path.name) and not any(part.startswith(".") for part in path.parts):
            folders.setdefault(str(path.parent), []).append(path.name)
    yield from folders.items()


def walk_disk(root: Path, faults: list[Page]) -> Iterator[tuple[str, list[str]]]:
    """Of a disk."""

    def note(error: OSError) -> None:
        folder = PurePosixPath(error.filename).relative_to(root.as_posix())
        reason = f"the folder cannot be listed: {error.strerror}"
        faults.append(Page(f"{folder}/", str(folder), fault=reason))

    for folder, subfolders, names in os.walk(root, onerror=note):
        subfolders[:] = [name for name in subfolders if not name.startswith(".")]
        below = PurePosixPath(Path(folder).relative_to(root).as_posix())
        yield str(below), [name for name in names if is_page_file(name)]


def result_names(names: list[str], reserved: tuple[str, ...]) -> dict[str, str]:
    """What the results of the files of one folder are called.

    It is the stem, or the whole name where the stem is reserved or could be taken for another's.
    """
    stems = {name: alike(PurePosixPath(name).stem) for name in names}
    taken = Counter([*stems.values(), *map(alike, names), *map(alike, reserved)])
    return {name: PurePosixPath(name).stem if taken[stems[name]] == 1 else name for name in names}


def alike(name: str) -> str:
    """A name as a file system sees it that tells neither case nor Unicode's forms apart."""
    return unicodedata.normalize("NFC", name).casefold()


def pages_of(root: Place, path: PurePosixPath, result: str) -> Iterator[Page]:
    """The pages in one file; a file that cannot be opened is one page with its fault."""
    pdf = path.name.lower().endswith(PDFS)
    fault = fault_of_name(str(path), result + ("_page_9999" if pdf else ""))
    if fault or not pdf:
        yield Page(str(path), result, fault=fault)
        return
    sha256 = ""
    try:
        source = pdf_source(root / path)
        if isinstance(source, bytes):  # fetched already, and for that only once
            sha256 = hashlib.sha256(source).hexdigest()
        with open_pdf(source) as document:
            count = document.page_count
    except UnreadablePage as error:
        yield Page(str(path), result, fault=str(error))
        return
    if count == 0:
        yield Page(str(path), result, fault="the PDF has no page")
    for index in range(count):
        yield Page(str(path), f"{result}_page_{index}", index, sha256=sha256)


def pdf_source(place: Place) -> Path | bytes:
    """What a PDF is opened from. Raises UnreadablePage if it is gone; OSError of a store."""
    if isinstance(place, Path):
        return place
    try:
        return place.read_bytes()
    except FileNotFoundError as error:
        raise UnreadablePage(f"the file cannot be opened: {error}") from error


def fault_of_name(path: str, result: str) -> str:
    """Why no result can be named after this file, or nothing."""
    if any(unicodedata.category(character) in ("Cc", "Cs") for character in path):
        return "the name has a line break or bytes that are no text: rename the file"
    size = len(os.fsencode(PurePosixPath(result).name + LONGEST_ENDING))
    if size > LONGEST_NAME_BYTES:
        over = size - LONGEST_NAME_BYTES
        return f"the name is {over} bytes too long for its results: rename the file"
    return ""


def natural(path: str) -> list[tuple[int, int, str]]:
    """A sort key in which numbers count as numbers."""
    parts = re.split(r"([0-9]+)", path)
    return [(0, int(part), "") if part.isdecimal() else (1, 0, part) for part in parts if part]


def sha256_of(path: Place) -> str:
    """The SHA-256 of a file, in hexadecimal."""
    if isinstance(path, Remote):
        return hashlib.sha256(path.read_bytes()).hexdigest()
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
