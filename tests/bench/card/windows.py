"""When a run is in its steady state, when it has been measured enough, and its row.

May import: bench.card.looks.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from bench.card.looks import Look

FULL = 0.9  # share of the largest batch


@dataclass(frozen=True)
class Row:
    """What a run reached in its steady state: rates a second, means, CPU.

    A page is a request: with the real weights our client asks again about some pages. `steady_s`:
    seconds from the first page to the steady state. `gpu_percent` is None if there was no card.
    """

    name: str
    window_s: float
    begun: float
    ended: float
    tokens: float
    running: float
    waiting: float
    most_waiting: float
    steady_s: float
    client_cpu_s: float
    """CPU seconds for each page."""
    api_cores: float
    engine_cores: float
    gpu_percent: float | None

    @property
    def pages_per_s(self) -> float:
        """The mean of the rates of begun and of ended pages, which differ in a short window."""
        return (self.begun + self.ended) / 2


def steady_at(looks: Sequence[Look]) -> int | None:
    """The index of the first look in the steady state; None if there is none yet.

    A batch that is full of pages is not enough. At first the card only reads their pictures, 256 in
    half a minute; after that it writes answers and reads no picture. So the batch must be full of
    answers that are being written, and one answer must have ended.
    """
    most = max((look.running for look in looks), default=0.0)
    for at, look in enumerate(looks):
        begun, ended = look.begun - looks[0].begun, look.ended - looks[0].ended
        if most and ended and begun - ended >= FULL * most:
            return at
    return None


def is_seen(looks: Sequence[Look], window_s: float) -> bool:
    """Whether the steady state has lasted for `window_s` seconds."""
    at = steady_at(looks)
    return at is not None and looks[-1].t - looks[at].t >= window_s


def row_of(name: str, looks: Sequence[Look]) -> Row | None:
    """The row of a run; None if there was no steady state, or only one look at it."""
    at = steady_at(looks)
    if at is None or len(looks) < at + 2:
        return None
    first, last, seen = looks[at], looks[-1], looks[at:]
    took = last.t - first.t
    began = next(look.t for look in looks if look.running or look.waiting)
    pages = (last.begun - first.begun + last.ended - first.ended) / 2
    cpu_s = {part: last.cpu_s[part] - first.cpu_s[part] for part in last.cpu_s}
    return Row(
        name=name,
        window_s=took,
        begun=(last.begun - first.begun) / took,
        ended=(last.ended - first.ended) / took,
        tokens=(last.tokens - first.tokens) / took,
        running=over_time(seen, "running"),
        waiting=over_time(seen, "waiting"),
        most_waiting=max(look.waiting for look in looks),
        steady_s=first.t - began,
        client_cpu_s=cpu_s["client"] / pages if pages else 0.0,
        api_cores=cpu_s["api"] / took,
        engine_cores=cpu_s["engine"] / took,
        gpu_percent=mean_of([look.cards.gpu_percent for look in seen]),
    )


def over_time(looks: Sequence[Look], gauge: str) -> float:
    """The mean of a gauge: each look counts until the next one, and the last does not count."""
    parts = [getattr(one, gauge) * (other.t - one.t) for one, other in pairwise(looks)]
    return float(sum(parts)) / (looks[-1].t - looks[0].t)


def mean_of(values: Sequence[float | None]) -> float | None:
    """The mean of the known values; None if none is known."""
    told = [value for value in values if value is not None]
    return sum(told) / len(told) if told else None
