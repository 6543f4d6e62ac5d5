"""Work that is done while pages are read, on idle cores: nobody waits for it.

At the end, the tasks that wait or are in hand are dropped. So is a task if its worker dies: it may
be done later. The parent attends to this work in its own thread, whenever it waits for the pages.
So a result must be small: beyond PIECE, its second part could come late, and block the parent.
"""

from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from typing import Any, Generic, TypeVar

from workers.pool import Crash, PoolError, Worker, describe_exit

T = TypeVar("T")

MOST_WAITING = 1000  # tasks; they hold names, no pictures
PIECE = 16384  # bytes that multiprocessing sends at once
DEATHS_IN_A_ROW = 3  # deaths of workers, after which no other one is started


@dataclass
class Beside(Generic[T]):
    """A queue of tasks, and at most most_workers workers.

    start() makes a worker. found() gets a task and its result. fall_silent() gets the reason why
    there will be no more.
    """

    start: Callable[[], Worker[T]]
    most_workers: int
    found: Callable[[T, Any], None]
    fall_silent: Callable[[str], None]
    queue: deque[T] = field(default_factory=deque)
    workers: list[Worker[T]] = field(default_factory=list)
    deaths: int = 0

    def take(self, task: T) -> None:
        """Queue this task, too, if there is room for it."""
        if self.most_workers and len(self.queue) < MOST_WAITING:
            self.queue.append(task)

    def look(self) -> list[Connection]:
        """Hear workers and hand out tasks, without waiting. Return the pipes to wait for next."""
        self.hear()
        self.hand_out()
        return [worker.pipe for worker in self.workers]

    def hear(self) -> None:
        """Take the messages of the workers."""
        for worker in [worker for worker in self.workers if worker.pipe.poll()]:
            try:
                message = worker.pipe.recv()
            except (EOFError, OSError):
                self.bury(worker)
                continue
            if not worker.has_started:
                worker.has_started = True
                continue
            task, worker.task, self.deaths = worker.task, None, 0
            assert task is not None  # a worker speaks only of the task it holds
            if not isinstance(message, Crash):
                self.found(task, message)

    def hand_out(self) -> None:
        """Give tasks to the workers that have none; start one more if that is not enough."""
        free = [worker for worker in self.workers if worker.task is None]
        if len(self.queue) > len(free) and len(self.workers) < self.most_workers:
            try:
                self.workers.append(self.start())
            except PoolError as error:
                self.give_up(str(error))
        for worker in free:
            if self.queue and worker.has_started:
                task = self.queue.popleft()
                worker.give(task, task)

    def bury(self, worker: Worker[T]) -> None:
        """Remove a dead worker; its task is dropped."""
        self.workers.remove(worker)
        worker.end()
        self.deaths += 1
        if self.deaths == DEATHS_IN_A_ROW:
            self.give_up(f"its processes end ({describe_exit(worker.process.exitcode)})")

    def give_up(self, why: str) -> None:
        """Stop this work for good."""
        self.most_workers = 0
        self.queue.clear()
        self.fall_silent(why)

    @contextmanager
    def until_the_end(self) -> Iterator[None]:
        """At the end of the block, take the results that are there, and leave no worker."""
        try:
            yield
            self.hear()
        finally:
            for worker in self.workers:
                worker.process.kill()  # all of them, before we wait for the first
            for worker in self.workers:
                worker.end()
