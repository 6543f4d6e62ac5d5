#!/usr/bin/env python3
"""This project's client beside dots.ocr's own: the same pages, the same endpoint, in turn.

Both enlarge pictures of at most 1.2 megapixels only, send at most 2,000,000 pixels, draw the boxes
and write the Markdown; first it is checked that they send the same pixels. Then come, in turn of
the two: the CPU time of the whole process tree, start included, one page after another (cpu);
pages a second at no latency, 16 at once (rate); and, with 64 slots at a latency of 5 s, the pages
in flight and the peak memory of all processes together (late). Medians of the rounds are shown.
The endpoint is a stub in a process of its own, on the same cores. With --before, what stands in the
reference's place is another checkout of this project: what does a change cost?
"""

import functools
import json
import os
import platform
import shutil
import statistics
import subprocess
import sys
import tempfile
import urllib.request
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click
from PIL import Image

TESTS = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(TESTS))

from bench import measure  # noqa: E402 - found by the line above
from rig import pages  # noqa: E402 - so is this

ROOT = TESTS.parent
COMMAND = ROOT / "vm_side" / "process_all_images.py"
REFERENCE = TESTS / "bench" / "reference.py"
STUB = TESTS / "bench" / "stub.py"
REFERENCE_PYTHON = ROOT / ".venv-parity" / "bin" / "python"
MAX_PIXELS, UPSAMPLE_BELOW = 2_000_000, 1_200_000
ANSWER_TOKENS = 16_384  # what their client asks for; ours too, limited by the model's context
RATE_SLOTS, LATENCY_SLOTS, LATENCY_S = 16, 64, 5.0
NOISE_PAGES = 8  # they are slow to make, so they are repeated
QUICK = (10, 64, 1)
MIB = 1 << 20


@dataclass(frozen=True)
class Kind:
    """One kind of pages: `page` makes a page as a picture; without it they are one PDF."""

    name: str
    page: Callable[[int], Image.Image] | None = None
    upsample: bool = False
    """Whether they have at most UPSAMPLE_BELOW pixels."""

    def write(self, folder: Path, count: int) -> None:
        """Write so many pages into a new folder."""
        folder.mkdir()
        if self.page is None:
            pages.pdf(folder / "book.pdf", count)
            return
        for number in range(count):
            self.page(number).save(folder / f"page{number}.png")


@functools.cache
def noise(number: int, colour: bool) -> Image.Image:
    """One noisy scan."""
    return pages.noisy_scan(200, number, colour)


KINDS = (
    Kind("A4 at 100 dpi", lambda number: pages.article(100, number), upsample=True),
    Kind("A4 at 120 dpi", lambda number: pages.article(120, number)),
    Kind("A4 at 200 dpi", lambda number: pages.article(200, number)),
    Kind("noisy scan at 200 dpi", lambda number: noise(number % NOISE_PAGES, False)),
    Kind("colour at 100 dpi", lambda number: pages.colourful(100, number), upsample=True),
    Kind("colour at 120 dpi", lambda number: pages.colourful(120, number)),
    Kind("colour at 200 dpi", lambda number: pages.colourful(200, number)),
    Kind("noisy colour scan at 200 dpi", lambda number: noise(number % NOISE_PAGES, True)),
    Kind("PDF"),
)
Client = Callable[[Kind, Path, Path, int, int], measure.Cost]


def ours(
    kind: Kind, folder: Path, output: Path, port: int, slots: int, script: Path = COMMAND
) -> measure.Cost:
    """Read a folder with this project's command."""
    command = [sys.executable, str(script), "--input", str(folder), "--output", str(output)]
    command += ["--endpoint", f"http://127.0.0.1:{port}", "-p", str(slots), "--images"]
    command += ["-m", str(MAX_PIXELS), "--upsample-below", str(UPSAMPLE_BELOW), "--json"]
    # the stub's layout fits no page; without retries each page is asked for once
    command += ["--retries", "0"]
    return measure.run(command, "", output.with_suffix(".log"), slots == LATENCY_SLOTS)


def theirs(kind: Kind, folder: Path, output: Path, port: int, slots: int) -> measure.Cost:
    """Read a folder with dots.ocr's own client."""
    files = sorted(map(str, folder.iterdir()))
    job = {"port": port, "output": str(output), "threads": slots, "max_pixels": MAX_PIXELS}
    job |= {"files": [(file, kind.upsample) for file in files], "answer_tokens": ANSWER_TOKENS}
    command = [str(REFERENCE_PYTHON), str(REFERENCE)]
    log = output.with_suffix(".log")
    return measure.run(command, json.dumps(job), log, slots == LATENCY_SLOTS)


CLIENTS: dict[str, Client] = {"ours": ours, "reference": theirs}


@contextmanager
def serving(*options: str) -> Iterator[int]:
    """Run the stub in a process of its own; yield its port."""
    command = [sys.executable, str(STUB), *options]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:
        try:
            assert server.stdout is not None
            yield int(server.stdout.readline())
        finally:
            server.terminate()


def stats(port: int) -> dict[str, Any]:
    """What the stub has seen since the last call."""
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/stats") as answer:
        seen: dict[str, Any] = json.load(answer)
        return seen


MEASURES = ("cpu", "rate", "late")
COLUMNS = (
    ("cpu_s_per_page", "CPU-s a page", "{:.3f}"),
    ("pages_per_s", "pages/s", "{:.1f}"),
    ("in_flight", f"in flight of {LATENCY_SLOTS}", "{:.0f}"),
    ("peak_pss_mib", "peak memory MiB", "{:.0f}"),
)

Figures = dict[str, dict[str, list[float]]]
"""Measure -> client -> one value a round."""


class Bench:
    """One kind of pages, in a scratch folder."""

    def __init__(self, kind: Kind, count: int, latency_count: int, scratch: Path) -> None:
        self.kind, self.scratch = kind, scratch
        self.count = count
        self.pages = scratch / "pages"
        kind.write(self.pages, count)
        # only one PDF here: the reference holds a whole PDF in memory
        self.many, self.many_count = self.pages, count
        if kind.page is not None:
            self.many, self.many_count = scratch / "many", latency_count
            self.many.mkdir()
            for number in range(latency_count):
                source = self.pages / f"page{number % count}.png"
                os.link(source, self.many / f"page{number}.png")

    def read(self, name: str, folder: Path, count: int, port: int, slots: int) -> measure.Cost:
        """Let a client read a folder once; it must have drawn every page."""
        output = self.scratch / "output"
        cost = CLIENTS[name](self.kind, folder, output, port, slots)
        drawn = sum(1 for _ in output.rglob("*.jpg"))
        shutil.rmtree(output)
        if drawn != count:
            raise click.ClickException(f"{name} read {drawn} of {count} pages: {self.kind.name}")
        return cost

    def check_pixels(self, port: int) -> None:
        """Check that both clients send the same pictures, pixel for pixel; also warm both up."""
        sent = {}
        for name in CLIENTS:
            self.read(name, self.pages, self.count, port, 2)
            sent[name] = sorted(stats(port)["pictures"])
        if sent["ours"] != sent["reference"] or len(sent["ours"]) != self.count:
            raise click.ClickException(f"the pictures sent differ: {self.kind.name}")

    def cpu(self, name: str, port: int) -> dict[str, float]:
        """Measure the CPU time, with one page after another."""
        cost = self.read(name, self.pages, self.count, port, 1)
        return {"cpu_s_per_page": cost.cpu_s / self.count}

    def rate(self, name: str, port: int) -> dict[str, float]:
        """Measure the pages a second at full speed."""
        cost = self.read(name, self.pages, self.count, port, RATE_SLOTS)
        return {"pages_per_s": self.count / cost.seconds}

    def late(self, name: str, port: int) -> dict[str, float]:
        """Measure against an endpoint with a latency."""
        stats(port)
        cost = self.read(name, self.many, self.many_count, port, LATENCY_SLOTS)
        return {
            "in_flight": stats(port)["in_flight"],
            "peak_pss_mib": cost.peak_pss / MIB,
            "peak_rss_mib": cost.peak_rss / MIB,
        }


@click.command(help=__doc__)
@click.option("--pages", "count", default=60, show_default=True, help="Pages of each kind.")
@click.option("--rounds", default=5, show_default=True, help="Pairs of each; medians are shown.")
@click.option("--late-pages", default=300, show_default=True, help="Pages, with the latency.")
@click.option(
    "--measure", "measures", multiple=True, default=MEASURES, type=click.Choice([*MEASURES])
)
@click.option("--kind", "names", multiple=True, help="Only kinds whose name contains this.")
@click.option("--quick", is_flag=True, help="Few pages, one round: only to see that it runs.")
@click.option(
    "--before",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="A checkout of this project, in the reference's place.",
)
@click.option("--json", "as_json", is_flag=True, help="Print JSON, with every value.")
def main(
    count: int,
    rounds: int,
    late_pages: int,
    measures: tuple[str, ...],
    names: tuple[str, ...],
    quick: bool,
    before: Path | None,
    as_json: bool,
) -> None:
    if quick:
        count, late_pages, rounds = QUICK
    if before is not None:
        CLIENTS["reference"] = functools.partial(ours, script=before / COMMAND.relative_to(ROOT))
    elif not REFERENCE_PYTHON.exists():
        raise click.ClickException("no .venv-parity with the reference: use `make bench`")
    measure.adopt_orphans()
    results: dict[str, Figures] = {}
    for kind in KINDS:
        if names and not any(name in kind.name for name in names):
            continue
        click.echo(kind.name, err=True)
        figures: Figures = defaultdict(lambda: defaultdict(list))
        with tempfile.TemporaryDirectory() as scratch:
            bench = Bench(kind, count, late_pages, Path(scratch))
            with serving("--record") as port:
                bench.check_pixels(port)
            for measured in measures:
                latency_s = LATENCY_S if measured == "late" else 0
                with serving("--latency", str(latency_s)) as port:
                    for name in [*CLIENTS] * rounds:
                        for figure, value in getattr(bench, measured)(name, port).items():
                            figures[figure][name].append(value)
        results[kind.name] = figures
    if as_json:
        machine = {"cpus": os.cpu_count(), "machine": platform.machine()}
        setup = {"pages": count, "late_pages": late_pages, "rounds": rounds}
        click.echo(json.dumps({**machine, **setup, "kinds": results}, indent=1))
    else:
        click.echo(table(results))


def table(results: dict[str, Figures]) -> str:
    """The medians as a Markdown table: ours, the reference's, and the median of the ratios.

    A ratio says how many times better ours is; below 1 it is worse.
    """
    lines = ["| | " + " | ".join(title for _, title, _ in COLUMNS) + " |"]
    lines.append("|---" * (len(COLUMNS) + 1) + "|")
    for kind, figures in results.items():
        cells = []
        for measured, _, form in COLUMNS:
            pairs = figures[measured]
            here, there = pairs["ours"], pairs["reference"]
            if not here:
                cells.append("")
                continue
            ratio = statistics.median(a / b for a, b in zip(here, there, strict=True))
            if measured in ("cpu_s_per_page", "peak_pss_mib"):
                ratio = 1 / ratio
            mine, other = (form.format(statistics.median(values)) for values in (here, there))
            cells.append(f"{mine} · {other} · {ratio:.1f}×")
        lines.append(f"| {kind} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


if __name__ == "__main__":
    main()
