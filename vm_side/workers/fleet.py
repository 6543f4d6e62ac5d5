"""Dask in place of the process pool: the page function on many nodes, each beside its own model.

A page is given out only when a node has room for it, and to that node. So the order is ours, and
each node has as many pages as are best for it. If a node is lost, only the pages in its hands must
be read again, by the next nodes with room. A node that joins has work at once. Nodes without work
that may leave are sent away before the last page is done. shares.py decides who gets the next page;
node.py has what runs on a node.
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
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Generic, TypeVar

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
    look,
    make_node_reader,
    remove,
)
from workers.pool import Crash, PoolError
from workers.shares import Share, next_node

T = TypeVar("T")
R = TypeVar("R")

CONNECT_TIMEOUT_S, CLOSE_TIMEOUT_S = 30.0, 10.0
LOOK_S, CALL_LOOK_S = 0.25, 0.1  # between two looks at the fleet, and at a call
LOSSES_ALLOWED = 3  # of a page, by nodes that lost their model server while they had it
DEATHS_ALLOWED = 20  # of nodes that had a page: most were preempted, not killed by the page
FAULTS = (OSError, CancelledError)  # what Dask raises when its scheduler is gone


@dataclass
class Given(Generic[T]):
    """A task in a node's hands, and since when (time.monotonic)."""

    task: T
    node: str
    future: "Future[Any]"
    since_s: float = field(default_factory=time.monotonic)


class Fleet:
    """The nodes of a scheduler, as an Executor; a context manager. Raises PoolError.

    patience_s is how long to wait while there is no node at all: a node that was preempted comes
    back within minutes, if the cloud has a machine to give.
    """

    def __init__(self, scheduler: str, patience_s: float) -> None:
        self.scheduler, self.patience_s = scheduler, patience_s
        self._shares: dict[str, Share] = {}
        self._node_s = self._seen_s = 0.0
        self._looked_s = time.monotonic()
        for name in logging.root.manager.loggerDict:  # they also raise what they log
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
        """Call it on a node. Settings among the arguments get the node's own endpoint."""
        called: Any = None
        seen_s = time.monotonic()
        with self._faults_told():
            while called is None or not called.done():
                if self._has_nodes():
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
        """See Executor. beside() is never called, because the results are elsewhere."""
        return self.run(tasks, make_node_reader, (settings,), interrupt, is_wanted)

    @property
    def node_hours(self) -> float:
        """The hours of all nodes, as they came and went; this machine's own node is one of them."""
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

        make_function(*arguments) is called once in each thread of a node, and returns the function
        that does a task. When the iterator ends or is closed, no node works for it any more.
        """
        job = Job(uuid.uuid4().hex, make_function, arguments)
        waiting, pending = deque(tasks), dict[str, Given[T]]()
        ended: queue.SimpleQueue[str] = queue.SimpleQueue()
        losses, deaths = Counter[int](), Counter[int]()
        executor = self._client.get_executor(pure=False)
        self._seen_s, self._shares = time.monotonic(), {}
        count = itertools.count()

        def goes_back(task: T, times: Counter[int], allowed: int) -> bool:
            times[id(task)] += 1
            if times[id(task)] < allowed:
                waiting.appendleft(task)
            return times[id(task)] < allowed

        try:
            while (waiting or pending) and not interrupt.is_set:
                self._look(pending.values(), bool(waiting))
                for key in [key for key, given in pending.items() if self._is_lost(given)]:
                    given = pending.pop(key)
                    given.future.cancel()
                    if not goes_back(given.task, deaths, DEATHS_ALLOWED):
                        yield given.task, Crash(f"its node died {DEATHS_ALLOWED} times")
                while waiting and (node := self._next_node(len(waiting))):
                    task = waiting.popleft()
                    if not is_wanted(task):
                        continue
                    key = f"{job.id}-{next(count)}"
                    with self._faults_told():
                        future = executor.submit(do_task, job, task, key=key, workers=[node])
                    pending[key] = Given(task, node, future)
                    self._shares[node].take(time.monotonic())
                    future.add_done_callback(lambda _, key=key: ended.put(key))
                try:
                    given = pending.pop(ended.get(timeout=LOOK_S))
                except (queue.Empty, KeyError):  # nothing, or a task that was taken back
                    continue
                self._end(given)
                result = self._outcome(given)
                if isinstance(result, Lost):
                    if goes_back(given.task, losses, LOSSES_ALLOWED):
                        continue
                    result = Crash(f"{LOSSES_ALLOWED} nodes lost their model server: {result}")
                yield given.task, result
        finally:
            if pending and self._client.status == "running":
                self._abandon(executor, job)

    def _next_node(self, waiting: int) -> str | None:
        return next_node(self._shares, waiting, time.monotonic())

    def _end(self, given: Given[Any]) -> None:
        """Note that a task has ended at its node."""
        now_s = time.monotonic()
        if share := self._shares.get(given.node):
            share.end(now_s - given.since_s, now_s)

    def _is_lost(self, given: Given[Any]) -> bool:
        """Whether a task's node is gone, and the task is not done."""
        return given.node not in self._shares and not given.future.done()

    def _look(self, pending: Iterable[Given[Any]], work_waits: bool) -> None:
        """Look now and then which nodes there are, and how many pages each one may have and has.

        If no work waits, nodes without work are sent away.
        """
        now_s = time.monotonic()
        if self._shares and now_s - self._looked_s < LOOK_S:
            return
        held = Counter(given.node for given in pending)
        with self._faults_told():
            limits = self._client.run_on_scheduler(look)
            working = [node for node, limit in limits.items() if limit]
            if not work_waits and len(working) > 1:
                self._send_idle_away([node for node in working if not held[node]])
        self._shares = {node: self._shares.get(node, Share()) for node in limits}
        for node, share in self._shares.items():
            share.limit, share.held = limits[node], held[node]
        self._node_s += len(limits) * (now_s - self._looked_s)
        self._looked_s = now_s
        if working:
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
        """Send away the nodes that no other batch uses; one stays, in case a busy node is lost."""
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

    def _has_nodes(self) -> bool:
        """Whether there is a node that takes work."""
        return any(self._client.run_on_scheduler(look).values())

    def _lose(self, node: str, why: Lost) -> None:
        """Remove a node that is of no use. Raises PoolError if it was the last one."""
        with self._faults_told():
            self._client.run_on_scheduler(remove, [node])
            if not self._has_nodes():
                raise PoolError(f"the last node has lost its model server: {why}")

    def _outcome(self, given: Given[Any]) -> Any:
        """Return the result of a task that has ended; Lost if its node could not do it."""
        with self._faults_told():
            try:
                node, result = given.future.result()
            except KilledWorker:  # if a user's own settings allow no death of a node over a task
                return Lost("its node died")
            except ValueError:  # from Dask: the node left with its result before we took it
                return Lost("its node left with its result")
        if isinstance(result, Lost):
            self._shares.pop(node, None)
            self._lose(node, result)
        return result

    def _abandon(self, executor: Any, job: Job) -> None:
        """Give up this job's tasks: restart their nodes, or they would go on reading."""
        with contextlib.suppress(*FAULTS, RuntimeError):
            held = self._client.processing()
            ours = [node for node, keys in held.items() if any(job.id in str(key) for key in keys)]
            executor.shutdown(wait=False)  # cancels them
            self._client.restart_workers(ours, timeout=CLOSE_TIMEOUT_S, raise_for_error=False)

    @contextlib.contextmanager
    def _faults_told(self) -> Iterator[None]:
        """Turn Dask's errors into a PoolError that names the scheduler."""
        try:
            yield
        except KilledWorker as error:
            raise PoolError(f"nodes of {self.scheduler} die when they are asked") from error
        except RuntimeError as error:  # for example: it cannot read what we send
            raise PoolError(f"the scheduler at {self.scheduler} refuses: {error}") from error
        except FAULTS as error:
            why = str(error) or "the connection was lost"
            raise PoolError(f"the scheduler at {self.scheduler} is gone: {why}") from error
