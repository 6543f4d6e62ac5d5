#!/usr/bin/env python3
"""Pages a second on a simulated card, over the best possible: does it ever wait for the client?

400 pages of text of 2 million pixels go through process_all_images.py to gpu_sim.py, once with
what it finds best and once with -p 12, pair by pair; or once with and once without a second reader
on the cores that idle (--reader). Seconds are the card's, of how long its places take to fill, too;
waiting is the most requests that ever waited there. The pages are at the size the model sees, so
that two cores can keep up with a card that is faster than a real one: ten times an L4 (--speedup),
once an H200.
"""

from __future__ import annotations

import contextlib
import dataclasses
import json
import math
import random
import statistics
import subprocess
import sys
import tempfile
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import click
import pymupdf
from PIL import Image

TESTS = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(TESTS), str(TESTS.parent / "vm_side")]

from bench import l4  # noqa: E402 - found by the line above
from bench.gpu_sim import read  # noqa: E402 - so is this
from bench.steering import Server, perfect  # noqa: E402 - so is this
from results.manifest import load  # noqa: E402 - so is this
from rig.page_art import WORDS  # noqa: E402 - so is this

COMMAND = TESTS.parent / "vm_side" / "process_all_images.py"
SERVER = TESTS / "bench" / "gpu_sim.py"
WIDTH_PT, HEIGHT_PT, DPI = 588, 840, 144  # 1,176 x 1,680 pixels: 2,520 tokens
WORDS_MEDIAN, WORDS_SPREAD = 400, 0.56  # spread of the logarithm
PLAUSIBLE = {1: 0.053, 12: 0.34, 32: 0.48, 64: 0.55}  # pages/s on paper, at 1,250 tokens

COLUMNS = {
    "fill_s": "fill s",
    "overshoot": "waiting",
    "idle_s": "idle s",
    "tail_s": "tail s",
    "mean_running": "in batch",
    "preemptions": "thrown out",
    "lag_s": "sim late s",
    "read_twice": "read twice",
}

Trace = dict[str, float]


@dataclass(frozen=True)
class Result:
    """Pages/s of perfect clients, the runs' medians by name, and the ratios of their seconds.

    A perfect client sends all pages at once. `best` is for one that knows how long each answer will
    be, and so begins with the longest. `any_order` is for one that takes the pages as they come. A
    ratio is the other run's seconds over ours.
    """

    pages: int
    best: float
    any_order: float
    runs: dict[str, Trace]
    ratios: list[float]


@click.command(help=__doc__)
@click.option("--pages", "count", default=400, show_default=True)
@click.option("--pairs", default=5, show_default=True, help="Runs of each; medians are shown.")
@click.option("--card", type=click.Choice(list(l4.KINDS)), default="l4", show_default=True)
@click.option("--speedup", default=10.0, show_default=True, help="The card's seconds in one.")
@click.option("--max-num-seqs", default=64, show_default=True, help="The server's batch.")
@click.option("-p", "--processes", default=256, show_default=True, help="Against -p 12.")
@click.option("--reader", is_flag=True, help="Against WITNESS=ocr instead.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def main(
    count: int,
    pairs: int,
    card: str,
    speedup: float,
    max_num_seqs: int,
    processes: int,
    reader: bool,
    as_json: bool,
) -> None:
    kind = l4.KINDS[card]
    server = ["--port", "0", "--card", card]
    server += ["--max-num-seqs", str(max_num_seqs), "--speedup", str(speedup)]
    ours = ["-p", str(processes)]
    other = [*ours, "--witness", "ocr"] if reader else ["-p", "12"]
    options = {" ".join(given): given for given in (ours, other)}
    runs: dict[str, list[Trace]] = {name: [] for name in options}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name, "in")
        jobs = write_pages(folder, count)
        for pair in range(pairs):
            for number, (run, given) in enumerate(options.items()):
                output = Path(name, f"out-{number}-{pair}")
                runs[run].append(measure(folder, output, given, server))
    result = Result(
        pages=count,
        best=count / l4.best_possible_s(jobs, max_num_seqs, kind),
        any_order=count / l4.seconds_for(jobs, max_num_seqs, kind),
        runs={run: medians(traces, count) for run, traces in runs.items()},
        ratios=sorted(
            round(slow["seconds"] / fast["seconds"], 3)
            for fast, slow in zip(*runs.values(), strict=True)
        ),
    )
    if as_json:
        click.echo(json.dumps(dataclasses.asdict(result)))
        return
    if kind is l4.L4:
        click.echo("pages/s on paper, by pages in flight: " + by_number(PLAUSIBLE))
    modelled = {number: round(l4.pages_per_s(number, kind=kind), 3) for number in PLAUSIBLE}
    click.echo("the same of the card simulated here:  " + by_number(modelled))
    fill_s = perfect(jobs, Server(kind, max_num_seqs))[1]
    click.echo(f"a perfect client fills its {max_num_seqs} places in {fill_s:.1f} s")
    click.echo(f"{count} pages, {pairs} pairs, {speedup:g} times as fast as the card")
    click.echo(table(result))


def write_pages(folder: Path, count: int) -> list[l4.Job]:
    """Write pages, from a few lines to full of small type; return each as the card's job."""
    folder.mkdir()
    rng = random.Random(7)
    jobs = []
    for number in range(count):
        page = text_page(random_words(rng))
        page.save(folder / f"page{number}.png")
        jobs.append(read(page)[0])
    return jobs


def random_words(rng: random.Random) -> str:
    """The text of a page, sometimes a long one."""
    words = min(2_000, int(WORDS_MEDIAN * math.exp(rng.gauss(0, WORDS_SPREAD))))
    return " ".join(rng.choices(WORDS, k=words))


def text_page(text: str, dpi: int = DPI) -> Image.Image:
    """A gray page with this text at its top, in small type."""
    with pymupdf.open() as document:
        page = document.new_page(width=WIDTH_PT, height=HEIGHT_PT)
        page.insert_textbox((30, 30, WIDTH_PT - 30, HEIGHT_PT - 30), text, fontsize=6.5)
        pixmap = page.get_pixmap(dpi=dpi, colorspace=pymupdf.csGRAY, alpha=False)
    return Image.frombytes("L", (pixmap.width, pixmap.height), pixmap.samples)


def measure(folder: Path, output: Path, options: list[str], server: list[str]) -> Trace:
    """Read the pages once; return what the card did, and how many pages were read twice."""
    with serving(server) as url:
        command = [sys.executable, str(COMMAND), "--input", str(folder), "--output", str(output)]
        command += ["--endpoint", url, *options, "--json"]
        # the answers match a page only in length, so each page would be asked for again
        command += ["--retries", "0"]
        done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
        summary = json.loads(done.stdout)
        answered = summary["ok"] + summary["doubtful"]
        if answered != summary["pages"]:
            raise click.ClickException(f"only {answered} of {summary['pages']} pages were answered")
        with urllib.request.urlopen(f"{url}/trace") as answer:
            trace: Trace = json.load(answer)
    return trace | {"read_twice": sum(bool(record.reader) for record in load(output).values())}


@contextlib.contextmanager
def serving(options: list[str]) -> Iterator[str]:
    """Run the simulated card in a process of its own; yield its URL."""
    command = [sys.executable, str(SERVER), *options]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout is not None
        try:
            yield server.stdout.readline().strip()
        finally:
            server.terminate()


def medians(traces: list[Trace], count: int) -> Trace:
    """The median of each value over the runs."""
    values = {name: round(statistics.median(t[name] for t in traces), 2) for name in traces[0]}
    return values | {"pages_per_s": round(count / values["seconds"], 4)}


def by_number(rates: dict[int, float]) -> str:
    """The rates in one line."""
    return ", ".join(f"{number}: {rate}" for number, rate in rates.items())


def table(result: Result) -> str:
    """The result as a table for people."""
    lines = [
        f"{'':24}{'pages/s':>9}{'of best':>9}"
        + "".join(f"{name:>12}" for name in COLUMNS.values()),
        row("perfect, knows all", result.best, result),
        row("perfect, knows nothing", result.any_order, result),
    ]
    for name, run in result.runs.items():
        values = "".join(f"{run[column]:>12.1f}" for column in COLUMNS)
        lines.append(row(name, run["pages_per_s"], result) + values)
    other = list(result.runs)[1]
    lines.append(f"times {other}: median {statistics.median(result.ratios)} of {result.ratios}")
    return "\n".join(lines)


def row(name: str, rate: float, result: Result) -> str:
    """The first columns of a row."""
    return f"{name:24}{rate:>9.3f}{rate / result.best:>9.1%}"


if __name__ == "__main__":
    main()
