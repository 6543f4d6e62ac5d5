"""What runs on a node of a fleet: the page function next to the node's own model server.

A node is a `dask worker` with one thread for each page that it may have in flight at most. As on a
single machine, its own server's metrics say how many it has. The environment variable ENDPOINT
names its model server; API_KEY or API_KEY_FILE gives that server's key. LEAVE_FILE, if the node may
be sent away, is the file that tells its machine so.
"""

import atexit
import os
import threading
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, TypeVar

from distributed import get_worker
from distributed.scheduler import Scheduler

from contract import KEY, KEY_FILE, LEFT, key_from
from read_page import Settings, Task, make_reader
from results.manifest import Record
from server.in_flight import START, InFlight
from server.silence import Silence
from server.verdicts import ServerGone
from workers.child import Children
from workers.pool import Crash, where

R = TypeVar("R")

LIMIT = "pages_in_flight"  # the metric by which a node tells how many pages it may have


@dataclass(frozen=True)
class Job:
    """What a node needs to make its task function; the id distinguishes one batch from another."""

    id: str
    make_function: Callable[..., Callable[[Any], Any]]
    arguments: tuple[Any, ...]


@dataclass(frozen=True)
class Server:
    """A model server, as the threads of this node share it."""

    silence: Silence
    in_flight: InFlight


class Lost(Exception):
    """Raised by a function for a task that its node cannot do, but another one may."""


MADE = threading.local()
SHARED = threading.Lock()  # guards what all threads share; the first that needs it makes it
CHILDREN: dict[float, Children] = {}  # by their CPU time; usually there is one
SERVERS: dict[str, Server] = {}  # by their URL; usually one, too


def do_task(job: Job, task: Any) -> tuple[str, Any]:
    """Runs on a node: return (its address, the result); Lost as the result if it cannot do it."""
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
    """Return the page function of one thread of a node. It raises Lost if the server is gone."""
    settings = on_this_node(settings)
    server = server_of(settings)
    door = server.in_flight.door.passed
    read = make_reader(settings, children_of(settings), server.silence, door)

    def read_or_lose(task: Task) -> Record:
        record = read(task)
        if record.status == LEFT:
            raise Lost(record.reason)
        return record

    return read_or_lose


def children_of(settings: Settings) -> Children:
    """Return what computes for all threads of this node."""
    cpu_s = settings.page_timeout_s
    with SHARED:
        if cpu_s not in CHILDREN:
            CHILDREN[cpu_s] = Children(cpu_s, Path(get_worker().local_directory))
        return CHILDREN[cpu_s]


def server_of(settings: Settings) -> Server:
    """Return this node's server. From now on the node's heartbeats tell how many pages it takes."""
    url, worker = settings.endpoint, get_worker()
    with SHARED:
        if url not in SERVERS:
            until_the_end = ExitStack()
            atexit.register(until_the_end.close)
            folder = Path(worker.local_directory) / "door"
            in_flight = InFlight(url, worker.state.nthreads, folder, settings.api_key)
            SERVERS[url] = Server(Silence(), until_the_end.enter_context(in_flight))
        worker.metrics[LIMIT] = lambda _: SERVERS[url].in_flight.limit()
        return SERVERS[url]


def on_this_node(settings: Settings) -> Settings:
    """Return the settings with this node's own model server, and its key."""
    endpoint = os.environ.get("ENDPOINT") or settings.endpoint
    api_key = key_from(os.environ.get(KEY, ""), os.environ.get(KEY_FILE, ""))
    return replace(settings, endpoint=endpoint, api_key=api_key)


def call_on_node(function: Callable[..., R], arguments: tuple[Any, ...]) -> tuple[str, R | Lost]:
    """Runs on a node: return (address, result). Settings among the arguments become the node's own.

    The result is Lost if the function failed because the node's server is gone.
    """
    address = get_worker().address
    given = (on_this_node(a) if isinstance(a, Settings) else a for a in arguments)
    try:
        return address, function(*given)
    except Exception as error:
        if isinstance(error.__cause__, ServerGone):
            return address, Lost(str(error))
        raise


def look(dask_scheduler: Scheduler) -> dict[str, int]:
    """Runs on the scheduler: return how many pages each node may have; 0 if it takes none now."""
    return {
        address: min(node.metrics.get(LIMIT, START), node.nthreads)
        if node in dask_scheduler.running
        else 0
        for address, node in dask_scheduler.workers.items()
    }


async def remove(nodes: list[str], dask_scheduler: Scheduler) -> None:
    """Runs on the scheduler: end these nodes' workers; what they have in hand goes to others.

    This does not use retire_workers, which waits for other nodes to take over their data, and gives
    up if there is no other node.
    """
    for node in nodes:
        await dask_scheduler.remove_worker(node, stimulus_id="lost", expected=True)


def leave_file() -> str:
    """Runs on a node: return the file that tells its machine to leave; empty if it stays."""
    return os.environ.get("LEAVE_FILE", "")


def leave() -> None:
    """Runs on a node that is sent away: tell its machine why the worker ends."""
    Path(leave_file()).touch()
