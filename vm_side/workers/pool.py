"""A process pool in which a worker that dies costs one retry of its own task, and nothing else.

concurrent.futures loses every pending task when one worker is killed, and cannot tell which task
killed it. Here each worker has a pipe of its own and holds one task at a time, so both are known.
At the end, a late task is also given to a second worker.
"""

import contextlib
import math
import multiprocessing
import os
import signal
import statistics
import threading
import time
import traceback
from collections import Counter, deque
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any, Generic, TypeVar

from workers.forkserver import main_hidden, start_forkserver
from workers.interrupt import Interrupt, signals_held

T = TypeVar("T")
R = TypeVar("R")

DEATHS_ALLOWED = 2  # of workers on one task, and in a row before they could start
CONTEXT = multiprocessing.get_context("forkserver")  # imports happen once; safe beside threads
START_PAUSES_S = (0.1, 0.5, 0.0)  # after a worker that could not be forked
STARTING = 0  # in place of a task's id(): for deaths before a worker could take a task
LOOK_S = 0.25  # between two looks at the limit, and for a late task
LATE_S, LATE_TIMES = 60.0, 3.0  # late is beyond both: so many seconds, and times the median


class PoolError(Exception):
    """Workers cannot be started."""


@dataclass(frozen=True)
class Crash:
    """Stands in place of a result, and says why the task has none."""

    reason: str


@dataclass
class Worker(Generic[T]):
    """A process, the parent's end of its pipe, and the task it holds.

    given is what was sent for the task: itself or its twin. since_s is when (time.monotonic).
    """

    process: BaseProcess
    pipe: Connection
    task: T | None = None
    given: T | None = None
    since_s: float = 0.0
    has_started: bool = False

    def give(self, task: T, given: T) -> None:
        """Give it a task. If it has just died, its pipe shows that at the next look."""
        self.task, self.given, self.since_s = task, given, time.monotonic()
        with contextlib.suppress(ConnectionError):
            self.pipe.send(given)

    def end(self) -> None:
        """Kill it. It writes each file beside and renames it, so that no file can be torn."""
        self.process.kill()
        self.process.join()
        self.pipe.close()


def run(
    tasks: Iterable[T],
    make_function: Callable[..., Callable[[T], R]],
    arguments: tuple[Any, ...],
    limit: Callable[[], int],
    interrupt: Interrupt,
    twin_of: Callable[[T], T | None] = lambda task: None,
    last_words: Mapping[int, str] | None = None,
    is_wanted: Callable[[T], bool] = lambda task: True,
    beside: Callable[[], Iterable[Connection]] = tuple,
) -> Generator[tuple[T, R | Crash], None, None]:
    """Yield (task, result) as they come, until all are done or the interrupt is set.

    make_function(*arguments) is called once in each worker, and returns the function that does a
    task; it must be importable. limit() says how many tasks to have in hand, and may change.
    Once all are in hand and there is room, twin_of() a late task goes to a second worker, unless
    it is None. The one that ends first is yielded, task or twin; the other's worker is killed.
    If a worker ends with an exit code in last_words, its task is not tried again: they are its
    Crash. A task is skipped if it is no longer is_wanted() when its turn comes.
    beside() is called before each wait, and returns further pipes that end the wait.
    When the iterator ends or is closed, no worker is left. Raises PoolError.
    """
    pool = Pool(
        deque(tasks),
        lambda: start_worker(make_function, arguments),
        limit,
        twin_of,
        last_words or {},
        is_wanted,
    )
    try:
        while pool.has_work and not interrupt.is_set:
            pool.hand_out()
            ready = wait([interrupt.fileno(), *(w.pipe for w in pool.workers), *beside()], LOOK_S)
            for worker in [worker for worker in pool.workers if worker.pipe in ready]:
                if worker in pool.workers:  # if not, it has just lost against its twin
                    yield from pool.hear(worker)
    finally:
        for worker in pool.workers:
            worker.process.kill()  # all of them, before we wait for the first
        for worker in pool.workers:
            worker.end()


@dataclass
class Pool(Generic[T]):
    """Which worker holds which task. Tasks are known by their id(), since two may be equal."""

    queue: deque[T]
    start: Callable[[], Worker[T]]
    limit: Callable[[], int]
    twin_of: Callable[[T], T | None]
    last_words: Mapping[int, str]
    is_wanted: Callable[[T], bool]
    workers: list[Worker[T]] = field(default_factory=list)
    deaths: Counter[int] = field(default_factory=Counter)
    hedged: set[int] = field(default_factory=set)
    taken_s: list[float] = field(default_factory=list)

    @property
    def busy(self) -> list[Worker[T]]:
        """The workers that hold a task."""
        return [worker for worker in self.workers if worker.task is not None]

    @property
    def has_work(self) -> bool:
        """Whether a task is left to give or to wait for."""
        return bool(self.queue or self.busy)

    def hand_out(self) -> None:
        """Start the workers that are needed, and give tasks to those that have none."""
        self.pass_over()
        allowed = max(1, self.limit())
        late = None if self.queue else self.late_task()
        wanted = len(self.queue) + len(self.busy) + (late is not None)
        while len(self.workers) < min(allowed, wanted):
            self.workers.append(self.start())
        for worker in self.workers:
            if worker.task is not None or not worker.has_started or len(self.busy) >= allowed:
                continue
            if self.queue:
                self.give_next(worker)
            elif late is not None:
                self.hedged.add(id(late))
                if (twin := self.twin_of(late)) is not None:
                    worker.give(late, twin)
                late = self.late_task()

    def pass_over(self) -> None:
        """Drop the tasks at the front of the queue that are no longer wanted."""
        while self.queue and not self.is_wanted(self.queue[0]):
            self.queue.popleft()

    def give_next(self, worker: Worker[T]) -> None:
        """Give a worker the first task of the queue."""
        task = self.queue.popleft()
        worker.give(task, task)
        self.pass_over()

    def late_task(self) -> T | None:
        """Return a task that is late and has had no twin yet."""
        on_time_s = time.monotonic() - late_after_s(self.taken_s)
        for worker in self.busy:
            if worker.since_s < on_time_s and id(worker.task) not in self.hedged:
                return worker.task
        return None

    def hear(self, worker: Worker[T]) -> Iterator[tuple[T, Any]]:
        """Take what a worker says: that it has started, a result, or that it is dead."""
        try:
            message = worker.pipe.recv()
        except (EOFError, OSError):  # it died, perhaps in the middle of a message
            yield from self.bury(worker)
            return
        if not worker.has_started:
            worker.has_started = True
            self.deaths.pop(STARTING, None)
            return
        task, given, worker.task = worker.task, worker.given, None
        assert given is not None  # a worker speaks only of the task it holds
        self.taken_s.append(time.monotonic() - worker.since_s)
        for loser in [other for other in self.busy if other.task is task]:
            self.workers.remove(loser)
            loser.end()
        self.pass_over()
        if self.queue and len(self.busy) < self.limit():
            self.give_next(worker)  # before we look at the result: the worker need not wait
        yield given, message

    def bury(self, worker: Worker[T]) -> Iterator[tuple[T, Crash]]:
        """Put a dead worker's task in front of the queue, or give it up if it killed two workers.

        Raises PoolError if workers die before they can take a task.
        """
        self.workers.remove(worker)
        worker.process.join()  # we do not kill it: its own exit code tells why
        worker.pipe.close()
        how = describe_exit(worker.process.exitcode)
        if not worker.has_started:
            self.deaths[STARTING] += 1
            if self.deaths[STARTING] == DEATHS_ALLOWED:
                raise PoolError(f"worker processes end before they can start ({how})")
        elif worker.task is not None:
            self.deaths[id(worker.task)] += 1
            twins = [other for other in self.busy if other.task is worker.task]
            if (said := self.last_words.get(worker.process.exitcode or 0)) is not None:
                for twin in twins:  # it would end in the same way
                    self.workers.remove(twin)
                    twin.end()
                yield worker.task, Crash(said)
            elif twins:
                return  # one of the two still lives
            elif self.deaths[id(worker.task)] < DEATHS_ALLOWED:
                self.queue.appendleft(worker.task)
            else:
                yield worker.task, Crash(f"its worker died {DEATHS_ALLOWED} times ({how})")


def late_after_s(taken_s: Sequence[float]) -> float:
    """Return the seconds after which a task counts as late, by the times that the others took."""
    return max(LATE_S, LATE_TIMES * statistics.median(taken_s)) if taken_s else math.inf


def start_worker(
    make_function: Callable[..., Callable[[T], R]], arguments: tuple[Any, ...]
) -> Worker[T]:
    """Start one worker; it sends a message once it can take tasks. Raises PoolError."""
    for pause_s in START_PAUSES_S:
        here, there = CONTEXT.Pipe()
        process = CONTEXT.Process(target=work, args=(there, make_function, arguments), daemon=True)
        try:
            start_forkserver(make_function.__module__)
            with signals_held(), main_hidden():
                process.start()
            return Worker(process, here)
        except (EOFError, OSError) as error:  # the fork server was killed just now
            here.close()
            reason = repr(error)
        finally:
            there.close()
        time.sleep(pause_s)
    remedy = "free memory, or name in TMPDIR a folder that can be written"
    raise PoolError(f"no worker process can be started ({reason}): {remedy}")


def describe_exit(code: int | None) -> str:
    """Describe a process's end for people: the signal's name or the exit code."""
    if code is not None and code < 0:
        return signal.Signals(-code).name
    return f"exit code {code}"


def work(
    pipe: Connection, make_function: Callable[..., Callable[[T], R]], arguments: tuple[Any, ...]
) -> None:
    """Run a worker: take a task, send its result, until the parent is gone."""
    threading.Thread(target=end_with_parent, daemon=True).start()
    function = make_function(*arguments)
    try:
        pipe.send("started")
        while True:
            task = pipe.recv()
            try:
                result: R | Crash = function(task)
            except Exception as error:  # noqa: BLE001 - a fault of ours must not stop the batch
                result = Crash(where(error))
            pipe.send(result)
    except (EOFError, ConnectionError):
        return


def end_with_parent() -> None:
    """End this process as soon as the parent ends, even in the middle of a request."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        wait([parent.sentinel])
        os._exit(1)


def where(error: Exception) -> str:
    """Describe an unexpected error in one line: what it is, and the innermost place in the code."""
    frames = traceback.extract_tb(error.__traceback__)
    place = f"{Path(frames[-1].filename).name}:{frames[-1].lineno}" if frames else "?"
    return f"unexpected {type(error).__name__}: {error} at {place}"
