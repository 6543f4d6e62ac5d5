"""How far each way of reading agrees with the one that has the most pixels (the largest), by page.

Agreement is not truth: where the largest is wrong, a smaller one that is right differs from it.
"""

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from contract import DONE, FAILED, LEFT, recipe_of
from lib.knobs import Knobs
from lib.pages.entries import Entry, read_cells, read_entries
from lib.pages.markup import plain_text
from lib.pages.matching import match
from lib.pool import TEXT_CPU_S, each
from lib.report.comparison import Compared, Side, alike, by_name, compare, doubtful
from lib.report.matching import compare_words, count_words
from lib.tune.variants import Variant, folder_of, knobs_for


@dataclass(frozen=True)
class Reading:
    """The sample, read in one way. A page that is missing here was not read in this way."""

    variant: Variant
    side: Side

    @property
    def entries(self) -> list[Entry]:
        """Its pages that have an answer."""
        return [entry for entry in self.side.pages.values() if entry.status in DONE]

    @property
    def failed(self) -> int:
        """How many pages failed, so that they have no answer."""
        return sum(entry.status == FAILED for entry in self.side.pages.values())

    @property
    def tried(self) -> int:
        """How many pages were read, or failed."""
        return len(self.side.pages)

    def only(self, pages: Collection[str]) -> "Reading":
        """The same reading, with only these pages."""
        kept = {name: entry for name, entry in self.side.pages.items() if name in pages}
        return replace(self, side=replace(self.side, pages=kept))


@dataclass(frozen=True)
class Page:
    """A page that differs from the largest: how much of its text agrees, how many words do not."""

    name: str
    text: float
    words: int


@dataclass(frozen=True)
class Judged:
    """How far a reading agrees with another. text, boxes and tables are parts from 0 to 1."""

    pages: int
    text: float = 1.0
    boxes: float = 1.0
    tables: float | None = None
    """The part of the words in tables that agree; None if there is no table."""
    worst: tuple[Page, ...] = ()
    """The pages whose text differs, the most different first."""
    lost: int = 0
    """Pages without an answer here, for which the other reading has one."""
    doubtful: int = 0
    new_doubts: int = 0

    @property
    def worst_text(self) -> float:
        """The part of the text that agrees, of the page that agrees least."""
        return self.worst[0].text if self.worst else 1.0


def read(knobs: Knobs, variant: Variant, sample: Collection[str]) -> Reading:
    """Read the results of one way. Pages read in another way, or of another sample, are skipped."""
    root = folder_of(knobs) / variant.name
    wanted = recipe_of(knobs_for(knobs, variant))
    entries = [
        entry
        for entry in read_entries(root)
        if entry.input in sample and entry.status != LEFT and settings_of(entry) == wanted
    ]
    return Reading(variant, Side(variant.name, root, by_name((e.page, e) for e in entries)))


def left_out(readings: Sequence[Reading]) -> dict[Variant, str]:
    """The ways of reading that cannot be compared with the others, and why."""
    most = max(reading.tried for reading in readings)
    why = {one.variant: "no page has an answer" for one in readings if not one.entries}
    return why | {
        one.variant: f"{one.tried} of {most} pages were read"
        for one in readings
        if one.tried < most
    }


def settings_of(entry: Entry) -> Mapping[str, object]:
    """The settings with which a page was read."""
    found = json.loads(entry.line).get("settings")
    return found if isinstance(found, dict) else {}


def judge(reading: Reading, largest: Reading) -> Judged:
    """Compare one way with the largest, on pages that both tried and that the largest has read."""
    known = {n for n, e in largest.side.pages.items() if e.status in DONE}
    pages = known & reading.side.pages.keys()
    if not pages:
        return Judged(0)
    sides = largest.only(pages).side, reading.only(pages).side
    return judged(compare(*sides), tables_of(*sides))


def judged(found: Sequence[Compared], tables: tuple[int, int]) -> Judged:
    """The same, from the compared pages. tables: (words that agree, all words) of the tables."""
    words = sum(page.found.words for page in found)
    boxes = sum(page.found.boxes for page in found)
    differing = [
        Page(page.page, page.found.text_alike, page.found.words_changed)
        for page in found
        if page.found.words_changed
    ]
    return Judged(
        pages=len(found),
        text=alike(sum(page.found.words * page.found.text_alike for page in found), words),
        boxes=alike(sum(page.found.boxes_alike for page in found), boxes),
        tables=alike(*tables) if tables[1] else None,
        worst=tuple(sorted(differing, key=lambda page: (page.text, -page.words))),
        lost=sum(page.second is not None and page.second.status not in DONE for page in found),
        doubtful=doubtful(page.second for page in found),
        new_doubts=sum(len(page.new) for page in found),
    )


def tables_of(largest: Side, other: Side) -> tuple[int, int]:
    """Count words in the tables of the largest: (words that are in both, all words)."""
    jobs = [
        (largest.root, largest.pages[name], other.root, other.pages[name]) for name in other.pages
    ]
    found = [counts for _, counts in each(table_words, jobs, "make tune: tables", TEXT_CPU_S)]
    return sum(same for same, _ in found), sum(words for _, words in found)


def table_words(job: tuple[Path, Entry, Path, Entry]) -> tuple[int, int]:
    """The same for one page."""
    true, told = read_cells(job[0], job[1]), read_cells(job[2], job[3])
    partner = {a: b for a, b, _ in match(true, told)}
    same = words = 0
    for place, cell in enumerate(true):
        if cell.category == "Table":
            other = plain_text(told[partner[place]]) if place in partner else ""
            runs = compare_words(plain_text(cell), other)
            counts = {sign: sum(count_words(t) for s, t in runs if s == sign) for sign in "=-+"}
            same += counts["="]
            words += counts["="] + max(counts["-"], counts["+"])
    return same, words


def enlarged(one: Reading, other: Reading) -> set[str]:
    """The pages for which the model saw pictures of different sizes in the two readings."""
    both = one.side.pages.keys() & other.side.pages.keys()
    pages = one.side.pages, other.side.pages
    return {name for name in both if pages[0][name].model_size != pages[1][name].model_size}
