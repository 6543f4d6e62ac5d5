"""Which pages to read, and in which order."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import replace

from contract import DONE, is_to_be_read_again
from first_pages import ENOUGH
from read_page import Settings, Task
from results.files import has_results
from results.lacking import what_lacks
from results.manifest import Key, Record, is_done
from results.pages import Page, sha256_of
from results.store import Place, Remote, size_of


def plan(pages: list[Page], records: Mapping[Key, Record], settings: Settings) -> list[Task]:
    """Return the tasks: pages without a record or results for this content and these settings.

    Pages that lack a drawing or pictures are tasks, too, and doubtful pages if they are wanted.
    """
    wanted = {"model": settings.model, **settings.recipe}
    hashes: dict[str, str] = {}  # one for each file, for all its pages
    tasks = []
    for page in pages:
        record = records.get(page.key)
        is_pdf_page = page.pdf_page is not None
        has_record = record is not None and record.status in DONE
        place = settings.input / page.input
        if page.input not in hashes and not page.fault and (has_record or is_pdf_page):
            try:
                hashes[page.input] = page.sha256 or content_hash(place, record)
            except OSError:
                hashes[page.input] = ""  # the worker gets the same error, and records it
        sha256 = hashes.get(page.input, "")
        task = Task(page, sha256, "" if page.fault else version_of(place))
        is_read = record is not None and is_done(record, page, sha256, wanted)
        if record is None or not is_read or not has_results(settings.output, record):
            tasks.append(task)
            continue
        lacks = what_lacks(record, settings.output, settings.images, settings.pictures)
        if settings.doubtful and is_to_be_read_again(record):
            tasks.append(replace(task, doubted=record, lacks=lacks))
        elif lacks:
            tasks.append(replace(task, lacking=record, lacks=lacks))
    return tasks


def content_hash(place: Place, record: Record | None) -> str:
    """Return a file's SHA-256; the record's own if the store's mark shows the same content."""
    version = version_of(place)
    known = record is not None and version and record.version == version
    return record.sha256 if record is not None and known else sha256_of(place)


def version_of(place: Place) -> str:
    """Return the store's mark of a file's content; empty for a file on a disk."""
    return place.version if isinstance(place, Remote) else ""


def longest_first(tasks: list[Task], pages: list[Page], folder: Place) -> list[Task]:
    """Sort the tasks: the probably longest ones first, those that do not ask the model last.

    If a long answer begins last, the machine works for it alone at the end. A file's bytes tell how
    long the answer will be: a full page has more of both. A PDF's bytes are shared evenly.
    """
    count = Counter(page.input for page in pages)
    size: dict[str, float] = {}
    for name in {task.page.input for task in tasks}:
        try:
            size[name] = size_of(folder / name) / count[name]
        except OSError:
            size[name] = 0.0  # the page's record will say why
    asking = [task for task in tasks if task.lacking is None]
    others = [task for task in tasks if task.lacking is not None]
    return with_short_ones(sorted(asking, key=lambda t: -size[t.page.input])) + sorted(
        others, key=lambda t: -size[t.page.input]
    )


def with_short_ones(longest: list[Task]) -> list[Task]:
    """Move some of the shortest tasks among the first ones.

    Then the first pages, from which a server is judged (first_pages.py), are of many sizes.
    """
    if len(longest) <= ENOUGH:
        return longest
    short = longest[-ENOUGH // 2 :]
    rest = longest[: -ENOUGH // 2]
    mixed = [task for pair in zip(rest, short, strict=False) for task in pair]
    return mixed + rest[len(short) :]
