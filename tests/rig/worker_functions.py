"""What a pool's workers run in the tests. Importable, because workers are other processes."""

from __future__ import annotations

import contextlib
import os
import signal
import sys
import threading
import time
from collections.abc import Callable
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from read_page import Settings, Task
from results.manifest import Record
from server.door import Door
from server.silence import Silence
from server.verdicts import ServerGone
from workers import bounds
from workers.executor import make_pool_reader

Function = Callable[[Any], Any]
INHERITED: set[str] = set()
os.register_at_fork(after_in_child=lambda: INHERITED.update(sys.modules))


def doubler() -> Function:
    return lambda task: task * 2


def own_pid() -> Function:
    return lambda task: os.getpid()


def variable() -> Function:
    """Reads a variable of the worker's environment."""
    return os.environ.get


def imported_while_reading(settings: Settings) -> Function:
    """The pool's page function; returns the status and the modules that its process has loaded."""
    assert isinstance(settings.output, Path)
    read = make_pool_reader(settings, Silence(), Door(Path("door").absolute(), 2))

    def function(task: Task) -> list[str]:
        return [read(task).status, *sorted(sys.modules.keys() - INHERITED)]

    return function


def echo() -> Function:
    return lambda task: task


def raiser() -> Function:
    def function(task: Any) -> Any:
        raise ValueError(f"no {task}")

    return function


def dier(folder: Path) -> Function:
    """A task `(name, times)` kills its worker so many times, then returns its name."""

    def function(task: tuple[str, int]) -> str:
        name, times = task
        mark = folder / name
        deaths = len(mark.read_text()) if mark.exists() else 0
        if deaths < times:
            mark.write_text("x" * (deaths + 1))
            os.kill(os.getpid(), signal.SIGKILL)
        return name

    return function


def sleeper(folder: Path) -> Function:
    """Leaves its pid in the folder and sleeps for ever."""

    def function(task: Any) -> Any:
        (folder / str(os.getpid())).touch()
        threading.Event().wait()

    return function


def waiter(folder: Path) -> Function:
    """Waits for a file in the folder, and returns its name."""

    def function(task: Any) -> str:
        wait_for(folder, 1)
        return next(folder.iterdir()).name

    return function


def crowd(folder: Path) -> Function:
    """Counts the workers at work during this task, including its own."""

    def function(task: Any) -> int:
        mark = folder / str(os.getpid())
        mark.touch()
        time.sleep(0.05)
        count = len(list(folder.iterdir()))
        mark.unlink()
        return count

    return function


def computer(folder: Path, cpu_s: float) -> Function:
    """Takes a turn of so much CPU time. Tasks "computes..." never end; counts their tries."""

    def function(task: str) -> str:
        with bounds.within(contextlib.nullcontext(), cpu_s):
            if task == "naps":
                time.sleep(3 * cpu_s)
            elif task.startswith("computes"):
                mark = folder / task
                mark.write_text(mark.read_text() + "x" if mark.exists() else "x")
                while True:
                    pass
        return task

    return function


def napper(seconds: float) -> Function:
    """Sleeps for this time."""
    return lambda task: time.sleep(seconds)


def tasks_known(dask_scheduler: Any) -> list[str]:
    """The tasks that a scheduler has been given; runs there."""
    return list(dask_scheduler.tasks)


def done_ever_again(dask_worker: Any) -> dict[str, float]:
    """The periodic callbacks of a node, with their period in milliseconds; runs there."""
    return {name: each.callback_time for name, each in dask_worker.periodic_callbacks.items()}


def drawing(dask_worker: Any) -> list[str]:
    """The modules that a node has loaded to draw a dashboard; runs there."""
    return [name for name in ("bokeh", "pandas") if name in sys.modules]


def loser_at(leave_file: str) -> Function:
    """Lose every task on the node with this leave file; on all nodes if it is empty."""
    from workers.node import Lost  # noqa: PLC0415 - with Dask half a second, which the pool does not need

    def function(task: Any) -> Any:
        if leave_file in ("", os.environ.get("LEAVE_FILE")):
            raise Lost("it is gone")
        return task

    return function


def without_server_at(leave_file: str, answer: int) -> int:
    """The node with this leave file has lost its model server; other nodes answer."""
    if leave_file == os.environ.get("LEAVE_FILE"):
        raise ValueError("no model") from ServerGone("nothing answers")
    return answer


def no_op_reader(settings: Any) -> Function:
    """A page function which says that the page is done."""

    def function(task: Any) -> Any:
        return Record(task.page.result, task.page.input, task.page.pdf_page, "ok")

    return function


def actor(folder: Path) -> Function:
    """A task is a tuple of steps: `mark x`, `wait x`, `die` or `hang`."""

    def function(task: tuple[str, ...]) -> tuple[str, ...]:
        for step in task:
            verb, _, name = step.partition(" ")
            if verb == "mark":
                (folder / f"{name}.part").write_text(str(os.getpid()))
                (folder / f"{name}.part").rename(folder / name)
            elif verb == "wait":
                while not (folder / name).exists():
                    time.sleep(0.005)
            elif verb == "die":
                os.kill(os.getpid(), signal.SIGKILL)
            else:
                threading.Event().wait()
        return task

    return function


def slow_starter(folder: Path) -> Function:
    (folder / str(os.getpid())).touch()
    threading.Event().wait()
    raise AssertionError


def dies_at_start() -> Function:
    os._exit(7)


def dies_at_first_start(folder: Path) -> Function:
    """The first of all workers dies before it can take a task."""
    try:
        (folder / "first").touch(exist_ok=False)
    except FileExistsError:
        return doubler()
    os.kill(os.getpid(), signal.SIGKILL)
    raise AssertionError


def dies_idle() -> Function:
    """A worker that dies shortly after its result, while it waits for another task."""

    def function(task: int) -> int:
        if task == 0:
            threading.Timer(0.05, os._exit, (3,)).start()
        else:
            time.sleep(0.3)
        return task

    return function


def torn_sender(folder: Path) -> Function:
    """The first worker to send a result dies in the middle of it."""
    send_bytes = Connection._send_bytes  # type: ignore[attr-defined]  # private

    def torn(self: Connection, data: Any) -> None:
        try:
            (folder / "torn").touch(exist_ok=False)
        except FileExistsError:
            send_bytes(self, data)
            return
        os.write(self.fileno(), (1000).to_bytes(4, "big") + b"only the beginning")
        os.kill(os.getpid(), signal.SIGKILL)

    def function(task: Any) -> Any:
        Connection._send_bytes = torn  # type: ignore[attr-defined]  # private
        return task

    return function


def unpicklable() -> Function:
    return lambda task: threading.Lock()


def wait_for(folder: Path, count: int) -> None:
    """Wait until so many workers have left their mark in the folder."""
    deadline = time.monotonic() + 15
    while len(list(folder.iterdir())) < count:
        assert time.monotonic() < deadline, "the workers did not come"
        time.sleep(0.005)
