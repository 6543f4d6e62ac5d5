"""What has been done, and with what result: manifest.jsonl and summary.json in the results.

Only the parent process of a batch writes here. A line is one page. A later line replaces an earlier
one of the same page, and a line that a crash tore does not count.
"""

import contextlib
import dataclasses
import fcntl
import json
import os
import time
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import IO, Any

from contract import DONE, FAILED, LEFT, LOCK, MANIFEST, STATUSES, SUMMARY, is_read, is_still_of
from picture_files import picture_paths
from results.durable import write_whole
from results.files import has_pictures, has_results, remove_files
from results.kinds import KINDS
from results.pages import Page
from results.store import Place, Remote

Key = tuple[str, int | None]  # see Page.key


@dataclass(frozen=True, slots=True)
class Record:
    """One page in the manifest. Sizes are [width, height] in pixels, of the upright page."""

    page: str
    """Path of the results below the output folder, without their endings."""
    input: str
    """Path of the file below the input folder."""
    pdf_page: int | None
    """Page of a PDF, or frame of a TIFF, from 0; null for a picture."""
    status: str
    """ok; repaired (its JSON was fixed); partial (cut short or looping: the best is kept);
    blank; doubtful (read, but see doubts); corrected (by a person); failed (see reason; the next
    run tries again); left (not reached)."""
    reason: str = ""
    notes: list[str] = field(default_factory=list)
    sha256: str = ""
    """The hash of the whole input file."""
    version: str = ""
    """The store's own mark of that content, if it has one. It saves reading the content again."""
    rotation: int = 0
    """By how many degrees clockwise the page was turned to stand upright."""
    original_size: list[int] = field(default_factory=list)
    model_size: list[int] = field(default_factory=list)
    cells: int = 0
    pictures: list[str] = field(default_factory=list)
    """The files of its Picture cells, in the folder pictures beside its results; a box without area
    has no file. See picture_files.picture_name."""
    pictures_as: str = ""
    """What the Markdown has of them: files, inline or none; any if there is no Picture cell; empty
    in a manifest older than this field, which means inline."""
    tokens_in: int = 0
    tokens_out: int = 0
    doubt_tokens: int = 0
    """How many of these, in and out, were needed only because there were doubts."""
    attempts: int = 0
    """Answers that the model gave for this page."""
    seconds: float = 0.0
    finished_at: float = 0.0
    """Unix time at which the page was done with; 0 in a manifest older than this field."""
    finish_reason: str = ""
    trust: float | None = None
    """How far its witnesses trust the answer, 0 to 1; null if they were not asked."""
    doubts: list[dict[str, Any]] = field(default_factory=list)
    """What the witnesses say against it, the heaviest first: kind, bbox in the upright page's
    pixels, the index of the cell or null, and detail."""
    reader: str = ""
    """Which other engine has also read the page; empty if none. doubts then has its doubts, too."""
    reader_lines: list[dict[str, Any]] = field(default_factory=list)
    """What that engine has read on a doubtful page: bbox and text; the text is empty where it was
    not sure. Another answer is compared with this. Empty if the page is not doubtful, or if this
    is too much to keep."""
    read_as: str = ""
    """The status before that engine's doubts made the page doubtful; empty if they did not."""
    trusted_as: float | None = None
    """The trust before that engine was heard."""
    model: str = ""
    pdf_pages: int = 0
    """How many pages its file has; 0 for a picture, and until the batch has ended."""
    forced: bool = False
    """Whether it was read because all pages were asked for again (--force)."""
    settings: dict[str, Any] = field(default_factory=dict)
    """What else decides the result: prompt_mode, max_pixels, upsample_below, rotate."""

    @property
    def key(self) -> Key:
        """The page's key, the same as Page.key."""
        return self.input, self.pdf_page

    def line(self) -> str:
        """Return the record as a line of JSON, in which bytes that are not text are escaped."""
        line = json.dumps(dataclasses.asdict(self), ensure_ascii=False) + "\n"
        return line.encode("utf-8", "backslashreplace").decode("utf-8")


def read_record(line: str) -> Record | None:
    """Read a line of the manifest; None if it is torn or is not about a page.

    A value of a wrong kind is left out, so that nothing that is counted later can fail because
    of it.
    """
    try:
        found = json.loads(line).items()
        return Record(**{name: v for name, v in found if name in KINDS and KINDS[name](v)})
    except (ValueError, TypeError, AttributeError, RecursionError):
        return None


def load(folder: Path) -> dict[Key, Record]:
    """Return the records of the manifest in this folder, by page key; empty if there is none.

    If two inputs had the same results, one after the other, the records are of the later one.
    """
    latest: dict[str, Record] = {}
    with (
        contextlib.suppress(FileNotFoundError),
        (folder / MANIFEST).open(encoding="utf-8-sig", errors="replace", newline="\n") as file,
    ):
        for record in filter(None, map(read_record, file)):
            latest.pop(record.page, None)  # moves it to the end: it may replace two earlier ones
            latest[record.page] = record
    return {record.key: record for record in latest.values()}


def is_done(record: Record | None, page: Page, sha256: str, settings: dict[str, Any]) -> bool:
    """Whether a record says that this page was read, with this content and these settings.

    settings are those of Record and, under "model", the model's name.
    """
    return record is not None and record.page == page.result and is_read(record, sha256, settings)


class Manifest:
    """The manifest of a running batch; it holds its folder's lock as long as it is open.

    It grows in a folder of this computer. If the results are elsewhere, it is fetched from there,
    unless the folder has one, and goes back there at the end.
    Raises BlockingIOError, with who holds the lock, if another batch writes to the same folder.
    """

    def __init__(self, folder: Path, results: Place | None = None) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.folder = folder
        self.results = results or folder
        self.path = folder / MANIFEST
        with contextlib.ExitStack() as stack:
            self._lock = stack.enter_context(take_lock(folder / LOCK))
            if isinstance(self.results, Remote) and not self.path.exists():
                with contextlib.suppress(FileNotFoundError):
                    write_whole(self.path, [(self.results / MANIFEST).read_bytes()])
            self.records = load(folder)
            self._shown = {r.page: r for r in self.records.values() if r.pictures}
            self._stale: set[str] = set()  # files of pictures that no line names any more
            self._write_all(self.records.values())  # a torn last line must not swallow the next
            self._publish(self.path)  # fails now, not after pages were read, if it cannot
            self._file = self.path.open("a", encoding="utf-8")
            stack.pop_all()

    def add(self, record: Record) -> None:
        """Append a record. If the process is killed after this, nothing is lost.

        A power cut may lose the last lines. Those pages are read again.
        """
        self.records[record.key] = record
        self._file.write(record.line())
        self._file.flush()
        if record.status in DONE:
            before = self._shown.pop(record.page, record)
            self._stale |= set(picture_paths(record.page, before.pictures))
            self._stale -= set(picture_paths(record.page, record.pictures))
            if record.pictures:
                self._shown[record.page] = record

    def finish(self, pages: list[Page]) -> list[Record]:
        """Leave one line for each page of the input, in order, and return their records.

        Pages that were read earlier and are not asked for now follow, as long as their results
        are there. Pictures of earlier readings that no line names any more are removed.
        """
        current = [
            dataclasses.replace(
                self.records.get(page.key)
                or Record(page.result, page.input, page.pdf_page, LEFT, "not reached: run again"),
                pdf_pages=page.pdf_pages,
            )
            for page in pages
        ]
        results = {page.result for page in pages}
        keys = {page.key for page in pages}
        files = {page.input: (page.pdf_pages, "") for page in pages}
        files |= {r.input: (r.pdf_pages, r.sha256) for r in current if r.sha256}
        earlier = [
            record
            for record in self.records.values()
            if (record.input not in files or is_still_of(record, *files[record.input]))
            and record.key not in keys
            and record.page not in results
            and record.status in DONE
            and has_results(self.results, record)
            and has_pictures(self.results, record)
        ]
        self._file.close()
        self._write_all([*current, *earlier])
        self._publish(self.path)
        remove_files(self.results, sorted(self._stale))
        return current

    def write_summary(self, totals: dict[str, Any]) -> None:
        """Write summary.json beside the manifest."""
        path = self.folder / SUMMARY
        text = json.dumps(totals, ensure_ascii=False, indent=2) + "\n"
        write_whole(path, [text.encode()])
        self._publish(path)

    def _publish(self, path: Path) -> None:
        """Bring a finished file to the results, if they are elsewhere."""
        if isinstance(self.results, Remote):
            (self.results / path.name).upload(path)

    def _write_all(self, records: Iterable[Record]) -> None:
        write_whole(self.path, (record.line().encode() for record in records))

    def __enter__(self) -> "Manifest":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._file.close()
        self._lock.close()


def take_lock(path: Path) -> IO[str]:
    """Lock a folder's results for this process; the lock ends with the process."""
    lock = path.open("a+", encoding="utf-8")
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        lock.seek(0)
        holder = lock.read().strip() or "another process"
        lock.close()
        raise BlockingIOError(f"{path.parent} is being written by {holder}") from None
    lock.truncate(0)
    lock.write(f"process {os.getpid()}, since {time.strftime('%Y-%m-%d %H:%M:%S')}\n")
    lock.flush()
    return lock


def summary(
    records: list[Record],
    read_now: list[Record],
    seconds: float,
    price_per_hour: float,
    gpus: int,
    worker_hours: float = 0.0,
    price_per_worker_hour: float = 0.0,
) -> dict[str, Any]:
    """Return the totals for summary.json: of all pages of the input, and of this run.

    seconds is the run's wall time. worker_hours is how long other machines than this one worked.
    gpus is how many GPUs a machine has. Prices are in USD.
    """
    counts = Counter(record.status for record in records)
    run = [record for record in read_now if record.status != LEFT]
    hours = seconds / 3600
    cost_usd = hours * price_per_hour + worker_hours * price_per_worker_hour
    return {
        "pages": len(records),
        **{status: counts[status] for status in STATUSES},
        "tokens_in": sum(record.tokens_in for record in records),
        "tokens_out": sum(record.tokens_out for record in records),
        "doubt_tokens": sum(record.doubt_tokens for record in records),
        "doubts": dict(Counter(d["kind"] for r in records for d in r.doubts).most_common()),
        "failures": dict(Counter(r.reason for r in records if r.status == FAILED).most_common()),
        "run": {
            "pages": len(run),
            "failed": sum(record.status == FAILED for record in run),
            "attempts": sum(record.attempts for record in run),
            "tokens_out": sum(record.tokens_out for record in run),
            "doubt_tokens": sum(record.doubt_tokens for record in run),
            "seconds": round(seconds, 3),
            "pages_per_second": round(len(run) / seconds, 3) if seconds else 0.0,
            "pages_in_flight": round(sum(r.seconds for r in run) / seconds, 1) if seconds else 0.0,
            "gpu_hours": round((hours + worker_hours) * gpus, 5),
            "cost_usd": round(cost_usd, 4),
        },
    }
