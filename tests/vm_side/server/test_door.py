"""The door of a model server, between real processes and between threads."""

from __future__ import annotations

import multiprocessing
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack
from multiprocessing.connection import Connection
from pathlib import Path

import pytest

from rig.command import wait_until
from server.door import Door

CONTEXT = multiprocessing.get_context("forkserver")


def go_in(door: Door, pipe: Connection) -> None:
    """Runs in a process: be inside until told."""
    with door.passed():
        pipe.send("inside")
        pipe.recv()
    pipe.send("outside")


class Guest:
    """A process that goes in as soon as it may."""

    def __init__(self, door: Door) -> None:
        self.pipe, theirs = CONTEXT.Pipe()
        self.process = CONTEXT.Process(target=go_in, args=(door, theirs))
        self.process.start()

    def leave(self) -> None:
        self.pipe.send("leave")
        assert self.pipe.recv() == "outside"

    def __enter__(self) -> Guest:
        return self

    def __exit__(self, *error: object) -> None:
        self.process.kill()
        self.process.join()
        self.pipe.close()


@pytest.fixture
def door(tmp_path: Path) -> Door:
    return Door(tmp_path, 1)


@pytest.fixture
def inside(door: Door) -> Iterator[Guest]:
    """Who has the only place."""
    with Guest(door) as guest:
        assert guest.pipe.recv() == "inside"
        yield guest


def test_who_leaves_makes_room(door: Door, inside: Guest) -> None:
    with Guest(door) as second:
        assert not second.pipe.poll(0.3) and door.inside() == 1
        inside.leave()
        assert second.pipe.recv() == "inside"
        assert door.inside() == 1


def test_a_process_that_is_killed_leaves_no_place_taken(door: Door, inside: Guest) -> None:
    with Guest(door) as second:
        inside.process.kill()
        assert second.pipe.recv() == "inside"
        wait_until(lambda: door.inside() == 1)


def test_who_is_killed_while_it_waits_holds_nobody_up(door: Door, inside: Guest) -> None:
    with Guest(door) as second, Guest(door) as third:
        assert not second.pipe.poll(0.3)
        second.process.kill()
        inside.leave()
        assert third.pipe.recv() == "inside"


def test_it_may_open_and_close_while_some_are_inside(door: Door) -> None:
    """Those who are there stay; nobody follows until there are few enough."""
    door.open_for(3)
    with ExitStack() as three:
        for _ in range(3):
            three.enter_context(door.passed())
        came = threading.Event()
        waiting = threading.Thread(target=lambda: came_in(door, came))
        waiting.start()
        assert not came.wait(0.2)
        door.open_for(2)
        assert not came.wait(0.2) and door.inside() == 3
        door.open_for(4)
        assert came.wait(5)
        waiting.join()
    assert door.inside() == 0


def came_in(door: Door, came: threading.Event) -> None:
    with door.passed():
        came.set()


def test_nobody_ever_finds_more_inside_than_may_be(door: Door) -> None:
    door.open_for(3)
    seen: list[int] = []

    def pass_often() -> None:
        for _ in range(10):
            with door.passed():
                time.sleep(0.01)
                seen.append(door.inside())

    threads = [threading.Thread(target=pass_often) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(seen) == 80 and max(seen) == 3
