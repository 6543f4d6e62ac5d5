"""Where the page function runs: in processes of this computer, or on a fleet (fleet.py).

Both yield the same: pairs of a task and its record, as they come, each task once.
"""

import os
import shutil
import signal
from collections.abc import Callable, Generator, Iterable, Sequence
from contextlib import AbstractContextManager, closing, nullcontext
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any, Protocol, TypeVar

from contract import DONE
from picture.pdf.mupdf import open_with
from read_page import Settings, Task, make_reader, twin_of
from results.counting import Counted, count_pages
from results.files import ASIDE, take_from_aside
from results.manifest import Record
from results.steps import in_turns
from results.store import Place
from server.door import Door
from server.in_flight import InFlight
from server.silence import Silence
from workers import bounds
from workers.interrupt import Interrupt
from workers.pool import Crash, run
from workers.turns import Turns

TURNS = ".turns"  # below the results; its locks say which process may compute now
DOOR = ".door"  # the same; which process may be at the server

R = TypeVar("R")
Look = Callable[[], Iterable[Connection]]  # a look at the work beside; see workers/beside.py
Results = Generator[tuple[Task, Record | Crash], None, None]


def every(task: Task) -> bool:
    """All pages are wanted."""
    return True


class Executor(Protocol):
    """Runs the page function. Both methods raise PoolError if nobody is there to run it."""

    def call(self, function: Callable[..., R], *arguments: Any) -> R:
        """Call a function where the pages are read, since the model server is there."""

    def read(
        self,
        tasks: Sequence[Task],
        settings: Settings,
        interrupt: Interrupt,
        is_wanted: Callable[[Task], bool] = every,
        beside: Look = tuple,
    ) -> Results:
        """Read pages, each once, until all are read or the interrupt is set.

        A page is skipped if it is no longer is_wanted() when its turn comes. If this computer reads
        the pages, beside() is called now and then, for work on its idle cores.
        """

    @property
    def node_hours(self) -> float:
        """The hours of all machines that worked for it; 0 if it was only this one."""


class ProcessPool:
    """Processes on this computer, as many as the server's metrics say.

    There are at most `processes`, and no more than fit into the memory.
    """

    def __init__(self, processes: int) -> None:
        self.processes = processes

    def call(self, function: Callable[..., R], *arguments: Any) -> R:
        """Call the function in this process."""
        return function(*arguments)

    def read(
        self,
        tasks: Sequence[Task],
        settings: Settings,
        interrupt: Interrupt,
        is_wanted: Callable[[Task], bool] = every,
        beside: Look = tuple,
    ) -> Results:
        """See Executor. The task or its twin, whichever ends first, gives the page's result."""
        assert isinstance(settings.output, Path)
        most = min(self.processes, bounds.most_workers(bounds.memory_mib()))
        bounds.allow_files(most)
        in_flight = InFlight(settings.endpoint, most, settings.output / DOOR, settings.api_key)
        results = run(
            tasks,
            make_pool_reader,
            (settings, Silence(), in_flight.door),
            in_flight.limit,
            interrupt,
            twin_of,
            bounds.last_words(settings.page_timeout_s),
            is_wanted,
            beside,
        )
        try:
            with in_flight, closing(results):
                for task, result in results:
                    if task.is_twin and isinstance(result, Record) and result.status in DONE:
                        take_from_aside(settings.output, task.page.result, result.pictures)
                    yield task, result
        finally:
            shutil.rmtree(settings.output / ASIDE, ignore_errors=True)  # twins that lost

    @property
    def node_hours(self) -> float:
        """0, since only this machine works."""
        return 0.0


def make_pool_reader(settings: Settings, silence: Silence, door: Door) -> Callable[[Task], Record]:
    """Return the page function of one process. The processes of this computer take turns."""
    assert isinstance(settings.output, Path)
    return make_bounded_reader(settings, Turns(settings.output / TURNS), silence, door)


def make_bounded_reader(
    settings: Settings, turns: Turns, silence: Silence, door: Door
) -> Callable[[Task], Record]:
    """Return the page function of a process that is killed if a page takes too long in its turn."""
    bounds.limit_memory()
    open_with(settings.password)

    def turn(is_large: bool) -> AbstractContextManager[None]:
        return bounds.within(turns.taken(is_large), settings.page_timeout_s)

    return make_reader(settings, in_turns(turn), silence, door.passed)


def make_counter(page_timeout_s: float, password: str) -> Callable[[Place], Counted]:
    """Return what counts the pages of a file; its process is killed if that takes too long."""
    bounds.limit_memory()
    open_with(password)

    def count(place: Place) -> Counted:
        with bounds.within(nullcontext(), page_timeout_s):
            return count_pages(place)

    return count


def count_apart(
    places: Sequence[Place], page_timeout_s: float, password: str = ""
) -> list[Counted]:
    """Count the pages of files in processes of their own, as many as there are cores."""
    counted: dict[Place, Counted] = {}
    with Interrupt() as interrupt:
        for place, found in run(
            places,
            make_counter,
            (page_timeout_s, password),
            lambda: os.cpu_count() or 1,
            interrupt,
            last_words=bounds.last_words(page_timeout_s, "open"),
        ):
            counted[place] = Counted(fault=found.reason) if isinstance(found, Crash) else found
    if interrupt.signal:
        signal.raise_signal(interrupt.signal)  # for the earlier handler
        raise KeyboardInterrupt  # if that did not end us
    return [counted[place] for place in places]
