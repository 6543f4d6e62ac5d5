"""The bounds of a worker: what the kernel ends, and what the pool makes of it."""

from __future__ import annotations

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
    """What becomes of tasks in two workers that may compute for half a second each."""
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
