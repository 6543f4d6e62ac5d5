"""Which pages lie below the input folder, and where their results go.

A picture is one page; a PDF, or a TIFF of several frames, has many. Results keep the input's
folders: 100dpi/page1.png -> 100dpi/page1/page1.json, report.pdf -> report/report_page_0.json.
"""

import hashlib
import os
import re
import stat
import unicodedata
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path, PurePosixPath

from contract import DRAWING_ENDING, MANY_PAGES, RESERVED, RESULT_ENDINGS, is_page_file
from picture_files import PICTURE_NAME, PICTURES_FOLDER
from results.counting import Counted, count_pages
from results.store import Place, Remote, listing
from walk import BEYOND, HIDDEN, Found, look_below, natural, one_form
from wanted_pages import Selection

LONGEST_NAME_BYTES = 255
LONGEST_ENDING = "_nohf.md.part"
# what follows a folder's name, in the results of its own page and in files that become results
OF_RESULTS = re.compile(
    rf"(_page_[0-9]+)?({'|'.join(map(re.escape, (*RESULT_ENDINGS, DRAWING_ENDING)))})(\.part)?"
)


@dataclass(frozen=True, slots=True)
class Page:
    """One page of the input.

    input is the file's path below the input folder. pdf_page counts the pages of a PDF, or the
    frames of a TIFF, from 0 (None for a picture), and pdf_pages is how many there are. result is
    the path of its results below the output folder, without their endings. fault says why the page
    cannot be read, if this was known when the page was found. sha256 is the file's hash, if the
    file had to be fetched to find the page.
    """

    input: str
    result: str
    pdf_page: int | None = None
    fault: str = ""
    sha256: str = ""
    pdf_pages: int = field(default=0, compare=False)

    @property
    def key(self) -> tuple[str, int | None]:
        """The file and the number: they tell this page from all others of the input."""
        return self.input, self.pdf_page


def count_here(places: Sequence[Place]) -> list[Counted]:
    """Count the pages of each file in this process: for files that can be trusted."""
    return [count_pages(place) for place in places]


def find_pages(
    root: Place,
    count: Callable[[Sequence[Place]], Sequence[Counted]] = count_here,
    results: Place | None = None,
    not_read: Counter[str] | None = None,
) -> list[Page]:
    """Return all pages below root, in natural order (page2 before page10), but no hidden files.

    count() opens the files that may have many pages, so that this can be done elsewhere. results is
    a folder that is not input. Files that are not read are added to not_read, by ending.
    """
    pages: list[Page] = []
    many: dict[PurePosixPath, str] = {}
    found = look_at(root, results, pages)
    if not_read is not None:
        not_read.update(found.not_read)
    folders = by_folder(found.files)
    for folder, names in folders.items():
        for name, stem in result_names(names, folder).items():
            path = PurePosixPath(folder, name)
            result = str(path.parent / stem / stem)
            has_many = name.lower().endswith(MANY_PAGES)
            fault = fault_of_name(str(path), result + ("_page_9999" if has_many else ""))
            fault = fault or fault_of_kind(root / path)
            if has_many and not fault:
                many[path] = result
            else:
                pages.append(Page(str(path), result, fault=fault))
    counted = count([root / path for path in many])
    for (path, result), number in zip(many.items(), counted, strict=True):
        pages.extend(pages_of(path, result, number))
    if faults := blocked(folders, pages):
        pages = [refused(page, faults) for page in pages]
    return sorted(pages, key=lambda page: (natural(page.input), page.pdf_page or 0))


def look_at(root: Place, results: Place | None, faults: list[Page]) -> Found:
    """Return the files below root. A folder that cannot be listed becomes a fault."""
    if isinstance(root, Remote):
        return look_at_url(root, faults)

    def refuse(folder: str, error: OSError) -> None:
        reason = f"the folder cannot be listed: {error.strerror}"
        faults.append(Page(f"{folder}/", folder, fault=reason))

    return look_below(root, refuse, results if isinstance(results, Path) else None)


def look_at_url(root: Remote, faults: list[Page]) -> Found:
    """Do the same for a URL. Raises OSError if it cannot be listed."""
    found = Found()
    names = listing(root.root)
    for name in names:
        path = PurePosixPath(name)
        if is_page_file(path.name) and (str(path) != name or path.is_absolute()):
            reason = "a file's name cannot have // or /./: rename it"
            faults.append(Page(name, str(path).lstrip("/"), fault=reason))
        elif any(part.startswith(".") for part in path.parts):
            found.not_read[HIDDEN] += 1
        else:
            found.take(str(path), names.__contains__)
    return found


def by_folder(files: list[str]) -> dict[str, list[str]]:
    """Return the names of files by the folder that they are in."""
    folders: dict[str, list[str]] = {}
    for path in map(PurePosixPath, files):
        folders.setdefault(str(path.parent), []).append(path.name)
    return folders


def result_names(names: list[str], folder: str) -> dict[str, str]:
    """Return what the results of the files of one folder are called, by the name of the file.

    It is the stem. If another file may have that, or if it may be the name of a file of other
    results, it is the whole name. If that may be the name of such a file, too, a "_" follows it.
    """
    parent = alike(PurePosixPath(folder).name)
    plain = {name: alike(name) for name in names}
    stems = {name: alike(PurePosixPath(name).stem) for name in names}
    longer = {name: f"{name}_" for name in names if is_of_results(plain[name], parent)}
    taken = Counter([*stems.values(), *plain.values(), *map(alike, longer.values())])

    def called(name: str, stem: str) -> str:
        if taken[stem] == 1 and not is_of_results(stem, parent):
            return PurePosixPath(name).stem
        return longer.get(name, name)

    return {name: called(name, stem) for name, stem in stems.items()}


def is_of_results(name: str, parent: str) -> bool:
    """Whether a file of results may have this name in a folder with the name parent.

    Both names are as alike() returns them. The file may be the batch's own, one of the page x.png
    in the folder x, or one of its pictures in x/pictures.
    """
    if not parent:
        return name in RESERVED
    if parent == PICTURES_FOLDER and PICTURE_NAME.fullmatch(name):
        return True
    return name.startswith(parent) and bool(OF_RESULTS.fullmatch(name, len(parent)))


def blocked(folders: Iterable[str], pages: Sequence[Page]) -> dict[str, str]:
    """Return the input folders that stand where a file of a page's results would be, and why."""
    odd = {
        folder: each
        for folder in folders
        for each in (PurePosixPath(folder), *PurePosixPath(folder).parents)
        if each.name and is_of_results(alike(each.name), alike(each.parent.name))
    }
    if not odd:
        return {}
    homes = {PurePosixPath(page.result).parent for page in pages} | {PurePosixPath(".")}
    return {
        folder: f"the folder {each} has the name of a file of results: rename it"
        for folder, each in odd.items()
        if home_of(each) in homes
    }


def home_of(file: PurePosixPath) -> PurePosixPath:
    """Return the folder of the page that would have a file with this name among its results."""
    is_picture = alike(file.parent.name) == PICTURES_FOLDER
    return file.parent.parent if is_picture else file.parent


def refused(page: Page, faults: Mapping[str, str]) -> Page:
    """Return a page with the fault of its folder, if that has one."""
    fault = faults.get(str(PurePosixPath(page.input).parent), "")
    return replace(page, fault=page.fault or fault)


def alike(name: str) -> str:
    """Return a name as it looks to a file system that ignores case and Unicode's forms."""
    return one_form(name).casefold()


def pages_of(path: PurePosixPath, result: str, counted: Counted) -> Iterator[Page]:
    """Yield the pages in a file. A file that cannot be counted is one page with its fault.

    One more page with a fault stands for all pages that the file says it has but does not hold, or
    for what it holds that is not one of its pages.
    """
    if counted.fault or counted.is_picture or not counted.said:
        is_none = not (counted.fault or counted.is_picture)
        fault = f"the {counted.kind} has no page" if is_none else counted.fault
        yield Page(str(path), result, fault=fault, sha256=counted.sha256)
        return
    said, holds = counted.said, counted.pages
    faults = [""] * holds
    if said > holds:
        faults.append(f"the {counted.kind} says it has {said:,} pages, and holds {holds:,}")
    elif counted.beyond:
        faults.append(counted.beyond)
    for index, fault in enumerate(faults):
        name = f"{result}_page_{index}"
        yield Page(str(path), name, index, fault, counted.sha256, len(faults))


def select(pages: list[Page], selection: Selection, not_read: Counter[str]) -> list[Page]:
    """Return the wanted pages. A file without any wanted page is counted in not_read.

    A file that cannot be opened stays, because nobody knows which pages it has.
    """
    wanted = [
        page
        for page in pages
        if selection.has(page.pdf_page) or (page.pdf_page is None and page.fault)
    ]
    if left_out := {page.input for page in pages} - {page.input for page in wanted}:
        not_read[BEYOND] += len(left_out)
    return wanted


def fault_of_kind(place: Place) -> str:
    """Say why a page's file cannot be opened, or nothing: opening a pipe would wait for it."""
    try:
        is_odd = isinstance(place, Path) and not stat.S_ISREG(place.stat().st_mode)
    except OSError:
        return ""  # opening it will say why
    return "not a regular file (a pipe, a device or a socket)" if is_odd else ""


def fault_of_name(path: str, result: str) -> str:
    """Say why no result can be named after this file, or nothing."""
    if any(unicodedata.category(character) in ("Cc", "Cs") for character in path):
        return "the name has a line break or bytes that are not text: rename the file"
    size = len(os.fsencode(PurePosixPath(result).name + LONGEST_ENDING))
    if size > LONGEST_NAME_BYTES:
        over = size - LONGEST_NAME_BYTES
        return f"the name is {over} bytes too long for its results: rename the file"
    return ""


def sha256_of(path: Place) -> str:
    """Return the SHA-256 of a file, in hexadecimal."""
    if isinstance(path, Remote):
        return hashlib.sha256(path.read_bytes()).hexdigest()
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
