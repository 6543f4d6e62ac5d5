"""The pages of a batch as they come: record them, and report them to people."""

import contextlib
import sys
from dataclasses import dataclass, field, replace
from typing import NoReturn

from tqdm import tqdm

from alike import Alike
from contract import DONE, FAILED, LEFT, has_no_second_reading
from first_pages import ENOUGH, Count, Refusals, count_of, fault_in
from preflight import Fitness
from purse import Purse
from read_page import Settings, Task, failed_record
from results.manifest import Key, Manifest, Record
from results.progress import Progress
from saying import beside_bar, say_above_bar
from second_reader import second_reader
from troubles import explained
from workers.beside import Beside
from workers.executor import Executor
from workers.interrupt import Interrupt
from workers.pool import Crash, PoolError

COUNTS_REMEDY = (
    "start it with --chat-template-content-format string and a max_pixels of at least -m in its"
    " --mm-processor-kwargs, or PREFLIGHT=0 if it reads pages well all the same"
)


class SetupFault(Exception):
    """A fault of the set-up that would fail every page. Its text says what, and what to do."""


def read_all(
    tasks: list[Task],
    settings: Settings,
    manifest: Manifest,
    executor: Executor,
    interrupt: Interrupt,
    page_count: int,
    fitness: Fitness | None,
    alike: Alike,
    purse: Purse,
) -> tuple[list[Record], bool]:
    """Read the tasks and record what comes: (what was read, whether it had to end early).

    fitness is the result of the preflight; if it is None, the server is not judged. alike says
    which files are given up, and purse whether there is money for another page.
    """
    cut_short = False
    done = page_count - len(tasks)
    progress = Progress(manifest.folder, page_count, done, purse.usd_per_hour, lambda: purse.usd)
    bar: tqdm[NoReturn] = tqdm(
        total=page_count,
        initial=done,
        unit="page",
        dynamic_ncols=True,
        disable=not sys.stderr.isatty(),
    )
    trial = [task.page.key for task in tasks if task.lacking is None][:ENOUGH]
    standing = {task.page.key for task in tasks if task.has_results}
    beside = second_reader(settings, manifest, say)
    scribe = Scribe(manifest, progress, bar, fitness, Refusals(set(trial)), standing, beside)

    def is_wanted(task: Task) -> bool:
        return alike.is_wanted(task) and purse.gives_out()

    reading = executor.read(tasks, settings, interrupt, is_wanted, beside.look)
    with bar, beside.until_the_end(), contextlib.closing(reading) as results:
        try:
            for task, result in results:
                record = (
                    failed_record(task, result.reason, settings)
                    if isinstance(result, Crash)
                    else result
                )
                if record.status == LEFT:
                    say(record.reason)
                    cut_short = True
                    break
                purse.count(record.seconds)
                if not task.has_results:
                    alike.count(record)
                scribe.take(record, is_read=task.lacking is None)
            else:
                scribe.end(is_whole=not (interrupt.signal or purse.has_run_out))
        except PoolError as error:
            say(explained(f"{error}: what is left is for the next run"))
            cut_short = True
        except SetupFault as error:
            say(explained(str(error)))
            cut_short = True
        finally:
            progress.write()
    return scribe.read_now, cut_short


@dataclass
class Scribe:
    """Records the pages, unless the first of them show a fault of the set-up.

    standing are the pages that have results already. These stay even if the new task fails. beside
    takes the pages that another engine should read, too.
    """

    manifest: Manifest
    progress: Progress
    bar: "tqdm[NoReturn]"
    fitness: Fitness | None
    refusals: Refusals
    standing: set[Key]
    beside: Beside[Record]
    read_now: list[Record] = field(default_factory=list)
    _counts: list[Count] = field(default_factory=list)

    def take(self, record: Record, is_read: bool) -> None:
        """Take a page that has ended: is_read, or only completed. Raises SetupFault."""
        if not is_read and record.status != FAILED:
            self._write(record)
        elif self.refusals.take(record):
            self._refuse(self.refusals.fault())
        else:
            for each in (*self.refusals.release(), record):
                self._take_read(each)
            self._look_at_count(record)

    def end(self, is_whole: bool) -> None:
        """End: no more pages come. is_whole: none is left to read. Raises SetupFault."""
        if is_whole:
            self._refuse(self.refusals.fault(is_end=True))
            self.refusals.is_over = True
            for record in self.refusals.release():
                self._take_read(record)

    def _take_read(self, record: Record) -> None:
        self.read_now.append(record)
        self._write(record)
        if record.status == FAILED:
            say(f"failed: {name_of(record)}: {record.reason}")

    def _write(self, record: Record) -> None:
        if record.status != FAILED or record.key not in self.standing:
            self.manifest.add(record)
            if has_no_second_reading(record):
                self.beside.take(record)
        self.progress.count(record)
        self.bar.set_postfix(beside_bar(self.progress.content()), refresh=False)
        self.bar.update()

    def _refuse(self, reason: str) -> None:
        if reason:
            count = len(self.refusals.held)
            were = "the only page was refused"
            if count > 1:
                were = f"the first {count} pages were all refused"
            raise SetupFault(f"{were} ({reason}): fix this, then run again")

    def _look_at_count(self, record: Record) -> None:
        """Check the token counts of the first answers. Raises SetupFault.

        If the server saw pictures at another size, the pages so far are marked to be read again.
        """
        if self.fitness is None or self.fitness.sees_size or len(self._counts) == ENOUGH:
            return
        count = count_of(record)
        self._counts += [count] if count else []
        if fault := fault_in(self._counts, self.fitness.prompt_tokens):
            for number, each in enumerate(self.read_now):
                if each.status in DONE and each.key not in self.standing:
                    self.read_now[number] = replace(each, status=LEFT, reason=fault)
                    self.manifest.add(self.read_now[number])
            raise SetupFault(f"{fault}: {COUNTS_REMEDY}")


def name_of(record: Record) -> str:
    """Name the page, for people."""
    page = "" if record.pdf_page is None else f" page {record.pdf_page}"
    return f"{record.input}{page}"


def say(text: str) -> None:
    """Print one line for people, above the progress bar."""
    say_above_bar(" ".join(text.split("\n")))
