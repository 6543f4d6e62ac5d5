"""How many pages to have in flight: enough that the server's next one always waits, and no more.

More would only wait there: each holds memory on both sides, and its time runs. The server's own
metrics tell which it is. What to do about them is decided in next_limit.
"""

import contextlib
import math
import threading
from dataclasses import dataclass
from types import TracebackType

from server.endpoint import Endpoint

START = 12  # until more is known; all that a server without metrics gets
QUEUE = 4  # requests that wait for a place in the batch: the next one is there at once
CACHE_FULL = 0.9  # share of the server's cache beyond which it soon has to throw pages out
LOOK_S = 1.0
RUNNING, WAITING = "vllm:num_requests_running", "vllm:num_requests_waiting"
CACHE_USE, PREEMPTIONS = "vllm:kv_cache_usage_perc", "vllm:num_preemptions_total"
OLD_NAMES = {"vllm:gpu_cache_usage_perc": CACHE_USE}  # before vLLM 0.11


@dataclass(frozen=True)
class Load:
    """What a server is busy with: requests in its batch, requests that wait, its cache.

    preemptions counts how often a request was thrown out of a full cache, since its start.
    """

    running: int
    waiting: int
    cache_use: float
    preemptions: int


def read_load(metrics: str) -> Load | None:
    """vLLM's /metrics -> the load, all its engines together; None if it does not stand there."""
    values: dict[str, list[float]] = {RUNNING: [], WAITING: [], CACHE_USE: [0.0], PREEMPTIONS: []}
    for line in metrics.split("\n"):
        name = line.partition(" ")[0].partition("{")[0]
        name = OLD_NAMES.get(name, name)
        if name in values:
            with contextlib.suppress(ValueError):
                value = float(line.rpartition(" ")[2])
                values[name].append(value if math.isfinite(value) else 0.0)
    if not values[RUNNING] or not values[WAITING]:
        return None
    running, waiting, preemptions = (
        int(sum(values[name])) for name in (RUNNING, WAITING, PREEMPTIONS)
    )
    return Load(running, waiting, max(values[CACHE_USE]), preemptions)


def next_limit(limit: int, before: Load, load: Load, bound: int) -> int:
    """The number of pages in flight from now on, after one look at the server and the one before.

    Twice what runs while nothing waits; what runs and a short queue once that is long; no new one
    while the cache overflows.
    """
    if load.preemptions > before.preemptions or load.cache_use > CACHE_FULL:
        limit = min(limit, load.running)
    elif load.waiting > QUEUE:
        limit = load.running + QUEUE
    elif load.waiting == 0:
        limit = max(limit, 2 * load.running)
    return min(max(limit, QUEUE), bound)


class InFlight:
    """The number of pages to have in flight, kept up to date by a thread; a context manager.

    bound is the most that it ever says.
    """

    def __init__(self, url: str, bound: int, api_key: str = "") -> None:
        self.bound = bound
        self._limit = min(START, bound)
        self._endpoint = Endpoint(url, 0, 0, 0, api_key)
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)

    def limit(self) -> int:
        """Pages to have in flight now."""
        return self._limit

    def _watch(self) -> None:
        before: Load | None = None
        while not self._over.wait(LOOK_S):
            load = read_load(self._endpoint.metrics())
            if load is not None:
                self._limit = next_limit(self._limit, before or load, load, self.bound)
                before = load
        self._endpoint.close()

    def __enter__(self) -> "InFlight":
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._over.set()  # and not waited for: a server that hangs must not hold up the end
