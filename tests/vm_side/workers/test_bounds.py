"""The bounds of a worker: what the kernel ends, and how the pool reacts."""

from __future__ import annotations

import os
import resource
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from rig import worker_functions as functions
from workers import bounds
from workers.interrupt import Interrupt
from workers.pool import Crash, run

SAID = Crash("took longer than 0.5 s to draw")


@pytest.fixture
def interrupt() -> Iterator[Interrupt]:
    with Interrupt() as interrupt:
        yield interrupt


def read(
    tasks: list[str], folder: Path, interrupt: Interrupt, twins: bool = False
) -> dict[str, object]:
    """The results of tasks in two workers that may compute for half a second each."""
    return dict(
        run(
            tasks,
            functions.computer,
            (folder, 0.5),
            lambda: 2,
            interrupt,
            lambda task: task if twins else None,
            bounds.last_words(0.5),
        )
    )


def test_who_computes_too_long_is_killed_and_not_tried_again(
    tmp_path: Path, interrupt: Interrupt
) -> None:
    tasks = ["computes", *"abcdefgh", "computes, too"]
    found = read(tasks, tmp_path, interrupt)
    assert found.pop("computes") == found.pop("computes, too") == SAID
    assert found == {name: name for name in "abcdefgh"}
    assert (tmp_path / "computes").read_text() == "x"


def test_waiting_is_not_computing(tmp_path: Path, interrupt: Interrupt) -> None:
    assert read(["naps"], tmp_path, interrupt) == {"naps": "naps"}


def test_a_twin_dies_with_it(
    tmp_path: Path, interrupt: Interrupt, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("workers.pool.LATE_S", 0.1)
    monkeypatch.setattr("workers.pool.LOOK_S", 0.05)
    assert read(["a", "computes"], tmp_path, interrupt, twins=True) == {"a": "a", "computes": SAID}


@pytest.mark.parametrize("workers", [1, 3])
def test_what_is_no_longer_wanted_is_passed_over(interrupt: Interrupt, workers: int) -> None:
    seen: list[int] = []
    for task, _ in run(
        list(range(60)),
        functions.doubler,
        (),
        lambda: workers,
        interrupt,
        is_wanted=lambda task: len(seen) < 10 or task >= 50,
    ):
        seen.append(task)
    assert set(range(10)) | set(range(50, 60)) <= set(seen) <= set(range(15)) | set(range(50, 60))


@pytest.mark.parametrize(
    ("told", "mib"),
    [
        ((), 1 << 40),
        (("max\n",), 1 << 40),
        (("3221225472\n",), 3072),
        (("max\n", "1073741824"), 1024),
    ],
)
def test_memory_is_what_the_container_may_take(
    tmp_path: Path, told: tuple[str, ...], mib: int
) -> None:
    files = [tmp_path / str(number) for number in range(len(told))]
    for file, text in zip(files, told, strict=True):
        file.write_text(text)
    here = bounds.memory_mib(())
    assert 256 < here < mib or mib < here
    assert bounds.memory_mib((*files, tmp_path / "none")) == min(here, mib)


@pytest.mark.parametrize(
    ("memory_mib", "workers"), [(24_576, 192), (32_768, 256), (2_048, 16), (64, 1)]
)
def test_half_of_the_memory_is_for_workers(memory_mib: int, workers: int) -> None:
    assert bounds.most_workers(memory_mib) == workers


def test_a_process_may_hold_open_what_its_workers_need() -> None:
    """In a process of its own, with the limit that most systems start with."""
    code = (
        "import resource; from workers import bounds;"
        "most = resource.getrlimit(resource.RLIMIT_NOFILE)[1];"
        "resource.setrlimit(resource.RLIMIT_NOFILE, (256, most));"
        "bounds.allow_files(10); few = resource.getrlimit(resource.RLIMIT_NOFILE)[0];"
        "bounds.allow_files(512); print(few, resource.getrlimit(resource.RLIMIT_NOFILE)[0])"
    )
    most = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    vm_side = Path(bounds.__file__).parents[1]
    told = subprocess.check_output([sys.executable, "-c", code], cwd=vm_side)
    wanted = 2048 if most == resource.RLIM_INFINITY else min(2048, most)
    assert told.split() == [b"256", str(wanted).encode()]


@pytest.mark.skipif(not hasattr(os, "SCHED_IDLE"), reason="a Mac has no such priority")
def test_who_gives_way_computes_where_nobody_else_does() -> None:
    code = (
        "import os; from workers import bounds; bounds.use_idle_cores_alone(); bounds.give_way();"
        "print(os.sched_getscheduler(0), os.getpriority(os.PRIO_PROCESS, 0))"
    )
    vm_side = Path(bounds.__file__).parents[1]
    told = subprocess.check_output([sys.executable, "-c", code], cwd=vm_side)
    assert told.split() == [str(os.SCHED_IDLE).encode(), b"19"]
