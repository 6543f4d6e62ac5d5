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
from server import door as door_module
from server.door import Door
from workers.forkserver import start_forkserver

CONTEXT = multiprocessing.get_context("forkserver")


def go_in(door: Door, pipe: Connection) -> None:
    """Runs in a process: go in, and stay until told to leave."""
    with door.passed():
        pipe.send("inside")
        pipe.recv()
    pipe.send("outside")


class Guest:
    """A process that goes in as soon as it is allowed."""

    def __init__(self, door: Door) -> None:
        start_forkserver("server.door")  # like a batch: one for all tests of this process
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
    """A guest that has the only place."""
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
    """Guests inside stay; nobody else goes in until there are few enough."""
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
        assert came.wait(60)
        waiting.join()
    assert door.inside() == 0


def test_the_dead_take_no_place_however_quickly_others_follow(tmp_path: Path) -> None:
    """Each following guest waits too briefly to be the first that finds the dead by chance."""
    door = Door(tmp_path, 3)
    with Guest(door) as first, Guest(door) as second:
        for guest in (first, second):
            assert guest.pipe.recv() == "inside"
            guest.process.kill()
            guest.process.join()
    with door.passed(), door.passed():
        assert door.inside() == 2 and len(list(tmp_path.iterdir())) == 2


def test_a_folder_that_was_tidied_away_is_made_again(door: Door, tmp_path: Path) -> None:
    """A node of a fleet may be idle for longer than a system keeps files in /tmp."""
    tmp_path.rmdir()
    assert door.inside() == 0
    with door.passed():
        assert door.inside() == 1


def test_who_waits_at_a_full_door_hardly_computes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It opens the files of those inside now and then, but not at each look."""
    door = Door(tmp_path, 256)
    looks: list[Path] = []

    def seen(path: Path) -> bool:
        looks.append(path)
        return True

    monkeypatch.setattr(door_module, "is_locked", seen)
    with ExitStack() as all_of_them:
        for _ in range(256):
            all_of_them.enter_context(door.passed())
        came = threading.Event()
        waiting = threading.Thread(target=came_in, args=(door, came))
        waiting.start()
        wait_until(lambda: bool(looks))
        assert not came.wait(0.3) and len(looks) <= 2 * 256  # and not 15 times as many
        door.open_for(257)
        waiting.join()


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
