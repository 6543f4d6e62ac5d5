"""A process of a node that computes for its threads: a thread cannot be killed, and a process can.

One for all threads: MuPDF is not for two, and one core feeds one GPU.
"""

import signal
import threading
from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import dataclass, field, replace
from typing import Any, TypeVar

from picture.images import UnreadablePage
from results.steps import Sent, Source, Values
from workers import bounds
from workers.pool import DEATHS_ALLOWED, Crash, Worker, describe_exit, start_worker

T = TypeVar("T")


@dataclass(frozen=True)
class Call:
    """A step to run. source is None if it is that of the call before."""

    step: Callable[..., Any]
    source: Source | None
    pdf_page: int | None
    values: Values
    more: tuple[Any, ...]


@dataclass(frozen=True)
class Outcome:
    """What a step gave or raised, and what it learnt of the page."""

    values: Values
    result: Any = None
    error: Exception | None = None


@dataclass
class Child:
    """The process, as a Compute. It is made when it is needed, and anew when it died."""

    cpu_s: float
    worker: Worker[Any] | None = None
    last: Source | None = None
    lock: threading.Lock = field(default_factory=threading.Lock)

    def __call__(
        self,
        step: Callable[..., T],
        source: Source,
        pdf_page: int | None,
        values: Values,
        /,
        *more: Any,
    ) -> T:
        """Run a step there. Raises what it raises, UnreadablePage if it cannot be run."""
        with self.lock:
            outcome = self.outcome(step, source, pdf_page, values, more)
        values |= outcome.values
        if outcome.error is not None:
            raise outcome.error
        result: T = outcome.result
        return result

    def outcome(
        self,
        step: Callable[..., Any],
        source: Source,
        pdf_page: int | None,
        values: Values,
        more: tuple[Any, ...],
    ) -> Outcome:
        """A step's outcome; a second try if the process died, unless it says why."""
        reason = ""
        for _ in range(DEATHS_ALLOWED):
            if self.worker is None:
                self.worker, self.last = start_worker(make_runner, (self.cpu_s,)), None
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


def make_runner(cpu_s: float) -> Callable[[Call], Outcome]:
    """What runs steps in the process."""
    bounds.limit_memory()
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGTERM})  # its node ends it so, and waits
    last: list[Source] = [b""]

    def run(call: Call) -> Outcome:
        if call.source is not None:
            last[0] = call.source
        try:
            with bounds.within(nullcontext(), cpu_s):
                result = call.step(last[0], call.pdf_page, call.values, *call.more)
        except (UnreadablePage, MemoryError, OSError) as error:
            error.__cause__ = error.__context__ = None  # MuPDF's cannot be sent
            return Outcome(call.values, error=error)
        if isinstance(result, Sent):
            result = replace(result, page=None)  # opened again if need be
        return Outcome(call.values, result)

    return run
