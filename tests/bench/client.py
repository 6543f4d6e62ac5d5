#!/usr/bin/env python3
"""CPU seconds a page of process_all_images.py: the whole process tree, its start included.

The model server is a stand-in in a process of its own, which answers at once, so that what is
measured is the client. The pages are generated: A4 at 100, 120 and 200 dpi, a noisy scan, a PDF.
"""

import contextlib
import ctypes
import functools
import json
import os
import resource
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import click
from PIL import Image

TESTS = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(TESTS))

from rig import pages  # noqa: E402 - the rig is found by the line above

COMMAND = TESTS.parent / "vm_side" / "process_all_images.py"
SERVER = TESTS / "rig" / "model_server.py"
PR_SET_CHILD_SUBREAPER = 36
QUIET_S = 0.5


@click.command(help=__doc__)
@click.option("--pages", "count", default=60, show_default=True, help="Pages of each kind.")
@click.option("--rounds", default=3, show_default=True, help="Runs of each; the median is shown.")
@click.option("-p", "--processes", default=2, show_default=True, help="Worker processes.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def main(count: int, rounds: int, processes: int, as_json: bool) -> None:
    adopt_orphans()
    kinds: dict[str, Callable[[Path], None]] = {
        "A4 at 100 dpi": lambda folder: write(folder, count, lambda i: pages.article(100, i)),
        "A4 at 120 dpi": lambda folder: write(folder, count, lambda i: pages.article(120, i)),
        "A4 at 200 dpi": lambda folder: write(folder, count, lambda i: pages.article(200, i)),
        "noisy scan at 200 dpi": lambda folder: write(folder, count, pages_of_noise),
        "PDF": lambda folder: write_pdf(folder, count),
    }
    results = {}
    with tempfile.TemporaryDirectory() as name, serving() as url:
        for kind, fill in kinds.items():
            folder = Path(name, kind)
            folder.mkdir()
            fill(folder)
            runs = [measure(folder, Path(name, f"out-{i}"), url, processes) for i in range(rounds)]
            results[kind] = {
                "cpu_s_per_page": round(statistics.median(cpu for cpu, _ in runs), 4),
                "pages_per_s": round(statistics.median(rate for _, rate in runs), 2),
            }
    if as_json:
        click.echo(json.dumps(results))
        return
    click.echo(f"{'':24}{'CPU-s a page':>14}{'pages/s':>10}   ({processes} processes)")
    for kind, result in results.items():
        click.echo(f"{kind:24}{result['cpu_s_per_page']:>14.3f}{result['pages_per_s']:>10.1f}")


def write(folder: Path, count: int, page: Callable[[int], Image.Image]) -> None:
    """Write so many pages as PNG."""
    for number in range(count):
        page(number).save(folder / f"page{number}.png")


def pages_of_noise(number: int) -> Image.Image:
    """A noisy scan; eight different ones in turn, since they are slow to make."""
    return noise(number % 8)


@functools.cache
def noise(number: int) -> Image.Image:
    """One noisy scan."""
    return pages.noisy_scan(200, number)


def write_pdf(folder: Path, count: int) -> None:
    """Write a PDF of so many pages."""
    pages.pdf(folder / "book.pdf", count)


@contextlib.contextmanager
def serving() -> Iterator[str]:
    """The stand-in, in a process of its own; its URL."""
    port = free_port()
    command = [sys.executable, str(SERVER), "--port", str(port), "--no-check"]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as server:
        try:
            yield f"http://127.0.0.1:{port}"
        finally:
            server.terminate()


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def measure(folder: Path, output: Path, url: str, processes: int) -> tuple[float, float]:
    """Read a folder once: (CPU seconds a page, pages a second)."""
    before = cpu_of_children()
    command = [sys.executable, str(COMMAND), "--input", str(folder), "--output", str(output)]
    command += ["--endpoint", url, "-p", str(processes), "--images", "--json"]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
    wait_for_orphans()
    summary = json.loads(done.stdout)
    count = summary["run"]["pages"]
    if summary["ok"] != count:
        raise click.ClickException(f"only {summary['ok']} of {count} pages were read")
    return (cpu_of_children() - before) / count, summary["run"]["pages_per_second"]


def cpu_of_children() -> float:
    """CPU seconds, user and system, of all children that have ended."""
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def adopt_orphans() -> None:
    """Become the parent of orphans below us, so that their CPU time is counted too (Linux)."""
    ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def wait_for_orphans() -> None:
    """Reap the workers' fork server, which ends by itself just after the command."""
    quiet_since = time.monotonic()
    while time.monotonic() - quiet_since < QUIET_S:
        pid, _ = os.waitpid(-1, os.WNOHANG)  # the stand-in is a child too, and lives
        if pid:
            quiet_since = time.monotonic()
        time.sleep(0.02)


if __name__ == "__main__":
    main()
