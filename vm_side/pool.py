"""A process pool in which a worker that dies costs its own task one retry, and nothing else.

concurrent.futures loses every pending task when one worker is killed, and cannot tell which task
killed it. Here each worker has a pipe of its own and holds one task at a time, so both are known.
"""

import contextlib
import multiprocessing
import os
import signal
import socket
import sys
import threading
import time
import traceback
from collections import Counter, deque
from collections.abc import Callable, Generator, Iterable, Iterator
from dataclasses import dataclass, field
from multiprocessing import forkserver, resource_tracker
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from pathlib import Path
from types import FrameType, TracebackType
from typing import Any, Generic, TypeVar

T = TypeVar("T")
R = TypeVar("R")

DEATHS_ALLOWED = 2  # of workers on one task, and in a row before they could start
STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
CONTEXT = multiprocessing.get_context("forkserver")  # imports are paid once; safe beside threads


START_PAUSES_S = (0.1, 0.5, 0.0)  # after a worker that could not be forked
STARTING = 0  # in the place of a task's id(): deaths before a worker could take any


class PoolError(Exception):
    """Workers cannot be started."""


@dataclass(frozen=True)
class Crash:
    """In place of a result: why the task has none."""

    reason: str


@dataclass
class Worker(Generic[T]):
    """A process, the parent's end of its pipe, and the task it holds."""

    process: BaseProcess
    pipe: Connection
    task: T | None = None
    has_started: bool = False


@dataclass
class Interrupt:
    """SIGINT, SIGTERM and SIGHUP as a flag that also wakes a wait(); as a context manager.

    The byte that wakes is written by set_wakeup_fd, in whatever thread the signal comes: a handler
    in Python runs in the main thread alone, which may just be about to wait, or waits already.
    """

    signal: int = 0
    _sockets: tuple[socket.socket, socket.socket] = field(default_factory=socket.socketpair)
    _before: dict[int, Any] = field(default_factory=dict)
    _wakeup_before: int = -1

    def __enter__(self) -> "Interrupt":
        for end in self._sockets:
            end.setblocking(False)
        self._wakeup_before = signal.set_wakeup_fd(
            self._sockets[1].fileno(), warn_on_full_buffer=False
        )
        for number in STOP_SIGNALS:
            self._before[number] = signal.signal(number, self._on_signal)
        return self

    def _on_signal(self, number: int, frame: FrameType | None) -> None:
        self.signal = number

    def fileno(self) -> int:
        """Readable once a signal came."""
        return self._sockets[0].fileno()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)
        signal.set_wakeup_fd(self._wakeup_before)
        for end in self._sockets:
            end.close()


def run(
    tasks: Iterable[T],
    make_function: Callable[..., Callable[[T], R]],
    arguments: tuple[Any, ...],
    processes: int,
    interrupt: Interrupt,
) -> Generator[tuple[T, R | Crash], None, None]:
    """Yield (task, result) as they come, until all are done or the interrupt is set.

    make_function(*arguments) is called once in each worker and gives the function of a task; it
    must be importable. When the iterator ends or is closed, no worker is left. Raises PoolError.
    """
    queue = deque(tasks)
    deaths: Counter[int] = Counter()  # by id() of a task, which no later task can have
    workers: list[Worker[T]] = []
    try:
        while (queue or any(worker.task is not None for worker in workers)) and (
            not interrupt.signal
        ):
            missing = min(processes, len(queue) + sum(w.task is not None for w in workers))
            while len(workers) < missing:
                workers.append(start_worker(make_function, arguments))
            for worker in workers:
                if worker.has_started and worker.task is None and queue:
                    give(worker, queue)
            ready = wait([interrupt.fileno(), *(worker.pipe for worker in workers)])
            for worker in [worker for worker in workers if worker.pipe in ready]:
                try:
                    message = worker.pipe.recv()
                except (EOFError, OSError):  # it died, perhaps in the middle of a message
                    workers.remove(worker)
                    yield from bury(worker, queue, deaths)
                    continue
                if not worker.has_started:
                    worker.has_started = True
                    deaths.pop(STARTING, None)
                    continue
                task, worker.task = worker.task, None
                assert task is not None  # a worker speaks only of the task it holds
                if queue:
                    give(worker, queue)  # before the result is looked at: the worker need not wait
                yield task, message
    finally:
        for worker in workers:
            worker.process.kill()  # it writes beside and renames: nothing of it can be torn
        for worker in workers:
            worker.process.join()
            worker.pipe.close()


def start_forkserver(module: str) -> None:
    """Start the process that workers are forked from, with the module loaded, if none runs."""
    CONTEXT.set_forkserver_preload([module])
    before = os.environ.get("PYTHONPATH")
    os.environ["PYTHONPATH"] = os.pathsep.join(sys.path)  # it looks for the module there alone
    try:
        with signals_held():
            resource_tracker.ensure_running()  # lets SIGINT and SIGTERM go before it returns
        with signals_held():
            forkserver.ensure_running()
    finally:
        if before is None:
            del os.environ["PYTHONPATH"]
        else:
            os.environ["PYTHONPATH"] = before


@contextlib.contextmanager
def signals_held() -> Iterator[None]:
    """Hold the stop signals back. What is started meanwhile never gets them, nor its children:
    a terminal signals the whole group, and it is the parent that acts.
    """
    before = signal.pthread_sigmask(signal.SIG_BLOCK, STOP_SIGNALS)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def start_worker(
    make_function: Callable[..., Callable[[T], R]], arguments: tuple[Any, ...]
) -> Worker[T]:
    """Start one worker; it says so once it can take tasks. Raises PoolError."""
    for pause_s in START_PAUSES_S:
        here, there = CONTEXT.Pipe()
        process = CONTEXT.Process(target=work, args=(there, make_function, arguments), daemon=True)
        try:
            start_forkserver(make_function.__module__)
            with signals_held():
                process.start()
            return Worker(process, here)
        except (EOFError, OSError) as error:  # the fork server was killed just now
            here.close()
            reason = repr(error)
        finally:
            there.close()
        time.sleep(pause_s)
    raise PoolError(f"no worker process can be started ({reason})")


def give(worker: Worker[T], queue: deque[T]) -> None:
    """Hand the worker the next task; if it has just died, its pipe tells so at the next look."""
    worker.task = queue.popleft()
    with contextlib.suppress(ConnectionError):
        worker.pipe.send(worker.task)


def bury(worker: Worker[T], queue: deque[T], deaths: Counter[int]) -> Iterator[tuple[T, Crash]]:
    """Put a dead worker's task in front of the queue, or give it up if it killed twice.

    Raises PoolError if workers die before they can take a task.
    """
    worker.process.join()
    worker.pipe.close()
    how = describe_exit(worker.process.exitcode)
    if not worker.has_started:
        deaths[STARTING] += 1
        if deaths[STARTING] == DEATHS_ALLOWED:
            raise PoolError(f"worker processes end before they can start ({how})")
    elif worker.task is not None:
        deaths[id(worker.task)] += 1
        if deaths[id(worker.task)] < DEATHS_ALLOWED:
            queue.appendleft(worker.task)
        else:
            yield worker.task, Crash(f"its worker died {DEATHS_ALLOWED} times ({how})")


def describe_exit(code: int | None) -> str:
    """A process's end for people: the signal's name or the exit code."""
    if code is not None and code < 0:
        return signal.Signals(-code).name
    return f"exit code {code}"


def work(
    pipe: Connection, make_function: Callable[..., Callable[[T], R]], arguments: tuple[Any, ...]
) -> None:
    """The worker's life: take a task, send its result, until the parent is gone."""
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
    """End this process at once when the parent's does, also in the middle of a request."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        wait([parent.sentinel])
        os._exit(1)


def where(error: Exception) -> str:
    """An unexpected error in one line: what, and the innermost place in the code."""
    frames = traceback.extract_tb(error.__traceback__)
    place = f"{Path(frames[-1].filename).name}:{frames[-1].lineno}" if frames else "?"
    return f"unexpected {type(error).__name__}: {error} at {place}"
