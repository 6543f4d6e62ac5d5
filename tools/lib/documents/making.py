"""Make each document in each format again if it is not up to date, in bounded processes."""

import hashlib
import importlib
import shutil
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from contract import DONE, DOUBTFUL, FAILED
from lib import extras, files
from lib.console import Failure
from lib.documents.document import Document, Page, Sources
from lib.documents.gathering import Gathered
from lib.documents.keeping import Kept, Made, files_in
from lib.documents.registry import FORMATS, version
from lib.pages.entries import Entry, cells_path, read_cells, what_is_lost
from lib.pool import each
from lib.results import is_below

CPU_S = 60.0  # for a document
PAGE_CPU_S = 2.0  # and for each page of the longest one


@dataclass(frozen=True)
class Job:
    """One document to write in one format, into a folder that is not there yet."""

    gathered: Gathered
    made: Made
    """The line of the state that it will have; its files are not known yet."""
    sources: Sources
    folder: Path

    def __str__(self) -> str:
        """Name it for people."""
        return f"{self.made.document} as {self.made.format}"


@dataclass(frozen=True)
class Written:
    """The result of a job: its files, or why there are none."""

    files: dict[str, str] = field(default_factory=dict)
    missing: int = 0
    remarks: tuple[str, ...] = ()
    fault: str = ""


@dataclass
class Outcome:
    """The result for all documents."""

    made: list[Made] = field(default_factory=list)
    unchanged: int = 0
    faults: dict[str, str] = field(default_factory=dict)
    """Document, or documents, in a format -> why it could not be made."""
    remarks: dict[str, list[str]] = field(default_factory=dict)
    """What is lost in a format -> the documents in which it is lost."""


def make_all(
    documents: Sequence[Gathered],
    formats: Sequence[str],
    sources: Sources,
    kept: Kept,
    making: Path,
) -> Outcome:
    """Make the documents that are new or changed, and put them in their places in documents/."""
    outcome = Outcome()
    jobs = list[Job]()
    for gathered, made in states(documents, formats, sources):
        if kept.is_current(made, FORMATS[made.format].uses_input):
            outcome.unchanged += 1
        else:
            jobs.append(Job(gathered, made, sources, making / str(len(jobs))))
    for name in formats:
        of_this = [job for job in jobs if job.made.format == name]
        if of_this and (fault := why_not(name)):
            outcome.faults[f"{len(of_this)} documents as {name}"] = fault
            jobs = [job for job in jobs if job.made.format != name]
    left = {job.made.key: str(job) for job in jobs}
    most = max((len(job.gathered.entries) for job in jobs), default=0)
    for job, written in each(write, jobs, "export", CPU_S + PAGE_CPU_S * most):
        del left[job.made.key]
        take(job, written, kept, outcome)
    outcome.faults |= dict.fromkeys(left.values(), "it was left out, see above")
    return outcome


def take(job: Job, written: Written, kept: Kept, outcome: Outcome) -> None:
    """Put the files of a job in their places, and note the result in outcome."""
    made = replace(job.made, files=written.files, missing=written.missing)
    fault = written.fault
    if not fault:
        try:
            kept.put(made, job.folder)
        except OSError as error:
            fault = str(error)
    if fault:
        outcome.faults[str(job)] = fault
        return
    outcome.made.append(made)
    for remark in written.remarks:
        outcome.remarks.setdefault(f"{made.format}: {remark}", []).append(made.document)
    shutil.rmtree(job.folder)


def why_not(name: str) -> str:
    """Say why no document can be written in this format: its packages cannot be installed.

    Empty if they can.
    """
    known = FORMATS[name]
    if known.packages:
        try:
            extras.install(known.requirements, f"documents-{name}", f"documents as {name}")
        except Failure as failure:
            return failure.message
    return ""


def states(
    documents: Sequence[Gathered], formats: Sequence[str], sources: Sources
) -> Iterator[tuple[Gathered, Made]]:
    """Yield each document in each format, with a fingerprint of everything that it is made of."""
    base = hashlib.sha256(f"{version()} {sources.with_furniture}".encode())
    for gathered in documents:
        whole = base.copy()
        for entry in gathered.entries:
            whole.update(f"{entry.line}\n".encode("utf-8", "surrogatepass"))
            for path in made_of(entry, sources.results):
                content = files.sha256_or_none(path) if path.is_file() else None
                whole.update(f"{content}\n".encode())
        with_input = has_input(gathered, sources.input)
        for name in formats:
            yield gathered, Made(gathered.path, name, {}, whole.hexdigest(), with_input)


def has_input(gathered: Gathered, source: Path | None) -> bool:
    """Whether INPUT has all the files that a document's pages are from."""
    return source is not None and all(
        is_below(name) and (source / name).is_file()
        for name in {entry.input for entry in gathered.entries}
    )


def made_of(entry: Entry, results: Path) -> list[Path]:
    """Return the files in the results that a page of a document is made of."""
    cells = cells_path(results, entry)
    return [*([cells] if cells else []), *(results / name for name in entry.pictures)]


def doubtful_in(documents: Sequence[Gathered]) -> dict[str, int]:
    """Count the doubtful pages of each document. Documents without any are left out."""
    counts = {one.path: sum(e.status == DOUBTFUL for e in one.entries) for one in documents}
    return {path: count for path, count in sorted(counts.items()) if count}


def write(job: Job) -> Written:
    """Write one document. If it cannot be written, the result says why."""
    importlib.invalidate_caches()  # its packages may have been installed just now
    pages = tuple(read_page(entry, job.sources.results) for entry in job.gathered.entries)
    try:
        job.folder.mkdir()
        module = importlib.import_module(f"lib.documents.formats.{FORMATS[job.made.format].module}")
        document = Document(job.gathered.path, pages)
        remarks = module.write(document, job.sources, job.folder)
        return Written(
            files_in(job.folder, job.gathered.path),
            sum(page.entry.status not in DONE or page.is_cut for page in pages),
            tuple(remarks),
        )
    except (OSError, ValueError) as error:
        return Written(fault=str(error) or type(error).__name__)


def read_page(entry: Entry, results: Path) -> Page:
    """Read a page with its cells. If its result is missing or damaged, it is partial or failed."""
    cells = tuple(read_cells(results, entry))
    if lost := what_is_lost(results, entry):
        entry = replace(entry, status="partial" if cells else FAILED, reason=lost)
    return Page(entry, cells, is_cut=bool(lost))
