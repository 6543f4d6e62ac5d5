"""Decide which pages make a document, and what its name is.

Each PDF is a document, and so is each other file of several pages. Each picture is one, too, or all
pictures of a folder are one. Its name is that of the folder with its pages' results:
report/report_page_0.json -> report.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import PurePosixPath

from lib.alike import alike
from lib.pages.entries import Entry
from lib.results import is_below
from walk import natural

FOLDER = "documents"
"""Its name below OUTPUT. An input folder may have the same name: then its results are here, too."""
FILES, FOLDERS = WHAT = ("files", "folders")
TOP = "pages"  # the name of the document of all pictures at the top of INPUT


@dataclass(frozen=True)
class Gathered:
    """A document's pages in order, and its path below OUTPUT/documents/."""

    path: str
    entries: tuple[Entry, ...]


def gather(entries: Iterable[Entry], what: str) -> tuple[list[Gathered], dict[str, str]]:
    """Group pages into documents. Return them, and why others cannot be made: no name is free.

    If a name belongs to another document or to a result, a longer one is taken: a file's name keeps
    its ending, a folder's name gets _pages.
    """
    entries = sorted(entries, key=lambda entry: (natural(entry.input), entry.pdf_page or 0))
    groups: dict[tuple[bool, str], list[Entry]] = {}
    for entry in entries:
        is_folder = what == FOLDERS and is_picture(entry)
        groups.setdefault((is_folder, entry.folder if is_folder else entry.input), []).append(entry)
    results = {alike(page) for entry in entries for page in (entry.page, f"{entry.page}_nohf")}
    names = {key: names_of(key[0], found[0]) for key, found in groups.items()}
    paths = chosen(names, {name.partition("/")[2] for name in results if first(name) == FOLDER})
    faults = {
        key[1]: f"no name is left for it in {FOLDER}/: another has it. Rename the file"
        for key in groups
        if key not in paths
    }
    return [Gathered(paths[key], tuple(groups[key])) for key in paths], faults


def is_picture(entry: Entry) -> bool:
    """Whether a page can be part of a folder's document: it is a whole picture file below INPUT."""
    is_pdf = entry.input.lower().endswith(".pdf")
    return entry.pdf_page is None and not is_pdf and is_below(entry.input)


def names_of(is_folder: bool, entry: Entry) -> tuple[str, str]:
    """Return the two possible names of a document that begins with this page, the better first."""
    if is_folder:
        return entry.folder or TOP, f"{entry.folder or 'top'}_pages"
    results = str(PurePosixPath(entry.page).parent)
    return entry.page if results == "." else results, entry.input


def chosen(
    names: Mapping[tuple[bool, str], tuple[str, str]], taken: set[str]
) -> dict[tuple[bool, str], str]:
    """Choose a free name for each document. A document without a free name is not in the result."""
    wanted = Counter(alike(short) for short, _ in names.values())
    found: dict[tuple[bool, str], str] = {}
    used: set[str] = set()
    for key, (short, long) in names.items():
        for name in (short, long) if wanted[alike(short)] == 1 else (long,):
            if key in found or not is_below(name) or name in used or alike(name) in taken:
                continue
            found[key] = name
            used.add(name)
    return found


def first(name: str) -> str:
    """The first part of a path."""
    return name.partition("/")[0]
