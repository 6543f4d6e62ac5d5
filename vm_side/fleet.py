"""Dask in place of the process pool: the page function on many nodes, each beside its own model.

A node is a `dask worker` with as many threads as it has pages in flight; its variable ENDPOINT
names its model server. Only as many pages are given out as there are threads, so that the order is
ours, a node that is lost costs the pages in its hands, and one that joins has work at once. Dask
gives the pages of a lost node to others by itself. Nodes without work are sent away before the last
page is done, those whose variable LEAVE_FILE names a file: it is made, then their worker ends.
"""

import contextlib
import logging
import os
import queue
import threading
import time
import uuid
from collections import Counter, deque
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from concurrent.futures import CancelledError, Future
from dataclasses import dataclass, replace
from pathlib import Path
from types import TracebackType
from typing import Any, TypeVar

from distributed import Client, get_worker
from distributed.scheduler import KilledWorker

from executor import Results
from interrupt import Interrupt
from manifest import LEFT, Record
from pool import Crash, PoolError, where
from read_page import Settings, Task, make_reader

T = TypeVar("T")
R = TypeVar("R")

CONNECT_TIMEOUT_S, CLOSE_TIMEOUT_S = 30.0, 10.0
LOOK_S = 1.0  # between two looks at the fleet
TURN = threading.Lock()  # of a node's threads: MuPDF is not for two, and one core feeds one GPU
LOSSES_ALLOWED = 3  # of a page, by nodes that lost their model server over it or beside it
FAULTS = (OSError, CancelledError, RuntimeError)  # Dask's, when its scheduler is gone


@dataclass(frozen=True)
class Job:
    """What a node needs to make its function of a task; the id tells one batch from another."""

    id: str
    make_function: Callable[..., Callable[[Any], Any]]
    arguments: tuple[Any, ...]


class Lost(Exception):
    """Raised by a function for a task that its node cannot do, but another one may."""


MADE = threading.local()


def do_task(job: Job, task: Any) -> tuple[str, Any]:
    """Runs on a node: (the node's address, the result); Lost in its place if the node is no use."""
    address = get_worker().address
    try:
        if getattr(MADE, "job", "") != job.id:
            MADE.function, MADE.job = job.make_function(*job.arguments), job.id
        return address, MADE.function(task)
    except Lost as error:
        return address, error
    except Exception as error:  # noqa: BLE001 - a fault of ours must not stop the batch
        return address, Crash(where(error))


def make_node_reader(settings: Settings) -> Callable[[Task], Record]:
    """The page function of one thread of a node. It raises Lost when the node's server is gone."""
    settings = on_this_node(settings)
    read = make_reader(settings, lambda: TURN)

    def read_or_lose(task: Task) -> Record:
        record = read(task)
        if record.status == LEFT:
            raise Lost(record.reason)
        return record

    return read_or_lose


def on_this_node(settings: Settings) -> Settings:
    """The settings with this node's own model server."""
    return replace(settings, endpoint=os.environ.get("ENDPOINT") or settings.endpoint)


def call_on_node(function: Callable[..., R], arguments: tuple[Any, ...]) -> R:
    """Call a function with this node's settings in place of those among the arguments."""
    return function(*(on_this_node(a) if isinstance(a, Settings) else a for a in arguments))


def leave_file() -> str:
    """Runs on a node: the file that tells its machine to leave; empty if it stays."""
    return os.environ.get("LEAVE_FILE", "")


def leave() -> None:
    """Runs on a node that is sent away: its machine will know why the worker ends."""
    Path(leave_file()).touch()


class Fleet:
    """The nodes of a scheduler, as an Executor; a context manager. Raises PoolError.

    patience_s is how long to wait while there is no node at all: one that was preempted comes back
    within minutes, if there is stock.
    """

    def __init__(self, scheduler: str, patience_s: float) -> None:
        self.scheduler, self.patience_s = scheduler, patience_s
        self._threads = 0
        self._node_s = self._looked_s = self._seen_s = 0.0
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
        with contextlib.suppress(*FAULTS):
            self._client.close(timeout=CLOSE_TIMEOUT_S)

    def call(self, function: Callable[..., R], *arguments: Any) -> R:
        """Call it on a node, with the node's own endpoint in Settings among the arguments."""
        called = None
        seen_s = time.monotonic()
        with self._faults_told():
            while True:
                if self._client.nthreads():
                    seen_s = time.monotonic()
                    called = called or self._client.submit(
                        call_on_node, function, arguments, pure=False
                    )
                self._check_patience(seen_s)
                if called is None:
                    time.sleep(LOOK_S)
                    continue
                with contextlib.suppress(TimeoutError):
                    result: R = called.result(timeout=LOOK_S)
                    return result

    def read(self, tasks: Sequence[Task], settings: Settings, interrupt: Interrupt) -> Results:
        """See Executor."""
        return self.run(tasks, make_node_reader, (settings,), interrupt)

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
        self._looked_s = self._seen_s = time.monotonic()
        self._threads = 0
        try:
            while (waiting or pending) and not interrupt.signal:
                self._look(bool(waiting))
                while waiting and len(pending) < self._threads:
                    task = waiting.popleft()
                    with self._faults_told():
                        future = executor.submit(do_task, job, task)
                    pending[future] = task
                    future.add_done_callback(ended.put)
                try:
                    future = ended.get(timeout=LOOK_S)
                except queue.Empty:
                    continue
                task = pending.pop(future)
                node, result = self._outcome(future)
                if isinstance(result, Lost):
                    self._retire([node])
                    losses[id(task)] += 1
                    if losses[id(task)] < LOSSES_ALLOWED:
                        waiting.appendleft(task)
                        continue
                    result = Crash(f"{LOSSES_ALLOWED} nodes lost their model server: {result}")
                yield task, result
        finally:
            self._abandon(pending)

    def _look(self, work_waits: bool) -> None:
        """Now and then: how many threads there are; nodes without work leave if none waits."""
        now_s = time.monotonic()
        if self._threads and now_s - self._looked_s < LOOK_S:
            return
        with self._faults_told():
            threads = self._client.nthreads()
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
            self._retire(leaving)

    def _retire(self, nodes: list[str]) -> None:
        """End these nodes' workers; what they have in hand goes to others."""
        with self._faults_told():
            self._client.retire_workers(nodes, close_workers=True)

    def _outcome(self, future: "Future[Any]") -> tuple[str, Any]:
        """(node, result) of a task that has ended."""
        with self._faults_told():
            try:
                node, result = future.result()
            except KilledWorker as error:
                return "", Crash(f"its node died {error.allowed_failures + 1} times")
        return node, result

    def _abandon(self, pending: "dict[Future[Any], Any]") -> None:
        """Nobody will ask for these any more: restart the nodes, or they would read on."""
        for future in pending:
            future.cancel()
        if pending and self._client.status == "running":
            with contextlib.suppress(*FAULTS):
                self._client.restart(timeout=CLOSE_TIMEOUT_S, wait_for_workers=False)

    @contextlib.contextmanager
    def _faults_told(self) -> Iterator[None]:
        """Dask's errors become a PoolError that names the scheduler."""
        try:
            yield
        except RuntimeError as error:
            raise PoolError(f"the scheduler at {self.scheduler} refuses: {error}") from error
        except FAULTS as error:
            why = str(error) or "the connection was lost"
            raise PoolError(f"the scheduler at {self.scheduler} is gone: {why}") from error
