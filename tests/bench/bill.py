#!/usr/bin/env python3
"""Seconds that the VM bills for `make all`, against what cannot be avoided and against the manual.

`make all TARGET=gcp` with a bucket runs on the tests' own cloud (as root, see tests/rig/cloud): a
VM that takes 40 s to boot, a model that loads for 150 s and then answers as one L4 would. These
clocks run --speedup times as fast; what our own programs take beside them is not scaled, and is
counted as it is: nothing of it is hidden by the faster clocks.

Not to be avoided are boot, load, and the pages at the card's best. The manual does one step after
the other, with a fixed wait for the model, 12 pages in flight and a line of 50 Mbit/s; it is
computed from the same card. What is marked with * is computed from the runs.
"""

from __future__ import annotations

import contextlib
import dataclasses
import json
import os
import shutil
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import click

TESTS = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(TESTS))
sys.path.insert(0, str(TESTS.parent / "tools"))

from bench import l4  # noqa: E402 - found by the lines above
from bench.gpu import write_pages  # noqa: E402 - so is this
from rig.cloud.cloud import Cloud  # noqa: E402 - so is this
from rig.cloud.docker_image import add_folder, build_tar, install_image  # noqa: E402 - so is this
from rig.cloud.toolkit import VM, CloudToolkit  # noqa: E402 - so is this
from rig.toolkit import files_below, statuses_in  # noqa: E402 - so is this

BOOT_S, LOAD_S = 40.0, 150.0
LINE_BYTES_PER_S = 50e6 / 8
MANUAL_WAIT_S = 300.0  # wait for the model: a shorter wait ends in Connection Refused
MANUAL_IN_FLIGHT = 12
DIFFERENT_PAGES = 200  # further pages are copies: making pages takes longer than reading them
ONE_MAKE_S = 3600.0
PRICE_PER_HOUR = 1.096


@dataclass(frozen=True)
class Bill:
    """Seconds at the clocks of a real L4. `own_s` is what our programs took beside the card."""

    pages: int
    unavoidable_s: float
    billed_s: float
    manual_s: float
    card_s: float
    own_s: float
    is_computed: bool = False

    def row(self) -> str:
        """The row as text for people."""
        money = self.billed_s / 3600 * PRICE_PER_HOUR
        return (
            f"{self.pages:>7}{'*' if self.is_computed else ' '}{self.unavoidable_s:>13.0f}"
            f"{self.billed_s:>10.0f}{self.billed_s / self.unavoidable_s:>8.2f}"
            f"{self.manual_s:>10.0f}{self.manual_s / self.billed_s:>8.2f}"
            f"{self.own_s:>10.1f}{money:>8.2f}"
        )


@click.command(help=__doc__)
@click.option("--pages", "counts", multiple=True, type=int, default=(50, 500), show_default=True)
@click.option("--compute", "more", multiple=True, type=int, default=(5_000,), show_default=True)
@click.option("--rounds", default=5, show_default=True, help="Runs of each; the median is shown.")
@click.option("--speedup", default=6.0, show_default=True, help="The clocks' seconds in one.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def main(
    counts: tuple[int, ...], more: tuple[int, ...], rounds: int, speedup: float, as_json: bool
) -> None:
    if os.geteuid():
        raise click.ClickException("the tests' cloud needs root: run this with sudo")
    bills = []
    with tempfile.TemporaryDirectory() as name:
        tar = Path(name, "image.tar")
        build_tar(tar)
        add_folder(tar, "bench", TESTS / "bench")
        for count in counts:
            folder = Path(name, str(count))
            pages = folder / "pages"
            jobs = fill(pages, count)
            runs = [measure(folder / str(i), tar, pages, jobs, speedup) for i in range(rounds)]
            bills.append(sorted(runs, key=lambda bill: bill.billed_s)[rounds // 2])
        bills += [computed(bills, size_of(pages) / len(jobs), jobs, count) for count in more]
    if as_json:
        click.echo(json.dumps([dataclasses.asdict(bill) for bill in bills]))
        return
    click.echo("seconds   unavoidable    billed   ratio    manual   times  ours, in     USD")
    click.echo("  pages                                         of it   billed")
    for bill in bills:
        click.echo(bill.row())


def fill(folder: Path, count: int) -> list[l4.Job]:
    """Write so many pages; return each page as the card's job."""
    folder.parent.mkdir(parents=True)
    different = min(count, DIFFERENT_PAGES)
    jobs = write_pages(folder, different)
    for number in range(different, count):
        shutil.copy(folder / f"page{number % different}.png", folder / f"page{number}.png")
    return [jobs[number % different] for number in range(count)]


def measure(folder: Path, tar: Path, pages: Path, jobs: list[l4.Job], speedup: float) -> Bill:
    """Run `make all` once, on a machine that has run before."""
    with cloud_of(folder, tar, speedup) as kit:
        for verb in ("start", "stop"):  # once, so that the model's container exists
            done = kit.run(verb)
            assert done.code == 0, done.err
        with kit.make("--silent", "all", f"INPUT={pages}", f"OUTPUT={kit.output}") as job:
            done = job.finish(ONE_MAKE_S)
        statuses = list(statuses_in(kit.output).values())
        if done.code or len(statuses) != len(jobs) or not {*statuses} <= {"ok", "doubtful"}:
            raise click.ClickException(f"make all ended with {done.code}: {done.err}")
        on, off = (moment(kit, *which) for which in (("start", "insertTime"), ("stop", "endTime")))
        trace = traces(kit)[-1]
        card_s = trace["seconds"] - trace["idle_s"]  # the tiny first request came long before
    own_s = (off - on).total_seconds() - (BOOT_S + LOAD_S + card_s) / speedup
    return Bill(
        pages=len(jobs),
        unavoidable_s=BOOT_S + LOAD_S + l4.best_possible_s(jobs),
        billed_s=BOOT_S + LOAD_S + card_s + own_s,
        manual_s=manual_s(jobs, size_of(pages)),
        card_s=card_s,
        own_s=own_s,
    )


@contextlib.contextmanager
def cloud_of(folder: Path, tar: Path, speedup: float) -> Iterator[CloudToolkit]:
    """A cloud with a bucket, and a VM with the simulated card as its container."""
    with Cloud(folder / "cloud") as cloud:
        knobs = {"READY_TIMEOUT": "600", "PROCESSES": "64", "WITNESS": "ink"}
        kit = CloudToolkit(cloud, folder / "desk", bucket=True, **knobs)
        vm = cloud.add_vm(VM)
        vm.boot()
        vm.wait_for_boot()
        card = ("/app/bench/gpu_sim.py", "--speedup", str(speedup), "--load", str(LOAD_S))
        install_image(vm, tar, command=("python3", *card))
        vm.halt()
        cloud.gce.delays.staging_s = BOOT_S / speedup
        yield kit


def moment(kit: CloudToolkit, kind: str, which: str) -> datetime:
    """When the last operation of a kind began or ended."""
    times = [one[which] for one in kit.gce.operations() if one["operationType"] == kind]
    return max(datetime.fromisoformat(text) for text in times)


def traces(kit: CloudToolkit) -> list[dict[str, float]]:
    """The traces that the card printed at its ends, if it gave answers."""
    folder = kit.cloud.vms[VM].path("/var/lib/docker/containers")
    lines = [line for path in folder.glob("*/*-json.log") for line in path.read_text().splitlines()]
    said = [json.loads(line)["log"] for line in lines]
    found = [json.loads(text) for text in said if text.startswith("{")]
    return [trace for trace in found if trace["answers"]]


def size_of(folder: Path) -> int:
    """Bytes of all files below the folder."""
    return sum((folder / name).stat().st_size for name in files_below(folder))


def manual_s(jobs: list[l4.Job], input_bytes: float) -> float:
    """Seconds of the manual's steps, one after another, with the VM on from start to end.

    The download of the results is left out, because they are smaller.
    """
    upload_s = input_bytes / LINE_BYTES_PER_S
    return BOOT_S + MANUAL_WAIT_S + upload_s + l4.seconds_for(jobs, MANUAL_IN_FLIGHT)


def computed(bills: list[Bill], bytes_per_page: float, jobs: list[l4.Job], count: int) -> Bill:
    """Compute the bill for more pages: the card comes as near to its best as in the last run.

    The seconds of our own programs grow as they grew from the first run to the last.
    """
    first, last = bills[0], bills[-1]
    many = [jobs[number % len(jobs)] for number in range(count)]
    best_s = l4.best_possible_s(many)
    card_s = best_s * last.card_s / l4.best_possible_s(jobs)
    growth_s = (last.own_s - first.own_s) / max(1, last.pages - first.pages)
    own_s = last.own_s + max(0.0, growth_s) * (count - last.pages)
    return Bill(
        pages=count,
        unavoidable_s=BOOT_S + LOAD_S + best_s,
        billed_s=BOOT_S + LOAD_S + card_s + own_s,
        manual_s=manual_s(many, bytes_per_page * count),
        card_s=card_s,
        own_s=own_s,
        is_computed=True,
    )


if __name__ == "__main__":
    main()
