"""All pages that have a truth, scored: read, paired, added up."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from contract import SUMMARY
from lib.console import Failure
from lib.pages.entries import Entry, cells_path, read_cells, what_is_lost
from lib.pages.scores import SCORES, content_of
from lib.pool import each
from lib.score import omnidocbench
from lib.score.figures import PAGE, Score
from lib.score.pairing import pair
from lib.score.scoring import score_page
from lib.score.truth import ENDING, NoTruth, Truth, is_cells, load, page_of_cells
from walk import one_form

FILES_PER_JOB = 50
PAGES_PER_JOB = 10
READ_CPU_S = 120.0  # OmniDocBench's 1,651 pages are one file of some 100 MB
SCORE_CPU_S = 60.0  # for one job; a job that takes longer is tried page by page
OTHERS = (SUMMARY, SCORES)  # JSON files in a folder of results that are not of a page


@dataclass(frozen=True)
class Scored:
    """A page with its truth."""

    page: str
    """Its name in the results; if it is not there, its name in the truth."""
    folder: str | None
    """The folder of its file; None if the page is not in the results."""
    content: str
    """Identifies the results that were scored, so that a change shows; empty if it has none."""
    score: Score
    lost: str = ""
    """Why a part of what was read is missing in its results. That part counts as not read."""


@dataclass(frozen=True)
class Found:
    """What a folder of truth says about some results."""

    pages: list[Scored]
    """The worst first; but pages that could not be computed come before all others."""
    unclear: list[str]
    """Truths that could be of several pages, or of a page that already has a truth."""
    no_truth: list[tuple[str, str]]
    """JSON files that are not a truth, and why."""
    without_truth: int
    """How many pages have no truth."""
    odd: list[str] = field(default_factory=list)
    """Truths with odd blocks (see Truth.odd), and how many."""

    @property
    def total(self) -> Score:
        """All pages together."""
        return sum((page.score for page in self.pages), Score())


@dataclass(frozen=True)
class ToRead:
    """Files of a folder of truth."""

    folder: Path
    names: tuple[str, ...]

    def __str__(self) -> str:
        return ", ".join(self.names)


@dataclass(frozen=True)
class ToScore:
    """Pages of some results, each with its truth."""

    output: Path
    pages: tuple[tuple[Truth, Entry | None], ...]

    def __str__(self) -> str:
        return ", ".join(entry.page if entry else truth.page for truth, entry in self.pages)


def score_all(output: Path, entries: Sequence[Entry], folder: Path) -> Found:
    """Score all pages of some results by the truth below a folder."""
    truths, no_truth = read_all(folder)
    if not truths:
        raise Failure(
            f"there is no truth in {folder}",
            "give a folder of JSON in the results' form, or in OmniDocBench's: docs/score.md",
        )
    pairing = pair(truths, entries)
    pages = [*pairing.pairs, *((truth, None) for truth in pairing.missing)]
    starts = range(0, len(pages), PAGES_PER_JOB)
    jobs = [ToScore(output, tuple(pages[start : start + PAGES_PER_JOB])) for start in starts]
    scored = {id(truth): lost(truth, entry) for truth, entry in pages}
    for job, found in each(score_some, jobs, "score", SCORE_CPU_S, page_by_page):
        scored.update((id(truth), one) for (truth, _), one in zip(job.pages, found, strict=True))
    return Found(
        sorted(scored.values(), key=worst_first),
        [f"{truth.file}: {truth.page}" for truth in pairing.unclear],
        no_truth,
        pairing.without_truth,
        [f"{truth.file}: {truth.page}: {truth.odd}" for truth in truths if truth.odd],
    )


def lost(truth: Truth, entry: Entry | None) -> Scored:
    """A page that could not be scored in time."""
    folder = entry.folder if entry else None
    return Scored(entry.page if entry else truth.page, folder, "", Score(1, not_computed=(PAGE,)))


def worst_first(page: Scored) -> tuple[bool, float, float, str]:
    """A key to sort by: first what could not be computed, then by CER, then by TEDS."""
    score = page.score
    tables = 1.0 if score.teds.value is None else score.teds.value
    return PAGE not in score.not_computed, -score.characters.rate, tables, page.page


def read_all(folder: Path) -> tuple[list[Truth], list[tuple[str, str]]]:
    """Read all truths below a folder. Also return the JSON files that are not a truth, and why."""
    paths = sorted(path for path in folder.rglob(f"*{ENDING}") if path.is_file())
    names = [path.relative_to(folder).as_posix() for path in paths]
    names = [name for name in names if name not in OTHERS]
    starts = range(0, len(names), FILES_PER_JOB)
    jobs = [ToRead(folder, tuple(names[start : start + FILES_PER_JOB])) for start in starts]
    read = dict[str, list[Truth] | str]()
    for _, found in each(read_some, jobs, "score: truth", READ_CPU_S, file_by_file):
        read.update(found)
    said = [(name, read.get(name, "it cannot be read in time")) for name in names]
    truths = [truth for _, found in said if not isinstance(found, str) for truth in found]
    return truths, [(name, found) for name, found in said if isinstance(found, str)]


def file_by_file(job: ToRead) -> list[ToRead]:
    """Split a job into one for each file; nothing if it has only one file."""
    return [ToRead(job.folder, (name,)) for name in job.names] if len(job.names) > 1 else []


def read_some(job: ToRead) -> list[tuple[str, list[Truth] | str]]:
    """The truths in each of some files, or why a file has none."""
    return [(name, truths_in(job.folder, name)) for name in job.names]


def truths_in(folder: Path, name: str) -> list[Truth] | str:
    """The truths in a file, or why it has none."""
    try:
        found = load(folder / name)
    except NoTruth as error:
        return str(error)
    if is_cells(found):
        return [page_of_cells(found, one_form(name))]
    if omnidocbench.is_pages(found):
        return list(omnidocbench.pages_in(found, name))
    return "neither cells nor OmniDocBench's pages"


def page_by_page(job: ToScore) -> list[ToScore]:
    """Split a job into one for each page; nothing if it has only one page."""
    return [ToScore(job.output, (page,)) for page in job.pages] if len(job.pages) > 1 else []


def score_some(job: ToScore) -> list[Scored]:
    """Score the pages of one job. In a page without results, nothing is right."""
    return [score_one(job.output, truth, entry) for truth, entry in job.pages]


def score_one(output: Path, truth: Truth, entry: Entry | None) -> Scored:
    """Score one page. entry is None if the results do not have it."""
    if entry is None:
        return Scored(truth.page, None, "", score_page(truth, (), truth.size, 0))
    path = cells_path(output, entry)
    cells = read_cells(output, entry)
    score = score_page(truth, cells, entry.size, entry.rotation)
    lost = what_is_lost(output, entry)
    return Scored(entry.page, entry.folder, content_of(path), score, lost)


def by_folder(pages: Iterable[Scored]) -> dict[str | None, Score]:
    """The pages of each folder together. Under None are those that are not in the results."""
    found = dict[str | None, Score]()
    for page in pages:
        found[page.folder] = found.get(page.folder, Score()) + page.score
    return found
