"""Processes of a node that compute for its threads: a thread cannot be killed, but a process can.

There are a few for all threads: two threads of one process must not use MuPDF at once, and the
model server needs cores, too.
"""

import os
import queue
import signal
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, TypeVar

from picture.images import UnreadablePage
from results.steps import Sent, Source, Values, in_turns
from workers import bounds
from workers.pool import DEATHS_ALLOWED, Crash, Worker, describe_exit, start_worker
from workers.turns import Turns

T = TypeVar("T")


@dataclass(frozen=True)
class Call:
    """A step to run. source is None if it is the same as in the call before."""

    step: Callable[..., Any]
    source: Source | None
    pdf_page: int | None
    values: Values
    more: tuple[Any, ...]


@dataclass(frozen=True)
class Outcome:
    """What a step returned or raised, and what it learnt about the page (values)."""

    values: Values
    result: Any = None
    error: Exception | None = None


class Children:
    """The processes, as a Compute: half as many as there are cores, started when they are needed.

    folder belongs to this node alone. Locks in it say which of the processes may compute now.
    """

    def __init__(self, cpu_s: float, folder: Path, count: int = 0) -> None:
        count = count or max(1, (os.cpu_count() or 1) // 2)
        self.all = [Child(cpu_s, folder / "turns", count) for _ in range(count)]
        self._free: queue.LifoQueue[Child] = queue.LifoQueue()
        for child in self.all:
            self._free.put(child)

    def __call__(
        self,
        step: Callable[..., T],
        source: Source,
        pdf_page: int | None,
        values: Values,
        /,
        *more: Any,
    ) -> T:
        """Run a step in a process. Raises what it raises; UnreadablePage if it cannot be run."""
        child = self._free.get()
        try:
            outcome = child.outcome(step, source, pdf_page, values, more)
        finally:
            self._free.put(child)
        values |= outcome.values
        if outcome.error is not None:
            raise outcome.error
        result: T = outcome.result
        return result


@dataclass
class Child:
    """One of the processes; restarted after it died. Two threads must not use it at once."""

    cpu_s: float
    turns: Path
    count: int
    worker: Worker[Any] | None = None
    last: Source | None = None

    def outcome(
        self,
        step: Callable[..., Any],
        source: Source,
        pdf_page: int | None,
        values: Values,
        more: tuple[Any, ...],
    ) -> Outcome:
        """Return a step's outcome. If the process dies without saying why, try a second time."""
        reason = ""
        for _ in range(DEATHS_ALLOWED):
            if self.worker is None:
                self.worker, self.last = self.start(), None
                self.worker.pipe.recv()  # "started"
            try:
                given = None if source is self.last else source
                self.worker.pipe.send(Call(step, given, pdf_page, values, more))
                self.last = source
                found = self.worker.pipe.recv()
            except (EOFError, OSError):
                worker, self.worker = self.worker, None
                worker.process.join()
                worker.pipe.close()
                code = worker.process.exitcode
                reason = f"its worker died {DEATHS_ALLOWED} times ({describe_exit(code)})"
                if (said := bounds.last_words(self.cpu_s).get(code or 0)) is not None:
                    reason = said
                    break
            else:
                if isinstance(found, Crash):
                    found = Outcome({}, error=UnreadablePage(found.reason))
                assert isinstance(found, Outcome)
                return found
        return Outcome({}, error=UnreadablePage(reason))

    def start(self) -> Worker[Any]:
        """Start the process. Raises PoolError."""
        return start_worker(make_runner, (self.cpu_s, self.turns, self.count))


def make_runner(cpu_s: float, path: Path, count: int) -> Callable[[Call], Outcome]:
    """Return what runs steps in the process. Of `count` processes, one may have a large page."""
    bounds.limit_memory()
    turns = Turns(path, count)
    # its node ends this process by SIGTERM, and waits for that
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGTERM})
    last: list[Source] = [b""]

    def turn(is_large: bool) -> AbstractContextManager[None]:
        return bounds.within(turns.taken(is_large), cpu_s)

    compute = in_turns(turn)

    def run(call: Call) -> Outcome:
        if call.source is not None:
            last[0] = call.source
        try:
            result = compute(call.step, last[0], call.pdf_page, call.values, *call.more)
        except (UnreadablePage, MemoryError, OSError) as error:
            error.__cause__ = error.__context__ = None  # MuPDF's own cannot be sent
            return Outcome(call.values, error=error)
        if isinstance(result, Sent):
            result = replace(result, page=None)  # it is opened again if needed
        return Outcome(call.values, result)

    return run
