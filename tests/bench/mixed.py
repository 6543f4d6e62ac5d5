"""Cards of two speeds in one fleet, compared with the sum of what they read alone.

Each reads for the same time. The fleet has two simulated L4s and two cards that are three times as
fast and hold half as many pages again (gpu_sim.py). First on paper: the cards' arithmetic and the
fleet's own choice of the next node, which take no time. Then with real nodes. Seconds are the L4's.
"""

from __future__ import annotations

import contextlib
import json
import math
import os
import random
import tempfile
import urllib.request
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import click

from bench import gpu, l4
from bench.l4 import Card, Job
from rig.command import Batch
from rig.fleet import FleetRig
from server.in_flight import AHEAD, QUEUE
from workers.shares import Share, next_node

MOST_IN_FLIGHT = 256  # as PROCESSES: each node finds its own number below this
DRAWN = 300  # different pages; they are repeated
# tokens of a picture, tokens of the median answer, spread of its logarithm
PICTURE, ANSWER, SPREAD = 2_520, 1_000, 0.7
GUESS_SPREAD = 0.5  # error of the length that a page's bytes suggest; spread of the logarithm


@dataclass(frozen=True)
class Kind:
    """A simulated card: its speed as a multiple of an L4's, and the pages that it can hold."""

    name: str
    times: float
    slots: int

    @property
    def pages_per_s(self) -> float:
        """Its rate, by arithmetic."""
        return self.times * l4.pages_per_s(self.slots)


SLOW, QUICK = Kind("L4", 1.0, 64), Kind("three times as quick", 3.0, 96)
MIXED = (SLOW, SLOW, QUICK, QUICK)


def share_of(kind: Kind, pages: int) -> int:
    """How many of the pages it would read in a fleet of all four."""
    return round(pages * kind.pages_per_s / sum(each.pages_per_s for each in MIXED))


# ---- on paper ----


def some_jobs(count: int, seed: int = 7) -> list[Job]:
    """Pages in a batch's order: the longest first, as far as the batch can know."""
    rng = random.Random(seed)
    answers = [ANSWER * math.exp(rng.gauss(0, SPREAD)) for _ in range(count)]
    answers.sort(key=lambda tokens: -tokens * math.exp(rng.gauss(0, GUESS_SPREAD)))
    return [Job(PICTURE, int(min(6_000, max(200, tokens)))) for tokens in answers]


def pages_per_s_on(kinds: Sequence[Kind], jobs: Sequence[Job]) -> float:
    """The rate of these cards together, if only they take time."""
    names = [str(number) for number in range(len(kinds))]
    shares = {
        name: Share(kind.slots + QUEUE + AHEAD) for name, kind in zip(names, kinds, strict=True)
    }
    cards = {name: Card(kind.slots) for name, kind in zip(names, kinds, strict=True)}
    times = dict(zip(names, (kind.times for kind in kinds), strict=True))
    clock_s = dict.fromkeys(names, 0.0)
    waiting, since_s = deque(jobs), dict[int, float]()

    def give(now_s: float) -> None:
        while waiting and (name := next_node(shares, len(waiting), now_s)):
            job, card = waiting.popleft(), cards[name]
            if not (card.running or card.waiting):
                clock_s[name] = max(clock_s[name], now_s)
            shares[name].take(now_s)
            card.waiting.append(job)
            since_s[id(job)] = now_s

    give(0.0)
    while busy := [name for name in names if cards[name].running or cards[name].waiting]:
        name = min(busy, key=clock_s.__getitem__)
        before_s = cards[name].now_s
        ended = cards[name].step()
        clock_s[name] += (cards[name].now_s - before_s) / times[name]
        for job in ended:
            shares[name].end(clock_s[name] - since_s[id(job)], clock_s[name])
        if ended:
            give(clock_s[name])
    return len(jobs) / max(clock_s.values())


def of_sum(kinds: Sequence[Kind], pages: int) -> float:
    """The rate of the cards together, over the sum of their rates alone."""
    alone = {kind: pages_per_s_on([kind], some_jobs(share_of(kind, pages))) for kind in set(kinds)}
    return pages_per_s_on(kinds, some_jobs(pages)) / sum(alone[kind] for kind in kinds)


# ---- with real nodes ----


def read(folder: Path, kinds: Sequence[Kind], pages: int, speedup: float) -> list[gpu.Trace]:
    """Read so many of the folder's pages on these cards; return what each card did.

    `pages_per_s` is the rate of all cards together.
    """
    with contextlib.ExitStack() as stack, tempfile.TemporaryDirectory(dir=folder) as name:
        batch = Batch(Path(name), "http://127.0.0.1:9")
        batch.input.mkdir()
        for number in range(pages):
            page = folder / "in" / f"page{number % DRAWN}.png"
            os.link(page, batch.input / f"page{number}.png")
        rig = stack.enter_context(FleetRig(Path(name, "fleet")))
        urls = []
        for kind in kinds:
            quick = ("--speedup", str(kind.times * speedup), "--max-num-seqs", str(kind.slots))
            urls.append(stack.enter_context(gpu.serving(["--port", "0", *quick])))
            rig.add_node(MOST_IN_FLIGHT, urls[-1], leaves=False)
        rig.wait_for(len(kinds))
        with batch.start("--scheduler", rig.url, "--retries", "0") as running:
            done = running.finish(7200)
        if done.code:
            raise click.ClickException(done.err)
        traces = []
        for url in urls:
            with urllib.request.urlopen(f"{url}/trace") as answer:
                traces.append(json.load(answer))
        seconds = batch.summary["run"]["seconds"] * speedup
    return [trace | {"pages_per_s": pages / seconds} for trace in traces]


def show(pages: int, speedup: float) -> None:
    """Show each kind of card alone, for as long as all of them; then all of them."""
    click.echo(f"on paper: {of_sum(MIXED, pages):.1%} of the sum")
    alone = {}
    with tempfile.TemporaryDirectory() as name:
        gpu.write_pages(Path(name, "in"), min(pages, DRAWN))
        click.echo(f"{'':28}{'pages/s':>9}{'pages':>7}{'in batch':>10}{'idle s':>8}{'tail s':>8}")
        for kind in (SLOW, QUICK):
            (trace,) = read(Path(name), [kind], share_of(kind, pages), speedup)
            alone[kind] = trace["pages_per_s"]
            click.echo(row(f"{kind.name}, alone", trace, kind, f"{alone[kind]:.3f}"))
        traces = read(Path(name), MIXED, pages, speedup)
    for kind, trace in zip(MIXED, traces, strict=True):
        click.echo(row(f"{kind.name}, of four", trace, kind))
    rate, best = traces[0]["pages_per_s"], sum(alone[kind] for kind in MIXED)
    click.echo(f"{'all four':28}{rate:>9.3f}: {rate / best:.1%} of the sum, {best:.3f}")


def row(name: str, trace: gpu.Trace, kind: Kind, rate: str = "") -> str:
    """The row of a card."""
    seconds = "".join(f"{trace[column] / kind.times:>8.1f}" for column in ("idle_s", "tail_s"))
    return f"{name:28}{rate:>9}{trace['answers']:>7.0f}{trace['mean_running']:>10.1f}{seconds}"
