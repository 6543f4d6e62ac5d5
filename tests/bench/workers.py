#!/usr/bin/env python3
"""What a worker costs beside its pages, in CPU time: its start, and what it loads and makes once.

The command reads tiny pages, one worker for each, against a stub that answers late enough for all
to be in flight; then the same pages with one worker. The difference is that of the other workers.
"""

import json
import shutil
import sys
import tempfile
from pathlib import Path

import click

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from bench import measure
from bench.client import COMMAND, serving, stats
from rig import pages

ALL_THERE = 0.9  # share of the workers, on average over the middle half of the time


def cpu_s(folder: Path, port: int, workers: int) -> float:
    """CPU seconds for reading a folder of pages."""
    output = folder.with_name("output")
    command = [sys.executable, str(COMMAND), "--input", str(folder), "--output", str(output)]
    command += ["--endpoint", f"http://127.0.0.1:{port}", "-p", str(workers), "--images"]
    command += ["--retries", "0"]  # the stub's layout fits no page
    cost = measure.run(command, "", output.with_suffix(".log"))
    shutil.rmtree(output)
    return cost.cpu_s


def cost_of_one(workers: int, latency_s: float, scratch: Path) -> float:
    """CPU seconds of each worker after the first."""
    folder = scratch / f"pages{workers}"
    folder.mkdir()
    for number in range(workers):
        pages.tiny(number + 1).save(folder / f"{number}.png")
    with serving() as port:
        alone = cpu_s(folder, port, 1)
    with serving("--latency", str(latency_s)) as port:
        stats(port)
        together = cpu_s(folder, port, workers)
        in_flight = stats(port)["in_flight"]
    if in_flight < ALL_THERE * workers:
        raise click.ClickException(f"{in_flight:.0f} of {workers} in flight: --latency is too low")
    return (together - alone) / (workers - 1)


@click.command(help=__doc__)
@click.option("--workers", "counts", multiple=True, default=(64, 256), show_default=True, type=int)
@click.option("--latency", default=30.0, show_default=True, help="Seconds from request to answer.")
def main(counts: tuple[int, ...], latency: float) -> None:
    measure.adopt_orphans()
    with tempfile.TemporaryDirectory() as scratch:
        costs = {count: cost_of_one(count, latency, Path(scratch)) for count in counts}
    click.echo(json.dumps({"cpu_s_per_worker": costs}))


if __name__ == "__main__":
    main()
