"""What runs on a node of a fleet: the page function beside the node's own model server.

A node is a `dask worker` with as many threads as it has pages in flight; its variable ENDPOINT
names its model server, API_KEY or API_KEY_FILE that server's key. LEAVE_FILE, if it may be sent
away, is the file that tells its machine so.
"""

import os
import threading
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, TypeVar

from distributed import get_worker
from distributed.scheduler import Scheduler

from contract import KEY, KEY_FILE, LEFT, key_from
from read_page import Settings, Task, make_reader
from results.manifest import Record
from server.silence import Silence
from server.verdicts import ServerGone
from workers.child import Child
from workers.pool import Crash, where

R = TypeVar("R")

CHILDREN: dict[float, Child] = {}  # of this node, by their CPU time: one, that is
SILENCES: dict[str, Silence] = {}  # by their server's URL: one, too


@dataclass(frozen=True)
class Job:
    """What a node needs to make its function of a task; the id tells one batch from another."""

    id: str
    make_function: Callable[..., Callable[[Any], Any]]
    arguments: tuple[Any, ...]


class Lost(Exception):
    """Raised by a function for a task that its node cannot do, but another one may."""


MADE = threading.local()


def do_task(job: Job, task: Any) -> tuple[str, Any]:
    """Runs on a node: (the node's address, the result); Lost in its place if the node is no use."""
    address = get_worker().address
    try:
        if getattr(MADE, "job", "") != job.id:
            MADE.function, MADE.job = job.make_function(*job.arguments), job.id
        return address, MADE.function(task)
    except Lost as error:
        return address, error
    except Exception as error:  # noqa: BLE001 - a fault of ours must not stop the batch
        return address, Crash(where(error))


def make_node_reader(settings: Settings) -> Callable[[Task], Record]:
    """The page function of one thread of a node. It raises Lost when the node's server is gone."""
    settings = on_this_node(settings)
    cpu_s = settings.page_timeout_s
    child = CHILDREN.setdefault(cpu_s, Child(cpu_s))
    read = make_reader(settings, child, SILENCES.setdefault(settings.endpoint, Silence()))

    def read_or_lose(task: Task) -> Record:
        record = read(task)
        if record.status == LEFT:
            raise Lost(record.reason)
        return record

    return read_or_lose


def on_this_node(settings: Settings) -> Settings:
    """The settings with this node's own model server, and its key."""
    endpoint = os.environ.get("ENDPOINT") or settings.endpoint
    api_key = key_from(os.environ.get(KEY, ""), os.environ.get(KEY_FILE, ""))
    return replace(settings, endpoint=endpoint, api_key=api_key)


def call_on_node(function: Callable[..., R], arguments: tuple[Any, ...]) -> tuple[str, R | Lost]:
    """Runs on a node, with its settings in place of those among the arguments: (address, result).

    Lost comes in the result's place if the function failed since the node's server is gone.
    """
    address = get_worker().address
    given = (on_this_node(a) if isinstance(a, Settings) else a for a in arguments)
    try:
        return address, function(*given)
    except Exception as error:
        if isinstance(error.__cause__, ServerGone):
            return address, Lost(str(error))
        raise


async def remove(nodes: list[str], dask_scheduler: Scheduler) -> None:
    """Runs on the scheduler: end these nodes' workers; what they have in hand goes to others.

    Not by retire_workers, which waits for somebody to take what they know, and gives up if nobody
    is there.
    """
    for node in nodes:
        await dask_scheduler.remove_worker(node, stimulus_id="lost", expected=True)


def leave_file() -> str:
    """Runs on a node: the file that tells its machine to leave; empty if it stays."""
    return os.environ.get("LEAVE_FILE", "")


def leave() -> None:
    """Runs on a node that is sent away: its machine will know why the worker ends."""
    Path(leave_file()).touch()
