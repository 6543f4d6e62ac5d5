"""A whole run as discrete events: pages, cores, the door, the server and its card, and the looks.

It decides by the very function that the client decides by, has no clock and no processes, and gives
the same figures each time: how soon the card is full, how many requests ever wait there, and how
near the run comes to that of a client that has all pages at the server from the start.
"""

from __future__ import annotations

import heapq
import math
import random
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field

from bench import l4
from server.in_flight import AHEAD, LOOK_S, QUEUE, START, Load, next_places

FULL = 0.97  # of the places is called full


@dataclass(frozen=True)
class Client:
    """The computer beside the card: CPU seconds of a worker's start, of a page before and after.

    late_s is the age of the metrics when they are read, None: there are none.
    """

    cores: int = 4
    start_s: float = 0.02
    draw_s: float = 0.12
    finish_s: float = 0.04
    late_s: float | None = 0.02
    bound: int = 256


@dataclass(frozen=True)
class Server:
    """The card, its places, and what vLLM does before a request waits; others' requests there."""

    kind: l4.Kind = l4.L4
    places: int = 64
    receive_s: float = 0.08
    receivers: int = 2
    others: int = 0


@dataclass(frozen=True)
class Run:
    """Seconds from the first request to the last answer; until the card was full; most waiting.

    waiting is what waited on average once it was full, tail_s what came after the last page began.
    """

    seconds: float
    fill_s: float
    overshoot: int
    waiting: float
    tail_s: float
    preemptions: int
    in_hand: int


def pages(count: int, seed: int = 7, spread: float = 0.56) -> list[l4.Job]:
    """Pages of 2 million pixels, the longest answers first, as far as their bytes tell."""
    rng = random.Random(seed)
    median = 1_260 / math.exp(spread**2 / 2)
    answers = [max(200, min(6_000, int(median * math.exp(rng.gauss(0, spread))))) for _ in range(count)]
    answers.sort(key=lambda answer: -answer * math.exp(rng.gauss(0, 0.3)))
    return [l4.Job(2_519, answer) for answer in answers]


@dataclass(eq=False)
class Work(l4.Job):
    """A request; is_ours: of the client, and not of others."""

    is_ours: bool = True


@dataclass
class Queue:
    """So many servers (cores, say) that take one piece of work after the other."""

    sim: Sim
    servers: int
    waiting: deque[tuple[float, Callable[[], None]]] = field(default_factory=deque)
    busy: int = 0

    def put(self, seconds: float, then: Callable[[], None]) -> None:
        self.waiting.append((seconds, then))
        self._next()

    def _next(self) -> None:
        while self.waiting and self.busy < self.servers:
            seconds, then = self.waiting.popleft()
            self.busy += 1
            self.sim.at(self.sim.now_s + seconds, lambda then=then: self._done(then))  # type: ignore[misc]

    def _done(self, then: Callable[[], None]) -> None:
        self.busy -= 1
        then()
        self._next()


class Sim:
    """One run."""

    def __init__(self, jobs: list[l4.Job], client: Client, server: Server) -> None:
        self.client, self.server = client, server
        self.now_s = 0.0
        self._events: list[tuple[float, int, Callable[[], None]]] = []
        self._count = 0
        self.left = deque(Work(job.picture, job.answer) for job in jobs)
        self.cores, self.api = Queue(self, client.cores), Queue(self, server.receivers)
        self.card = l4.Card(server.places, server.kind)
        self.is_stepping = False
        self.gauges: deque[tuple[float, Load]] = deque([(-math.inf, Load(0, 0, 0.0, 0))])
        self.seen: Load | None = None
        self.state = Steer(min(QUEUE, client.bound), client.bound)
        self.workers = self.idle = self.in_hand = self.inside = 0
        self.outside: deque[Work] = deque()
        self.unfinished = len(jobs)
        self.first_s = self.last_s = self.begun_s = math.nan
        self.full_s = math.inf
        self.overshoot = self.most_in_hand = 0
        self.waited: list[tuple[float, int]] = []

    def at(self, when_s: float, then: Callable[[], None]) -> None:
        self._count += 1
        heapq.heappush(self._events, (when_s, self._count, then))

    def run(self) -> Run:
        rng = random.Random(3)
        for _ in range(self.server.others):
            self.card.waiting.append(Work(2_519, rng.randint(200, 2_400), is_ours=False))
        self.step()
        self.look()
        while self.unfinished:
            self.now_s, _, then = heapq.heappop(self._events)
            then()
        weights = [(b - a, w) for (a, w), (b, _) in zip(self.waited, self.waited[1:], strict=False)]
        total_s = sum(seconds for seconds, _ in weights) or 1.0
        return Run(
            self.last_s - self.first_s,
            self.full_s - self.first_s,
            self.overshoot,
            sum(seconds * waiting for seconds, waiting in weights) / total_s,
            self.last_s - self.begun_s,
            self.card.preemptions,
            self.most_in_hand,
        )

    # The client

    def look(self) -> None:
        late_s = self.client.late_s
        if late_s is None:
            self.state = Steer(START, self.client.bound)
        else:
            while len(self.gauges) > 1 and self.gauges[1][0] <= self.now_s - late_s:
                self.gauges.popleft()
            load = self.gauges[0][1]
            self.state = steer(self.state, self.inside, self.seen or load, load, self.client.bound)
            self.seen = load
        self.let_in()
        self.hand_out()
        self.at(self.now_s + LOOK_S, self.look)

    def hand_out(self) -> None:
        limit = min(self.state.places + AHEAD, self.client.bound)
        while self.left and self.in_hand < limit:
            if not self.idle:
                while self.workers < limit:
                    self.workers += 1
                    self.cores.put(self.client.start_s, self.started)
                return
            self.idle -= 1
            self.in_hand += 1
            self.most_in_hand = max(self.most_in_hand, self.in_hand)
            work = self.left.popleft()
            self.cores.put(self.client.draw_s, lambda work=work: self.drawn(work))  # type: ignore[misc]

    def started(self) -> None:
        self.idle += 1
        self.hand_out()

    def drawn(self, work: Work) -> None:
        self.outside.append(work)
        self.let_in()

    def let_in(self) -> None:
        while self.outside and self.inside < self.state.places:
            self.inside += 1
            work = self.outside.popleft()
            if math.isnan(self.first_s):
                self.first_s = self.now_s
            self.api.put(self.server.receive_s, lambda work=work: self.received(work))  # type: ignore[misc]

    def answered(self) -> None:
        self.inside -= 1
        self.last_s = self.now_s
        self.let_in()
        self.cores.put(self.client.finish_s, self.finished)

    def finished(self) -> None:
        self.in_hand -= 1
        self.idle += 1
        self.unfinished -= 1
        self.hand_out()

    # The server

    def received(self, work: Work) -> None:
        self.card.waiting.append(work)
        self.count()
        if not self.is_stepping:
            self.step()

    def step(self) -> None:
        if not (self.card.waiting or self.card.running):
            return
        self.is_stepping = True
        self.card.now_s = self.now_s
        ended = self.card.step()
        self.count()
        card = self.card
        load = Load(
            len(card.running), len(card.waiting), card.cached / card.kind.kv_tokens, card.preemptions
        )
        if any(job.written == 1 for job in card.running):
            self.begun_s = card.now_s
        if math.isinf(self.full_s) and len(card.running) >= FULL * self.server.places:
            self.full_s = card.now_s
        self.at(card.now_s, lambda: self.stepped(ended, load))

    def stepped(self, ended: list[l4.Job], load: Load) -> None:
        """What vLLM's gauges say is as old as the end of its last step."""
        self.is_stepping = False
        self.gauges.append((self.now_s, load))
        for job in ended:
            assert isinstance(job, Work)
            if job.is_ours:
                self.answered()
            else:
                self.received_other(job)
        self.step()

    def received_other(self, job: Work) -> None:
        self.card.waiting.append(Work(job.picture, job.answer, is_ours=False))

    def count(self) -> None:
        waiting = len(self.card.waiting)
        if not math.isnan(self.first_s):
            self.overshoot = max(self.overshoot, waiting)
        if not math.isinf(self.full_s) and self.left:
            self.waited.append((self.now_s, waiting))


if __name__ == "__main__":
    pass
