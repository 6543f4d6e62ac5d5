"""Cards of two speeds in one fleet, over the sum of what they read alone, for as long each.

Two simulated L4s beside two cards that are three times as quick and have room for half as many
pages more (gpu_sim.py). First on paper: the cards' arithmetic and the fleet's own choice of who
gets the next page, in no time. Then with real nodes. Seconds are the L4's.
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

MOST_IN_FLIGHT = 256  # as PROCESSES: each node finds its own number below it
DRAWN = 300  # pages that differ; they come again
PICTURE, ANSWER, SPREAD = 2_520, 1_000, 0.7  # tokens: of a picture, the median answer; of its log
GUESS_SPREAD = 0.5  # how well a page's bytes tell its length; of the logarithm


@dataclass(frozen=True)
class Kind:
    """A simulated card: times as quick as an L4, and how many pages it has room for."""

    name: str
    times: float
    slots: int

    @property
    def pages_per_s(self) -> float:
        """What it reads, by arithmetic."""
        return self.times * l4.pages_per_s(self.slots)


SLOW, QUICK = Kind("L4", 1.0, 64), Kind("three times as quick", 3.0, 96)
MIXED = (SLOW, SLOW, QUICK, QUICK)


def share_of(kind: Kind, pages: int) -> int:
    """How many of the pages it would read in a fleet of them all."""
    return round(pages * kind.pages_per_s / sum(each.pages_per_s for each in MIXED))


# ---- on paper ----


def some_jobs(count: int, seed: int = 7) -> list[Job]:
    """Pages as a batch gives them out: the longest first, as far as is known."""
    rng = random.Random(seed)
    answers = [ANSWER * math.exp(rng.gauss(0, SPREAD)) for _ in range(count)]
    answers.sort(key=lambda tokens: -tokens * math.exp(rng.gauss(0, GUESS_SPREAD)))
    return [Job(PICTURE, int(min(6_000, max(200, tokens)))) for tokens in answers]


def pages_per_s_on(kinds: Sequence[Kind], jobs: Sequence[Job]) -> float:
    """What these cards read together, if nothing takes time but they."""
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
    """What they read together, over the sum of what they read alone."""
    alone = {kind: pages_per_s_on([kind], some_jobs(share_of(kind, pages))) for kind in set(kinds)}
    return pages_per_s_on(kinds, some_jobs(pages)) / sum(alone[kind] for kind in kinds)


# ---- with real nodes ----


def read(folder: Path, kinds: Sequence[Kind], pages: int, speedup: float) -> list[gpu.Trace]:
    """Read so many of the folder's pages on these cards: what each of them did.

    pages_per_s is that of all together.
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
    """Each kind of card alone, for as long as all of them; then all of them."""
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
    """A card's row."""
    seconds = "".join(f"{trace[column] / kind.times:>8.1f}" for column in ("idle_s", "tail_s"))
    return f"{name:28}{rate:>9}{trace['answers']:>7.0f}{trace['mean_running']:>10.1f}{seconds}"
