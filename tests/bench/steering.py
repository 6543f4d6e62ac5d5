#!/usr/bin/env python3
"""A whole run as discrete events: pages, cores, the door, the server and its cards, and the looks.

It decides by the very function that the client decides by, has no clock and no processes, and gives
the same figures each time: how soon the card is full, how many requests ever wait there, and how
near the run comes to that of a client that has all pages at the server from the start.
"""

from __future__ import annotations

import heapq
import itertools
import math
import random
import sys
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path

import click

TESTS = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(TESTS), str(TESTS.parent / "vm_side")]

from bench import l4  # noqa: E402 - found by the line above
from server import in_flight  # noqa: E402 - so is this
from server.in_flight import Load  # noqa: E402 - so is this

PICTURE = 2_519  # tokens of a picture of 2 million pixels
# tokens of an answer; SPREAD is of the logarithm
MEAN, SPREAD, SHORTEST, LONGEST = 1_260, 0.56, 200, 6_000
# spread of the logarithm: how far the order by bytes differs from the order by tokens
BYTES_TELL = 0.3

Then = Callable[[], None]


@dataclass(frozen=True)
class Client:
    """The computer beside the card: CPU seconds to start a worker, and before and after a page.

    `late_s` is the age of the metrics when they are read; None if there are none.
    """

    cores: int = 8
    start_s: float = 0.02
    draw_s: float = 0.12
    finish_s: float = 0.04
    late_s: float | None = 0.02
    bound: int = 256


@dataclass(frozen=True)
class Server:
    """The card, its places, and the work of vLLM before a request waits.

    `others` are requests of other clients, which are always there. Each of the `engines` has a
    card.
    """

    kind: l4.Kind = l4.L4
    places: int = 64
    receive_s: float = 0.08
    receivers: int = 2
    others: int = 0
    engines: int = 1


@dataclass(frozen=True)
class Run:
    """Seconds from the first request to the last answer, and until the places were full (inf).

    `overshoot` is the most of our requests that ever waited. `waiting` is their average after the
    places were full and while there were more pages. `in_hand` is the most pages that the client
    had at once. `tail_s` is the time after the last page began.
    """

    seconds: float
    fill_s: float
    overshoot: int
    waiting: float
    tail_s: float
    preemptions: int
    in_hand: int


def pages(count: int, seed: int = 7) -> list[l4.Job]:
    """Pages of 2 million pixels, the longest answers first, as far as their bytes tell."""
    rng = random.Random(seed)
    median = MEAN / math.exp(SPREAD**2 / 2)
    lengths = (int(median * math.exp(rng.gauss(0, SPREAD))) for _ in range(count))
    answers = [min(LONGEST, max(SHORTEST, length)) for length in lengths]
    answers.sort(key=lambda answer: -answer * math.exp(rng.gauss(0, BYTES_TELL)))
    return [l4.Job(PICTURE, answer) for answer in answers]


def perfect(jobs: list[l4.Job], server: Server) -> tuple[float, float]:
    """Seconds in all, and until full, of a client with all pages at the server from the start."""
    share = [l4.Job(job.picture, job.answer) for job in jobs[:: server.engines]]
    card = l4.Card(server.places, server.kind, waiting=deque(share))
    while card.waiting and len(card.running) < l4.FULL * server.places:
        card.step()
    return l4.seconds_for(share, server.places, server.kind), card.now_s


@dataclass(eq=False)
class Work(l4.Job):
    """A request; `is_ours` says whether it is the client's."""

    is_ours: bool = True


@dataclass
class Line:
    """A queue for so many hands (cores, for example); each does one piece of work at a time."""

    sim: Sim
    hands: int
    waiting: deque[tuple[float, Then]] = field(default_factory=deque)

    def put(self, seconds: float, then: Then) -> None:
        self.waiting.append((seconds, then))
        self._go_on()

    def _go_on(self) -> None:
        if self.waiting and self.hands:
            self.hands -= 1
            seconds, then = self.waiting.popleft()
            self.sim.after(seconds, partial(self._done, then))

    def _done(self, then: Then) -> None:
        self.hands += 1
        then()
        self._go_on()


class Engine:
    """One card, which does steps while it has requests."""

    def __init__(self, sim: Sim, server: Server) -> None:
        self.sim = sim
        self.card = l4.Card(server.places, server.kind)
        self.is_stepping = False
        self.load = Load(0, 0, 0.0, 0)
        """What vLLM's gauges say: it is as old as the end of the last step."""

    @property
    def requests(self) -> int:
        return len(self.card.waiting) + len(self.card.running)

    def take(self, work: Work) -> None:
        self.card.waiting.append(work)
        self.sim.see_waiting()
        if not self.is_stepping:
            self.step()

    def step(self) -> None:
        card = self.card
        self.is_stepping = bool(self.requests)
        if not self.is_stepping:
            return
        card.now_s = self.sim.now_s
        ended = card.step()
        used = card.cached / card.kind.kv_tokens
        load = Load(len(card.running), len(card.waiting), used, card.preemptions)
        if any(work.written == 1 for work in (*card.running, *ended)):
            self.sim.begun_s = card.now_s
        self.sim.see_waiting()
        self.sim.after(card.now_s - self.sim.now_s, partial(self._stepped, ended, load))

    def _stepped(self, ended: list[l4.Job], load: Load) -> None:
        self.load = load
        self.sim.see_gauges()
        for work in ended:
            assert isinstance(work, Work)
            self.sim.answered(work)
        self.step()


class Sim:
    """One run."""

    def __init__(self, jobs: list[l4.Job], client: Client, server: Server) -> None:
        self.client, self.server = client, server
        self.now_s, self._count = 0.0, itertools.count()
        self._events: list[tuple[float, int, Then]] = []
        self.cores, self.api = Line(self, client.cores), Line(self, server.receivers)
        self.engines = [Engine(self, server) for _ in range(server.engines)]
        self.gauges = deque([(-math.inf, Load(0, 0, 0.0, 0, server.engines))])
        self.left = deque(Work(job.picture, job.answer) for job in jobs)
        self.missing = len(jobs)
        self.outside: deque[Work] = deque()  # drawn, but not sent yet
        self.places = min(in_flight.QUEUE, client.bound)
        self.before: Load | None = None
        self.workers = self.idle = self.in_hand = self.inside = 0
        self.first_s = self.last_s = self.begun_s = math.nan
        self.full_s = math.inf
        self.overshoot = self.most_in_hand = 0
        self.waited: list[tuple[float, int]] = []

    def after(self, seconds: float, then: Then) -> None:
        heapq.heappush(self._events, (self.now_s + seconds, next(self._count), then))

    def run(self) -> Run:
        rng = random.Random(3)
        for _ in range(self.server.others):
            self.send(Work(PICTURE, rng.randint(SHORTEST, 2 * MEAN), is_ours=False))
        self.look()
        while self.missing:
            self.now_s, _, then = heapq.heappop(self._events)
            then()
        spans = [(b - a, waiting) for (a, waiting), (b, _) in itertools.pairwise(self.waited)]
        return Run(
            self.last_s - self.first_s,
            self.full_s - self.first_s,
            self.overshoot,
            sum(s * waiting for s, waiting in spans) / (sum(s for s, _ in spans) or 1.0),
            self.last_s - self.begun_s,
            sum(engine.card.preemptions for engine in self.engines),
            self.most_in_hand,
        )

    # The client

    def look(self) -> None:
        """Look at the metrics and set the places, as InFlight does."""
        if self.client.late_s is None:
            self.places = in_flight.START
        else:
            while len(self.gauges) > 1 and self.gauges[1][0] <= self.now_s - self.client.late_s:
                self.gauges.popleft()
            load = self.gauges[0][1]
            self.places = in_flight.next_places(
                self.places, self.inside, self.before or load, load, self.client.bound
            )
            self.before = load
        self.let_in()
        self.hand_out()
        self.after(in_flight.LOOK_S, self.look)

    def hand_out(self) -> None:
        """Give pages to workers, as the pool does."""
        limit = min(self.places + in_flight.AHEAD, self.client.bound)
        while self.workers < limit:
            self.workers += 1
            self.cores.put(self.client.start_s, self.free)
        while self.left and self.idle and self.in_hand < limit:
            self.idle -= 1
            self.in_hand += 1
            self.most_in_hand = max(self.most_in_hand, self.in_hand)
            self.cores.put(self.client.draw_s, partial(self.drawn, self.left.popleft()))

    def free(self) -> None:
        self.idle += 1
        self.hand_out()

    def drawn(self, work: Work) -> None:
        self.outside.append(work)
        self.let_in()

    def let_in(self) -> None:
        while self.outside and self.inside < self.places:
            self.inside += 1
            if math.isnan(self.first_s):
                self.first_s = self.now_s
            self.send(self.outside.popleft())

    def answered(self, work: Work) -> None:
        if not work.is_ours:
            self.send(Work(work.picture, work.answer, is_ours=False))
            return
        self.inside -= 1
        self.last_s = self.now_s
        self.let_in()
        self.cores.put(self.client.finish_s, self.finished)

    def finished(self) -> None:
        self.in_hand -= 1
        self.missing -= 1
        self.free()

    # The server

    def send(self, work: Work) -> None:
        self.api.put(self.server.receive_s, partial(self.received, work))

    def received(self, work: Work) -> None:
        min(self.engines, key=lambda engine: engine.requests).take(work)

    def see_gauges(self) -> None:
        loads = [engine.load for engine in self.engines]
        running, waiting = sum(x.running for x in loads), sum(x.waiting for x in loads)
        used, thrown_out = max(x.cache_use for x in loads), sum(x.preemptions for x in loads)
        self.gauges.append((self.now_s, Load(running, waiting, used, thrown_out, len(loads))))
        if math.isinf(self.full_s) and running >= l4.FULL * self.server.places * len(loads):
            self.full_s = self.now_s

    def see_waiting(self) -> None:
        """Record the true number of waiting requests, not the older one of the gauges."""
        queues = (engine.card.waiting for engine in self.engines)
        waiting = sum(isinstance(job, Work) and job.is_ours for queue in queues for job in queue)
        self.overshoot = max(self.overshoot, waiting)
        if math.isfinite(self.full_s) and self.left:
            self.waited.append((self.now_s, waiting))


QUICK = replace(l4.H200, picture_share=8 * l4.H200.picture_share)  # no card of today is so fast
CASES = {
    "L4, 64 places": (400, Client(), Server()),
    "L4, 256 places, which its cache has not": (600, Client(), Server(places=256)),
    "H200, 64 places": (400, Client(cores=16), Server(l4.H200)),
    "H200, 64 places, 2 cores": (400, Client(cores=2), Server(l4.H200)),
    "H200, 256 places": (1_200, Client(cores=16), Server(l4.H200, 256)),
    "H200, 256 places, 4 cores": (1_200, Client(cores=4), Server(l4.H200, 256)),
    "H200, 256 places, -p 512": (1_200, Client(cores=16, bound=512), Server(l4.H200, 256)),
    "4 H200, 64 places each": (1_600, Client(bound=512), Server(l4.H200, engines=4, receivers=8)),
    "H200, large pages (1.5 CPU-s)": (400, Client(cores=16, draw_s=1.5), Server(l4.H200)),
    "H200, metrics 1 s late": (400, Client(late_s=1.0), Server(l4.H200)),
    "8 times as quick, 64 places": (600, Client(cores=16), Server(QUICK, 64, 0.02)),
    "8 times as quick, 256 places": (1_500, Client(cores=16), Server(QUICK, 256, 0.02)),
    "H200, 30 requests of others": (400, Client(), Server(l4.H200, others=30)),
    "H200, 100 requests of others": (100, Client(), Server(l4.H200, others=100)),
    "H200, no metrics": (100, Client(late_s=None), Server(l4.H200)),
}


@click.command(help=__doc__)
def main() -> None:
    click.echo(f"{'':41}of perfect  fill s (perfect)  most waiting  then   tail s  thrown out")
    for name, (count, client, server) in CASES.items():
        jobs = pages(count)
        run, (seconds, fill_s) = Sim(jobs, client, server).run(), perfect(jobs, server)
        click.echo(
            f"{name:40}{seconds / run.seconds:>11.1%}{run.fill_s:>8.1f} ({fill_s:5.1f})"
            f"{run.overshoot:>15}{run.waiting:>9.1f}{run.tail_s:>8.1f}{run.preemptions:>8}"
        )


if __name__ == "__main__":
    main()
