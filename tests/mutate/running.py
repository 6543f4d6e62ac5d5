"""Loads the tests of a room once, then tries each mutant in a fork of that process.

A fork puts the mutant's code into functions that are already loaded. So no file is written and
nothing is started again: a mutant takes only as long as its tests. If a test starts a program from
its file, that program is not mutated.
"""

import contextlib
import gc
import json
import math
import os
import shutil
import signal
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from types import CodeType, FrameType, FunctionType
from typing import Any, NamedTuple

import pytest

from mutate.mutants import Mutant

HANGS_S = 2.0  # seconds of CPU time beyond five times what a test takes: then the test hangs
WAITS_S = 120.0  # seconds of clock time beyond six times the limits of all its tests: then it waits
Items = Sequence[pytest.Item]
NO_LIMITS: Mapping[str, float] = {}
Hits = dict[int, list[str]]  # line -> the tests that run it


class Result(NamedTuple):
    """The result of a mutant."""

    file: str
    mutant: Mutant
    is_killed: bool


@dataclass
class Seen:
    """What the tests do on good code: how long each takes, and which run each line of a file."""

    seconds: dict[str, float] = field(default_factory=dict)
    hits: dict[str, Hits] = field(default_factory=dict)

    def tests_of(self, file: str, mutant: Mutant) -> list[str]:
        """The tests that may notice the mutant, quickest first.

        These are the tests that run its line. If no test does, they are those that run its
        function, because not every line of a long statement counts as run.
        """
        hits = self.hits.get(file, {})
        inside = {test for line in mutant.lines for test in hits.get(line, ())}
        return sorted(hits.get(mutant.line, inside), key=self.seconds.__getitem__)


class Trial:
    """A pytest plugin that tries mutants where pytest would run its tests.

    pytest ends with an error if the tests fail without a mutant.
    """

    def __init__(self, folder: Path, mutants: dict[str, list[Mutant]]) -> None:
        self.results: list[Result] = []
        self._folder, self._mutants = folder, mutants

    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        """Watch the tests once, then try the mutants, as many at once as there are processors."""
        seen = self._watched(session)
        by_name = {item.nodeid: item for item in session.items}
        gc.unfreeze()  # gc.get_objects() does not find what tests/conftest.py has frozen
        code_of = {file: functions_of(self._folder / file) for file in self._mutants}
        for file, functions in code_of.items():
            if not functions:
                raise RuntimeError(f"the tests load nothing of {file}")
            same = unchanged((self._folder / file).read_text(encoding="utf-8"))
            items = [by_name[test] for test in seen.tests_of(file, same)]
            self._passes(partial(mutated_passes, functions, same, items), f"{file}, loaded again")
        waiting = [(file, mutant) for file, found in self._mutants.items() for mutant in found]
        waiting.reverse()
        total = len(waiting)
        gc.freeze()
        running: dict[int, tuple[str, Mutant, float]] = {}
        while waiting or running:
            tell(len(self.results), total)
            while waiting and len(running) < (os.cpu_count() or 1):
                file, mutant = waiting.pop()
                tests = seen.tests_of(file, mutant)
                if not tests:
                    self.results.append(Result(file, mutant, False))
                    continue
                limits = {test: HANGS_S + 5 * seen.seconds[test] for test in tests}
                items = [by_name[test] for test in tests]
                child = self._fork(partial(mutated_passes, code_of[file], mutant, items, limits))
                limit_s = WAITS_S + 6 * sum(limits.values())
                running[child] = (file, mutant, time.monotonic() + limit_s)
            for child, (file, mutant, end) in list(running.items()):
                if (code := ended(child, end)) is not None:
                    del running[child]
                    self._tidy(child)
                    self.results.append(Result(file, mutant, code != 0))
            time.sleep(0.005)
        return True

    def _watched(self, session: pytest.Session) -> Seen:
        """Run all tests on the unchanged code, and record what they do."""
        said = self._folder / ".seen"

        def watch() -> bool:
            watch = Watch(self._folder, self._mutants)
            is_good = passes(session.items, watch)
            said.write_text(json.dumps([watch.seen.seconds, watch.seen.hits]))
            return is_good

        self._passes(watch, "the code as it is")
        seconds, hits = json.loads(said.read_text())
        return Seen(
            seconds, {f: {int(n): t for n, t in found.items()} for f, found in hits.items()}
        )

    def _passes(self, run: Callable[[], bool], what: str) -> None:
        """Raise RuntimeError if run() is not true in a process of its own.

        In that case no result would mean anything.
        """
        child = self._fork(run)
        while (code := ended(child, math.inf)) is None:
            time.sleep(0.05)
        self._tidy(child)
        if code:
            raise RuntimeError(f"the tests fail with {what}")

    def _fork(self, run: Callable[[], bool]) -> int:
        """Fork a process with a folder of its own; it ends with 0 if run() is true."""
        child = os.fork()
        if child:
            return child
        try:
            os.setsid()
            sys.addaudithook(refuse_others)
            nothing = os.open(os.devnull, os.O_RDWR)
            for stream in range(3):
                os.dup2(nothing, stream)
            os.environ["PYTEST_DEBUG_TEMPROOT"] = os.environ["TMPDIR"] = self._own(os.getpid())
            tempfile.tempdir = None
            code = 0 if run() else 1
        except BaseException:  # noqa: BLE001 - any exception must end this process, and no other
            code = 1
        os._exit(code)

    def _own(self, child: int) -> str:
        folder = self._folder / ".tmp" / str(child)
        folder.mkdir(parents=True, exist_ok=True)
        return str(folder)

    def _tidy(self, child: int) -> None:
        shutil.rmtree(self._own(child), ignore_errors=True)


class Watch:
    """Records which tests run which lines of these files, and how long each test takes."""

    def __init__(self, folder: Path, files: Iterable[str]) -> None:
        self.seen = Seen()
        self._hits = {str(folder / file): self.seen.hits.setdefault(file, {}) for file in files}
        self._test = ""

    @contextlib.contextmanager
    def over(self, test: str) -> Iterator[None]:
        """Watch one test."""
        self._test, began = test, time.process_time()
        threading.settrace(self._called)
        sys.settrace(self._called)
        try:
            yield
        finally:
            sys.settrace(None)
            self.seen.seconds[test] = time.process_time() - began

    def _called(self, frame: FrameType, _event: str, _value: Any) -> Any:
        return self._ran if frame.f_code.co_filename in self._hits else None

    def _ran(self, frame: FrameType, event: str, _value: Any) -> Any:
        if event == "line":
            tests = self._hits[frame.f_code.co_filename].setdefault(frame.f_lineno, [])
            if self._test not in tests[-1:]:
                tests.append(self._test)
        return self._ran


def passes(
    items: Items, watch: Watch | None = None, limits: Mapping[str, float] = NO_LIMITS
) -> bool:
    """Whether all of these tests pass; stops at the first failure.

    A test that takes more CPU seconds than its limit ends the process.
    """
    for item, following in zip(items, [*items[1:], None], strict=True):
        signal.setitimer(signal.ITIMER_PROF, limits.get(item.nodeid, 0))
        with watch.over(item.nodeid) if watch else contextlib.nullcontext():
            item.config.hook.pytest_runtest_protocol(item=item, nextitem=following)
        if item.session.testsfailed:
            return False
    return True


Functions = dict[tuple[str, int], list[FunctionType]]


def functions_of(path: Path) -> Functions:
    """All functions that were loaded from a file, by their names and first lines."""
    found: Functions = {}
    for thing in gc.get_objects():
        if isinstance(thing, FunctionType) and thing.__code__.co_filename == str(path):
            code = thing.__code__
            found.setdefault((code.co_qualname, code.co_firstlineno), []).append(thing)
    return found


def unchanged(source: str) -> Mutant:
    """A mutant without a fault: if the tests kill it, their results mean nothing."""
    return Mutant("", 0, range(len(source.splitlines()) + 1), "", "", source)


def mutated_passes(
    functions: Functions, mutant: Mutant, items: Items, limits: Mapping[str, float] = NO_LIMITS
) -> bool:
    """Replace the loaded functions by the mutant's, in this process, and run these tests."""
    for code in codes_in(compile(mutant.source, "mutant", "exec")):
        for function in functions.get((code.co_qualname, code.co_firstlineno), []):
            function.__code__ = code
    return passes(items, limits=limits)


def tell(done: int, total: int) -> None:
    """Show the progress, on a terminal."""
    if sys.stderr.isatty():
        sys.stderr.write(f"\r{done} of {total} mutants" + "\n" * (done == total))


def codes_in(code: CodeType) -> Iterator[CodeType]:
    """Yield the functions in compiled code."""
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield constant
            yield from codes_in(constant)


def refuse_others(event: str, arguments: tuple[Any, ...]) -> None:
    """Let a mutant send signals only to processes that its tests have started."""
    if event not in ("os.kill", "os.killpg") or arguments[1] == 0:
        return
    if arguments[0] <= 0 or os.getsid(arguments[0]) != os.getsid(0):
        raise PermissionError(f"{event} of {arguments[0]} by a mutant")


def ended(child: int, end: float) -> int | None:
    """How a process has ended, after killing all that it left.

    -1 if its time was over; None if it has not ended yet.
    """
    flags = os.WEXITED | os.WNOHANG | os.WNOWAIT
    is_over = os.waitid(os.P_PID, child, flags) is not None
    if not is_over and time.monotonic() < end:
        return None
    for kill in (os.killpg, os.kill):  # a new process may have no group yet
        with contextlib.suppress(ProcessLookupError):
            kill(child, signal.SIGKILL)
    code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    return code if is_over else -1
