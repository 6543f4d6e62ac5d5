"""Two result sets side by side: which pages are in both, and what differs in each."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeGuard

from contract import DONE, DOUBTFUL, MANIFEST
from lib.console import Failure, say
from lib.inputs import path_of
from lib.pages.doubts import Doubt
from lib.pages.entries import Cell, Entry, read_cells, read_entries, what_is_lost
from lib.pool import TEXT_CPU_S, each
from lib.report.matching import PageDifference, compare_doubts, compare_pages
from walk import one_form

PAGES_PER_JOB = 50


@dataclass(frozen=True)
class Side:
    """One of the two: a result set, or a folder in one. pages: by their path below it."""

    name: str
    root: Path
    pages: dict[str, Entry]


@dataclass(frozen=True)
class Compared:
    """A page: its entry on each side (None if that side does not have it), and what differs."""

    page: str
    first: Entry | None
    second: Entry | None
    found: PageDifference
    gone: tuple[Doubt, ...] = ()
    """Doubts that only the first side has."""
    new: tuple[Doubt, ...] = ()
    """Doubts that only the second side has."""

    @property
    def kinds(self) -> list[str]:
        """In which ways the page differs."""
        if self.first is None or self.second is None:
            return ["only"]
        found = self.found
        ways = {
            "text": found.words_changed > 0,
            "boxes": found.moved + found.added + found.removed > 0,
            "category": found.recategorised > 0,
            "status": self.first.status != self.second.status,
            "doubts": bool(self.gone or self.new),
        }
        return [kind for kind, is_so in ways.items() if is_so]

    @property
    def change(self) -> float:
        """How much the page differs, to sort by. The text counts most."""
        if self.first is None or self.second is None:
            return 100.0
        found = self.found
        touched = found.moved + found.added + found.removed + found.recategorised
        boxes = touched / found.boxes if found.boxes else 0.0
        others = len({"status", "doubts"}.intersection(self.kinds))
        return round(10 * (1 - found.text_alike) + boxes + others, 4)


def open_side(given: str) -> Side:
    """Open the result set in this folder, or the part of one that is in it (results/100dpi)."""
    folder = path_of(given)
    if not folder.is_dir():
        raise Failure(f"{folder} is not a folder", "give two results: make compare A=… B=…")
    for root in (folder, *folder.parents):
        if (root / MANIFEST).is_file():
            break
    else:
        raise Failure(
            f"neither {folder} nor a folder above it has a {MANIFEST}",
            "give a folder that make download has filled",
        )
    below = "" if root == folder else f"{folder.relative_to(root).as_posix()}/"
    below = one_form(below)
    depth = below.count("/")
    pages = by_name(
        ("/".join(entry.page.split("/")[depth:]), entry)
        for entry in read_entries(root)
        if one_form(entry.page).startswith(below)
    )
    if not pages:
        raise Failure(f"there are no pages in {folder}", "make status")
    return Side(f"{root.name}/{below}".rstrip("/"), root, pages)


def by_name(named: Iterable[tuple[str, Entry]]) -> dict[str, Entry]:
    """Pages by their path, in one form of Unicode. If two would then be equal, as they are."""
    found = list(named)
    count = Counter(one_form(name) for name, _ in found)
    return {one_form(name) if count[one_form(name)] == 1 else name: entry for name, entry in found}


Pair = tuple[Path, Entry, Path, Entry]


@dataclass(frozen=True)
class Job:
    """Pages that both sides have, and where each is on either side."""

    pages: tuple[tuple[str, Pair], ...]

    def __str__(self) -> str:
        return ", ".join(name for name, _ in self.pages)


def compare(first: Side, second: Side) -> list[Compared]:
    """Compare all pages of both sides. Those that changed most come first.

    Pages that took too long or are damaged are left out. Raises Failure if no page is in both.
    """
    names = list(dict.fromkeys([*second.pages, *first.pages]))
    shared = [
        (name, (first.root, first.pages[name], second.root, second.pages[name]))
        for name in names
        if name in first.pages and name in second.pages
    ]
    if not shared:
        raise Failure(
            f"{first.name} and {second.name} have no page in common: they are matched by path",
            "give folders that hold the same pages",
        )
    starts = range(0, len(shared), PAGES_PER_JOB)
    jobs = [Job(tuple(shared[start : start + PAGES_PER_JOB])) for start in starts]
    found = dict[str, PageDifference]()
    for _, differences in each(compare_some, jobs, "compare: text", TEXT_CPU_S, page_by_page):
        for name, difference in differences.items():
            if isinstance(difference, str):
                say(f"compare: left out: {difference}")
            else:
                found[name] = difference
    untold = {name for name, _ in shared} - found.keys()
    pages = [
        Compared(
            name,
            first.pages.get(name),
            second.pages.get(name),
            found.get(name, PageDifference()),
            *doubts_of(first.pages.get(name), second.pages.get(name)),
        )
        for name in names
        if name not in untold
    ]
    return sorted(pages, key=lambda page: -page.change)


def page_by_page(job: Job) -> list[Job]:
    """Split a job into one for each page; nothing if it has only one page."""
    return [Job((page,)) for page in job.pages] if len(job.pages) > 1 else []


def compare_some(job: Job) -> dict[str, PageDifference | str]:
    """What differs in each page of a job, or why it cannot be compared."""
    return {name: lost_in(pair) or compare_pages(*cells_of(pair)) for name, pair in job.pages}


def lost_in(pair: Pair) -> str:
    """Which results of a page are damaged. They were read once, so this is not a difference."""
    root, entry, other_root, other = pair
    sides = ((root, entry), (other_root, other))
    said = [(place / one.page, what_is_lost(place, one)) for place, one in sides]
    return "; ".join(f"{path}.json: {why}" for path, why in said if why)


def doubts_of(
    first: Entry | None, second: Entry | None
) -> tuple[tuple[Doubt, ...], tuple[Doubt, ...]]:
    """The doubts that went away, and the new ones, of a page with witnesses on both sides.

    If one side has no answer, or had no witnesses, both are empty: there is nothing to compare.
    """
    if not (is_witnessed(first) and is_witnessed(second)):
        return (), ()
    return compare_doubts(first.doubts, second.doubts)


def is_witnessed(entry: Entry | None) -> TypeGuard[Entry]:
    """Whether a page has an answer that witnesses have judged."""
    return entry is not None and entry.status in DONE and entry.trust is not None


def cells_of(pair: Pair) -> tuple[list[Cell], list[Cell]]:
    """The cells of a page on both sides."""
    return read_cells(pair[0], pair[1]), read_cells(pair[2], pair[3])


def totals(first: Side, second: Side, pages: Sequence[Compared]) -> dict[str, Any]:
    """The numbers of the whole comparison."""
    both = [page for page in pages if page.first and page.second]
    words = sum(page.found.words for page in both)
    boxes = sum(page.found.boxes for page in both)
    return {
        "a": first.name,
        "b": second.name,
        "compared": len(both),
        "not_compared": len(first.pages.keys() & second.pages.keys()) - len(both),
        "changed": sum(bool(page.kinds) for page in both),
        "only_a": sum(page.second is None for page in pages),
        "only_b": sum(page.first is None for page in pages),
        "words": words,
        "words_changed": sum(page.found.words_changed for page in both),
        "text_alike": alike(sum(page.found.words * page.found.text_alike for page in both), words),
        "boxes": boxes,
        "boxes_alike": alike(sum(page.found.boxes_alike for page in both), boxes),
        "moved": sum(page.found.moved for page in both),
        "added": sum(page.found.added for page in both),
        "removed": sum(page.found.removed for page in both),
        "recategorised": sum(page.found.recategorised for page in both),
        "doubtful_a": doubtful(page.first for page in both),
        "doubtful_b": doubtful(page.second for page in both),
        "doubts_gone": sum(len(page.gone) for page in both),
        "doubts_new": sum(len(page.new) for page in both),
        "kinds": dict(Counter(kind for page in pages for kind in page.kinds)),
    }


def doubtful(entries: Iterable[Entry | None]) -> int:
    """How many pages are doubtful: a person should look at them."""
    return sum(entry is not None and entry.status == DOUBTFUL for entry in entries)


def alike(part: float, whole: float) -> float:
    """A part of a whole, from 0 to 1; 1 if the whole is 0."""
    return round(part / whole, 4) if whole else 1.0


def as_json(page: Compared) -> dict[str, Any]:
    """A page as data for scripts."""
    found = page.found
    return {
        "page": page.page,
        "a": page.first.page if page.first else None,
        "b": page.second.page if page.second else None,
        "kinds": page.kinds,
        "status": [entry.status if entry else None for entry in (page.first, page.second)],
        "text_alike": round(found.text_alike, 4),
        "words_changed": found.words_changed,
        "moved": found.moved,
        "added": found.added,
        "removed": found.removed,
        "recategorised": found.recategorised,
        "trust": [entry.trust if entry else None for entry in (page.first, page.second)],
        "doubts_gone": [doubt.kind for doubt in page.gone],
        "doubts_new": [doubt.kind for doubt in page.new],
    }
