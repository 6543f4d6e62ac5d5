"""How many pages to have in flight: enough that the server's next one always waits, and no more.

More would only wait there: each holds memory on both sides, and its time runs. The server's own
metrics tell how many wait. next_places decides what to do about them. tests/bench/steering.py shows
that this works, and how much is lost by it.
"""

import contextlib
import shutil
import threading
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType

from server.door import Door
from server.endpoint import Endpoint

START = 12  # requests at a server without metrics
QUEUE = 8  # requests that wait for a place in the batch, so that the next one is there at once
AHEAD = 8  # pages that are prepared for the server, or are just being prepared
CACHE_HIGH = 0.65  # share of the server's cache; beyond it, those that run are enough: they grow
CACHE_FULL = 0.9  # beyond this, the server soon has to throw pages out
LOOK_S = 0.25
MOST = 1e12  # a server's number above this, or below 0, is wrong, and counts as 0
RUNNING, WAITING = "vllm:num_requests_running", "vllm:num_requests_waiting"
CACHE_USE, PREEMPTIONS = "vllm:kv_cache_usage_perc", "vllm:num_preemptions_total"
TOKENS = "vllm:generation_tokens_total"
OLD_NAMES = {"vllm:gpu_cache_usage_perc": CACHE_USE}  # the name before vLLM 0.11


@dataclass(frozen=True)
class Load:
    """What a server is busy with: requests in its batch, requests that wait, its cache.

    preemptions counts how often a request was thrown out of a full cache, since the server's start.
    engines is how many share its work; each has a batch and a queue of its own.
    """

    running: int
    waiting: int
    cache_use: float
    preemptions: int
    engines: int = 1


def read_load(metrics: str) -> Load | None:
    """Read the load from vLLM's /metrics, of all engines together; None if it is not there."""
    values: dict[str, list[float]] = {RUNNING: [], WAITING: [], CACHE_USE: [0.0], PREEMPTIONS: []}
    for line in metrics.split("\n"):
        name = line.partition(" ")[0].partition("{")[0]
        name = OLD_NAMES.get(name, name)
        if name in values:
            with contextlib.suppress(ValueError):
                value = float(line.rpartition(" ")[2])
                values[name].append(value if 0 <= value <= MOST else 0.0)
    if not values[RUNNING] or not values[WAITING]:
        return None
    running, waiting, preemptions = (
        int(sum(values[name])) for name in (RUNNING, WAITING, PREEMPTIONS)
    )
    return Load(running, waiting, max(values[CACHE_USE]), preemptions, len(values[RUNNING]))


def engines_in(metrics: str) -> int:
    """Return how many engines a server has; 1 if it does not say.

    Each engine counts its tokens from its start on. Its other lines come with its first request.
    """
    return max(1, sum(line.startswith(f"{TOKENS}{{") for line in metrics.split("\n")))


def next_places(places: int, inside: int, before: Load, load: Load, bound: int) -> int:
    """Return how many requests of ours may be at the server from now on, after a look at it.

    places is how many were allowed so far, inside how many are there. The result is what runs and a
    short queue, less if others' requests wait, too. It is no more than so far while the cache is
    high, and lets no new one in while the cache overflows. A look may be old, because a server
    counts once a step, and a step that reads pictures takes seconds. For our own requests, the
    count of what ran is then too low, so the queue never gets longer. For others' requests nobody
    knows, so there is no more for us until the count is new.
    """
    queue = QUEUE * load.engines
    wanted = min(load.running + queue, inside + queue - load.waiting)
    if load == before:
        wanted = min(wanted, max(places, queue))
    if load.preemptions > before.preemptions or load.cache_use > CACHE_FULL:
        wanted = min(wanted, places, load.running)
    elif load.cache_use > CACHE_HIGH:
        wanted = min(wanted, places)
    return min(max(wanted, QUEUE), bound)


class InFlight:
    """The number of pages to have in flight, kept up to date by a thread; a context manager.

    bound is the most that it ever says. Send requests only in a block of door.passed(). folder is
    the door's: it is removed in the end. If this batch is killed before, the next one finds it.
    """

    def __init__(self, url: str, bound: int, folder: Path, api_key: str = "") -> None:
        self.bound = bound
        self._places = min(QUEUE, bound)
        self._folder = folder
        self.door = Door(folder, self._places)
        self._endpoint = Endpoint(url, 0, 0, 0, api_key)
        self._lock = threading.Lock()
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)

    def limit(self) -> int:
        """Return how many pages to have in hand now: at the server, and prepared for it."""
        return min(self._places + AHEAD, self.bound)

    def _watch(self) -> None:
        before: Load | None = None
        while not self._over.is_set():
            load = read_load(self._endpoint.metrics())
            with self._lock:
                if not self._over.is_set():
                    self._take(before or load, load)
            before = load or before
            self._over.wait(LOOK_S)
        self._endpoint.close()

    def _take(self, before: Load | None, load: Load | None) -> None:
        if before is None:
            self._places = min(START, self.bound)
        elif load is not None:
            inside = self.door.inside()
            self._places = next_places(self._places, inside, before, load, self.bound)
        self.door.open_for(self._places)

    def __enter__(self) -> "InFlight":
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        with self._lock:  # no join(): a server that hangs must not hold up the end
            self._over.set()
            shutil.rmtree(self._folder, ignore_errors=True)  # somebody inside may just be leaving
