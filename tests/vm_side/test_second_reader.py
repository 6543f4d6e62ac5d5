"""The second reader while other pages are read, from end to end, with the real PP-OCR."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import IO, Any

import pytest

from checks import read_checks
from results.manifest import Record, load
from rig.altered import GIVES_WAY_IN_WORDS, IN_A_HURRY, WITHOUT_ENGINES, altered
from rig.command import Batch, Running, wait_until
from rig.model_request import Request
from rig.model_server import ModelServer
from rig.replies import Reply
from rig.true_page import misread, told, true_page
from second_reader import doubted_elsewhere, readers_for

PICTURE, CELLS = true_page(dpi=100)
WRONG = misread(CELLS)
SOON_S = 120.0
KNOBS = {"WITNESS": "ocr"}


class Held:
    """A model that reads page a wrongly, and holds page b until it is let go."""

    def __init__(self) -> None:
        self.let_go = threading.Event()

    def __call__(self, request: Request) -> Reply:
        if request.size[0] > 0.95 * PICTURE.width:
            return Reply(told(WRONG, request.size))
        self.let_go.wait(2 * SOON_S)
        return Reply(told(CELLS, request.size))


@pytest.fixture
def held(tmp_path: Path) -> Iterator[tuple[Batch, ModelServer, Held]]:
    """Two pages; the second was scanned a little smaller."""
    with ModelServer() as server:
        batch = Batch(tmp_path, server.url)
        batch.input.mkdir()
        PICTURE.save(batch.input / "a.png")
        PICTURE.resize([side * 9 // 10 for side in PICTURE.size]).save(batch.input / "b.png")
        server.script = model = Held()
        try:
            yield batch, server, model
        finally:
            model.let_go.set()


def record_of(batch: Batch, name: str) -> Any:
    """The manifest's present record of a page."""
    return load(batch.output).get((name, None))


def is_heard(batch: Batch) -> bool:
    """Whether the second reader has reported something."""
    return bool((record := record_of(batch, "a.png")) and record.reader)


def idlers(running: Running) -> list[int]:
    """The processes of a command that only compute on idle cores."""
    found = []
    for pid in running.members():
        try:
            if os.sched_getscheduler(pid) == os.SCHED_IDLE:
                found.append(pid)
        except ProcessLookupError:
            continue
    return found


def pen_for(pipe: Path) -> IO[bytes]:
    """The writing end of a named pipe, once somebody waits to read it."""
    found: list[int] = []

    def is_awaited() -> bool:
        with contextlib.suppress(OSError):
            found.append(os.open(pipe, os.O_WRONLY | os.O_NONBLOCK))
        return bool(found)

    wait_until(is_awaited)
    return os.fdopen(found[0], "wb", buffering=0)


def test_its_doubts_are_there_while_other_pages_are_read(
    held: tuple[Batch, ModelServer, Held], tmp_path: Path
) -> None:
    """If wanted, the model is asked again because of them, and the reader judges its answer."""
    batch, server, model = held
    with batch.start(environment=KNOBS | altered(tmp_path / "hurry", IN_A_HURRY)) as running:
        wait_until(lambda: is_heard(batch))
        assert record_of(batch, "b.png") is None, "it is still being read"
        model.let_go.set()
        ended = running.finish()
        running.wait_until_nobody_is_left()
    assert ended.code == 0
    assert "1 ok, 1 doubtful: make report shows them first" in ended.err
    first, second = batch.records
    assert (first["status"], first["read_as"], first["trusted_as"]) == ("doubtful", "ok", 1.0)
    assert first["reason"] == "2 cells are read differently by the second reader"
    assert [doubt["cell"] for doubt in first["doubts"]] == [2, 4]
    assert first["doubts"][1]["detail"]["digits"] == 1
    assert (second["status"], second["reader"]) == ("ok", ""), "nobody waits for it"
    assert batch.summary["doubts"] == {"reader": 2} and batch.summary["doubtful"] == 1
    assert len(server.requests) == first["attempts"] + second["attempts"] == 2

    assert second["reader_lines"] == [] and first["reader_lines"][0]["text"] == "A true page"
    server.script = lambda request: Reply(told(CELLS, request.size))
    again = batch.run(environment={"WITNESS": "ink", "DOUBTFUL": "1"})
    assert (again.code, len(server.requests)) == (0, 3)
    better = batch.records[0]
    assert (better["status"], better["doubts"], better["reader_lines"]) == ("ok", [], [])
    assert better["reader"] == first["reader"], "it is not heard once more"


def test_it_may_be_killed(held: tuple[Batch, ModelServer, Held], tmp_path: Path) -> None:
    """It says that it gives way, but does not: on a busy machine it would never get to its page."""
    batch, server, model = held
    page, go, notes = batch.input / "a.png", tmp_path / "go", tmp_path / "notes"
    code = f"GO, NOTES = {os.fspath(go)!r}, {os.fspath(notes)!r}\n{GIVES_WAY_IN_WORDS}"
    with batch.start(environment=KNOBS | altered(tmp_path / "polite", code)) as running:
        wait_until(lambda: record_of(batch, "a.png"))
        assert record_of(batch, "a.png").status == "ok"
        page.unlink()
        os.mkfifo(page)
        go.touch()
        with pen_for(page):
            (reader, first), (same, then) = map(str.split, notes.read_text().splitlines())
            assert (first, then, same) == ("idle", "19", reader)
            os.kill(int(reader), signal.SIGKILL)
            wait_until(lambda: int(reader) not in running.members())
        model.let_go.set()
        ended = running.finish()
        running.wait_until_nobody_is_left()
    assert ended.code == 0 and "Traceback" not in ended.err
    assert batch.statuses() == {"a.png": "ok", "b.png": "ok"} and len(server.requests) == 2


def test_a_ctrl_c_does_not_wait_for_it(held: tuple[Batch, ModelServer, Held]) -> None:
    batch, _, _ = held
    with batch.start(environment=KNOBS) as running:
        wait_until(lambda: idlers(running))
        running.signal_group(signal.SIGINT)
        ended = running.finish(SOON_S / 2)
        running.wait_until_nobody_is_left()
    assert (ended.code, "Traceback" in ended.err) == (130, False)
    assert batch.statuses() == {"a.png": "ok", "b.png": "left"}


def test_without_its_packages_the_pages_are_read_all_the_same(
    held: tuple[Batch, ModelServer, Held], tmp_path: Path
) -> None:
    """A message says so once."""
    batch, _, model = held
    model.let_go.set()
    for number in range(3):
        PICTURE.resize([side * 8 // 10 for side in PICTURE.size]).save(
            batch.input / f"c{number}.png"
        )
    ended = batch.run(environment=KNOBS | altered(tmp_path / "bare", WITHOUT_ENGINES))
    assert ended.code == 0
    assert ended.err.splitlines()[0] == (
        "no second reader while the pages are read: rapidocr is not installed here;"
        " make check has one"
    )
    assert ended.err.count("second reader") == 1
    assert {entry["reader"] for entry in batch.records} == {""}


@pytest.mark.parametrize(
    ("cores", "readers"), [(1, 0), (2, 1), (3, 1), (4, 2), (8, 4), (16, 4), (64, 4)]
)
def test_it_has_no_more_than_half_of_the_cores(cores: int, readers: int) -> None:
    assert readers_for(cores) == readers


LINES = [{"bbox": [1, 2, 3, 4], "text": "a"}]
FOUND: dict[str, Any] = {
    "status": "doubtful",
    "read_as": "ok",
    "trust": 0.1,
    "reader": "x",
    "reader_lines": LINES,
}


@pytest.mark.parametrize(
    ("page", "changes", "is_laid_on"),
    [
        ({}, {}, True),
        ({"finished_at": 2.5}, {}, False),
        ({"sha256": "t"}, {}, False),
        ({"status": "failed"}, {}, False),
        ({"status": "corrected"}, {}, False),
        ({"cells": 0}, {}, False),
        ({"reader": "y"}, {}, False),
        ({}, {"page": "../x", "input": "b.png", "model": "z"}, True),
        ({}, {"status": "corrected"}, False),
        ({}, {"status": 7}, False),
        ({}, {"reader_lines": LINES * 1001}, False),
        ({}, {"reader_lines": [{"bbox": [1, 2, 3, -4], "text": "a"}]}, False),
        ({}, {"reader_lines": []}, False),
        ({}, {"trust": 7}, True),
    ],
)
def test_what_was_found_elsewhere_is_laid_on_as_far_as_it_can_be(
    page: dict[str, Any], changes: dict[str, Any], is_laid_on: bool
) -> None:
    """It must belong to this reading, and only set what it may set, never the page itself."""
    facts: dict[str, Any] = {"sha256": "s", "finished_at": 1.5, "status": "ok", "cells": 3}
    before = Record("a/a", "a.png", None, **facts | page)
    entry = {"input": "a.png", "pdf_page": None, "sha256": "s", "finished_at": 1.5}
    checks = read_checks(json.dumps({**entry, "changes": FOUND | changes}))
    trust = None if "trust" in changes else 0.1
    after = [replace(before, **FOUND | {"trust": trust})] if is_laid_on else []
    assert [*doubted_elsewhere([before], checks)] == after
