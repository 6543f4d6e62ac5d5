#!/usr/bin/env python3
"""A fleet on this computer: how pages a second grow with the nodes, and what 100,000 pages cost.

Each simulated node is a Dask worker with a stub endpoint of its own that sleeps; so what is seen is
the scheduling, as long as the cores keep up. The pages grow with the nodes. Then as many pages as
wanted go through a fleet whose page function does nothing: tasks a second, and the client's memory.

With --mixed, cards of two speeds in one fleet instead: see mixed.py.
"""

from __future__ import annotations

import contextlib
import dataclasses
import json
import resource
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click

TESTS = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(TESTS), str(TESTS.parent / "vm_side")]

from batch import Prices, run_batch  # noqa: E402 - found by the line above
from bench import mixed  # noqa: E402 - so is this
from bench.client import MIB, serving  # noqa: E402 - so is this
from read_page import Settings, Task  # noqa: E402 - so is this
from rig.command import Batch  # noqa: E402 - so is this
from rig.fleet import FleetRig  # noqa: E402 - so is this
from rig.worker_functions import no_op_reader  # noqa: E402 - so is this
from server.endpoint import Model  # noqa: E402 - so is this
from workers.executor import Look, Results, every  # noqa: E402 - so is this
from workers.fleet import Fleet  # noqa: E402 - so is this
from workers.interrupt import Interrupt  # noqa: E402 - so is this

THREADS, LATENCY_S = 8, 4.0
PAGES_PER_NODE = 96


@dataclass(frozen=True)
class NoOp:
    """A batch of pages that take no time: its seconds, and the client's peak memory."""

    pages: int
    seconds: float
    client_peak_mib: float


@contextlib.contextmanager
def fleet_of(folder: Path, nodes: int) -> Iterator[FleetRig]:
    """Start so many nodes, each with its stub; yield the fleet when all are ready."""
    with contextlib.ExitStack() as stack:
        rig = stack.enter_context(FleetRig(folder))
        for _ in range(nodes):
            port = stack.enter_context(serving("--latency", str(LATENCY_S)))
            rig.add_node(THREADS, f"http://127.0.0.1:{port}", leaves=False)
        rig.wait_for(nodes)
        yield rig


def measure_scale(folder: Path, nodes: int) -> float:
    """The pages a second of one batch."""
    with fleet_of(folder / "fleet", nodes) as rig:
        batch = Batch(folder, "http://127.0.0.1:9")
        batch.write_pages(PAGES_PER_NODE * nodes)
        with batch.start("--scheduler", rig.url) as running:
            done = running.finish(600)
        if done.code:
            raise click.ClickException(done.err)
        return float(batch.summary["run"]["pages_per_second"])


class NoOpFleet(Fleet):
    """A fleet with a page function that does nothing, and without a server."""

    def call(self, function: Callable[..., Any], *arguments: Any) -> Any:
        """Return the model, whatever is asked."""
        return Model("none")

    def read(
        self,
        tasks: Sequence[Task],
        settings: Settings,
        interrupt: Interrupt,
        is_wanted: Callable[[Task], bool] = every,
        beside: Look = tuple,
    ) -> Results:
        """Like Fleet.read, but with the function that does nothing."""
        return self.run(tasks, no_op_reader, (settings,), interrupt)


def read_no_op(folder: Path, pages: int, nodes: int = 8) -> NoOp:
    """Read pages that take no time. This process is the client."""
    source, output = folder / "in", folder / "out"
    for number in range(pages):
        path = source / f"{number // 1000:03}" / f"page{number}.png"
        if number % 1000 == 0:
            path.parent.mkdir(parents=True)
        path.touch()
    settings = Settings(
        source, output, "", "", 0, "layout_all", 2_000_000, 0, "0", False, 60, 60, 0
    )
    with FleetRig(folder / "fleet") as rig:
        for _ in range(nodes):
            rig.add_node(THREADS, leaves=False)
        rig.wait_for(nodes)
        with NoOpFleet(rig.url, 60) as fleet:
            end = run_batch(settings, fleet, output, Prices())
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    return NoOp(end.totals["ok"], end.totals["run"]["seconds"], round(peak / MIB, 1))


@click.command(help=__doc__)
@click.option("--nodes", "counts", multiple=True, default=(1, 2, 4, 8), show_default=True)
@click.option("--rounds", default=5, show_default=True, help="Runs of each; medians are shown.")
@click.option("--no-op", "no_op", default=100_000, show_default=True, help="Pages that do nothing.")
@click.option("--only-no-op", is_flag=True, help="Nothing else, and print JSON.")
@click.option(
    "--mixed", "is_mixed", is_flag=True, help="Cards of two speeds in one fleet, instead."
)
@click.option("--pages", default=2_400, show_default=True, help="Pages of all four of --mixed.")
@click.option("--speedup", default=1.0, show_default=True, help="Of --mixed: an L4's seconds.")
def main(
    counts: tuple[int, ...],
    rounds: int,
    no_op: int,
    only_no_op: bool,
    is_mixed: bool,
    pages: int,
    speedup: float,
) -> None:
    if is_mixed:
        mixed.show(pages, speedup)
        return
    if only_no_op:
        with tempfile.TemporaryDirectory() as name:
            click.echo(json.dumps(dataclasses.asdict(read_no_op(Path(name), no_op))))
        return
    rates: dict[int, list[float]] = {count: [] for count in counts}
    for _ in range(rounds):
        for count, runs in rates.items():
            with tempfile.TemporaryDirectory() as name:
                runs.append(measure_scale(Path(name), count))
    ideal = THREADS / LATENCY_S
    click.echo(f"nodes of {THREADS} threads, an endpoint that takes {LATENCY_S:g} s; medians")
    click.echo("  nodes   pages/s   of the endpoints'   of linear")
    for count, runs in rates.items():
        each = [many / (count * one) for many, one in zip(runs, rates[counts[0]], strict=True)]
        rate, linear = statistics.median(runs), statistics.median(each) * counts[0]
        click.echo(f"{count:7} {rate:9.2f} {rate / (count * ideal):19.1%} {linear:11.1%}")
    command = [sys.executable, __file__, "--only-no-op", "--no-op", str(no_op)]
    said = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True).stdout
    done = NoOp(**json.loads(said))
    click.echo(
        f"{done.pages} pages that do nothing: {done.seconds:.0f} s,"
        f" {done.pages / done.seconds:.0f} pages/s, client's peak {done.client_peak_mib:.0f} MiB"
    )


if __name__ == "__main__":
    main()
