"""Dask in place of the process pool: the page function on many nodes, each beside its own model.

Only as many pages are given out as the nodes have threads, so that the order is ours, a node that
is lost costs the pages in its hands, and one that joins has work at once. Dask gives the pages of a
lost node to others by itself. Nodes without work are sent away before the last page is done, those
that may be. What runs on a node stands in node.py.
"""

import contextlib
import itertools
import logging
import queue
import time
import uuid
from collections import Counter, deque
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from concurrent.futures import CancelledError, Future
from types import TracebackType
from typing import Any, TypeVar

from distributed import Client
from distributed.scheduler import KilledWorker

from read_page import Settings, Task
from workers.executor import Look, Results, every
from workers.interrupt import Interrupt
from workers.node import (
    Job,
    Lost,
    call_on_node,
    do_task,
    leave,
    leave_file,
    make_node_reader,
    remove,
)
from workers.pool import Crash, PoolError

T = TypeVar("T")
R = TypeVar("R")

CONNECT_TIMEOUT_S, CLOSE_TIMEOUT_S = 30.0, 10.0
LOOK_S, CALL_LOOK_S = 1.0, 0.1  # between two looks at the fleet, and at a call
LOSSES_ALLOWED = 3  # of a page, by nodes that lost their model server over it or beside it
FAULTS = (OSError, CancelledError)  # Dask's, when its scheduler is gone


class Fleet:
    """The nodes of a scheduler, as an Executor; a context manager. Raises PoolError.

    patience_s is how long to wait while there is no node at all: one that was preempted comes back
    within minutes, if there is stock.
    """

    def __init__(self, scheduler: str, patience_s: float) -> None:
        self.scheduler, self.patience_s = scheduler, patience_s
        self._threads = 0
        self._node_s = self._seen_s = 0.0
        self._looked_s = time.monotonic()
        for name in logging.root.manager.loggerDict:  # what these log they have also raised
            if name.partition(".")[0] in ("distributed", "asyncio", "tornado"):
                logging.getLogger(name).setLevel(logging.CRITICAL)
        with self._faults_told():
            self._client = Client(
                scheduler, timeout=min(CONNECT_TIMEOUT_S, patience_s), set_as_default=False
            )

    def __enter__(self) -> "Fleet":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        with contextlib.suppress(*FAULTS, RuntimeError):
            self._client.close(timeout=CLOSE_TIMEOUT_S)

    def call(self, function: Callable[..., R], *arguments: Any) -> R:
        """Call it on a node, with the node's own endpoint in Settings among the arguments."""
        called: Any = None
        seen_s = time.monotonic()
        with self._faults_told():
            while called is None or not called.done():
                if self._nodes():
                    seen_s = time.monotonic()
                    called = called or self._client.submit(
                        call_on_node, function, arguments, pure=False
                    )
                self._check_patience(seen_s)
                time.sleep(CALL_LOOK_S)
            node, result = called.result()
        if isinstance(result, Lost):
            self._lose(node, result)
            return self.call(function, *arguments)
        answer: R = result
        return answer

    def read(
        self,
        tasks: Sequence[Task],
        settings: Settings,
        interrupt: Interrupt,
        is_wanted: Callable[[Task], bool] = every,
        beside: Look = tuple,
    ) -> Results:
        """See Executor. Nothing is done beside: the results are elsewhere."""
        return self.run(tasks, make_node_reader, (settings,), interrupt, is_wanted)

    @property
    def node_hours(self) -> float:
        """Of all nodes together, as they came and went; this machine's own is one of them."""
        return self._node_s / 3600

    def run(
        self,
        tasks: Iterable[T],
        make_function: Callable[..., Callable[[T], R]],
        arguments: tuple[Any, ...],
        interrupt: Interrupt,
        is_wanted: Callable[[T], bool] = lambda task: True,
    ) -> Generator[tuple[T, R | Crash], None, None]:
        """Yield (task, result) as they come, until all are done or the interrupt is set.

        make_function(*arguments) is called once in each thread of a node and gives the function of
        a task. When the iterator ends or is closed, no node works for it any more.
        """
        job = Job(uuid.uuid4().hex, make_function, arguments)
        waiting, pending = deque(tasks), dict[Future[Any], T]()
        ended: queue.SimpleQueue[Future[Any]] = queue.SimpleQueue()
        losses: Counter[int] = Counter()
        executor = self._client.get_executor(pure=False)
        self._seen_s, self._threads = time.monotonic(), 0
        count = itertools.count()
        try:
            while (waiting or pending) and not interrupt.is_set:
                self._look(bool(waiting))
                while waiting and len(pending) < self._threads:
                    task = waiting.popleft()
                    if not is_wanted(task):
                        continue
                    with self._faults_told():
                        key = f"{job.id}-{next(count)}"
                        future = executor.submit(do_task, job, task, key=key)
                    pending[future] = task
                    future.add_done_callback(ended.put)
                try:
                    future = ended.get(timeout=LOOK_S)
                except queue.Empty:
                    continue
                task = pending.pop(future)
                node, result = self._outcome(future)
                if isinstance(result, Lost):
                    if node:
                        self._lose(node, result)
                    losses[id(task)] += 1
                    if losses[id(task)] < LOSSES_ALLOWED:
                        waiting.appendleft(task)
                        continue
                    result = Crash(f"{LOSSES_ALLOWED} nodes lost their model server: {result}")
                yield task, result
        finally:
            if pending and self._client.status == "running":
                self._abandon(executor, job)

    def _look(self, work_waits: bool) -> None:
        """Now and then: how many threads there are; nodes without work leave if none waits."""
        now_s = time.monotonic()
        if self._threads and now_s - self._looked_s < LOOK_S:
            return
        with self._faults_told():
            threads = self._nodes()
            if not work_waits and len(threads) > 1:
                self._send_idle_away(list(threads))
        self._threads = sum(threads.values())
        self._node_s += len(threads) * (now_s - self._looked_s)
        self._looked_s = now_s
        if threads:
            self._seen_s = now_s
        self._check_patience(self._seen_s)

    def _check_patience(self, seen_s: float) -> None:
        """Raise PoolError if the last node was seen too long ago."""
        if time.monotonic() - seen_s > self.patience_s:
            raise PoolError(
                f"no node at {self.scheduler} for {self.patience_s:.0f} s; if one was there, its"
                " log says why it went"
            )

    def _send_idle_away(self, nodes: list[str]) -> None:
        """Send those away that have no work; one stays for what a busy node may yet lose."""
        busy = self._client.processing()
        idle = [node for node in nodes if not busy.get(node)]
        if not idle:
            return
        may_leave = self._client.run(leave_file, workers=idle, on_error="ignore")
        leaving = [node for node in idle if may_leave.get(node)]
        leaving = leaving[1:] if leaving == idle else leaving
        if leaving:
            self._client.run(leave, workers=leaving, on_error="ignore")
            self._client.run_on_scheduler(remove, leaving)

    def _nodes(self) -> dict[str, int]:
        """The nodes that take work, and how many threads each has."""
        scheduler: Any = self._client.scheduler
        threads: dict[str, int] = self._client.sync(scheduler.ncores_running)
        return threads

    def _lose(self, node: str, why: Lost) -> None:
        """Send a node away that is of no use. Raises PoolError if it was the last one."""
        with self._faults_told():
            self._client.run_on_scheduler(remove, [node])
            if not self._nodes():
                raise PoolError(f"the last node has lost its model server: {why}")

    def _outcome(self, future: "Future[Any]") -> tuple[str, Any]:
        """(node, result) of a task that has ended; "" for a node that is gone."""
        with self._faults_told():
            try:
                node, result = future.result()
            except KilledWorker as error:
                return "", Crash(f"its node died {error.allowed_failures + 1} times")
            except ValueError:  # Dask's own: a node left between its result and our look at it
                return "", Lost("it left with its result")
        return node, result

    def _abandon(self, executor: Any, job: Job) -> None:
        """Nobody will ask for this job's tasks any more: restart their nodes, or they read on."""
        with contextlib.suppress(*FAULTS, RuntimeError):
            held = self._client.processing()
            ours = [node for node, keys in held.items() if any(job.id in str(key) for key in keys)]
            executor.shutdown(wait=False)  # cancels them
            self._client.restart_workers(ours, timeout=CLOSE_TIMEOUT_S, raise_for_error=False)

    @contextlib.contextmanager
    def _faults_told(self) -> Iterator[None]:
        """Dask's errors become a PoolError that names the scheduler."""
        try:
            yield
        except KilledWorker as error:
            raise PoolError(f"nodes of {self.scheduler} die when they are asked") from error
        except RuntimeError as error:  # it cannot read what we send, say
            raise PoolError(f"the scheduler at {self.scheduler} refuses: {error}") from error
        except FAULTS as error:
            why = str(error) or "the connection was lost"
            raise PoolError(f"the scheduler at {self.scheduler} is gone: {why}") from error
