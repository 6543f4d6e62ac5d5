#!/usr/bin/env python3
"""A machine whose power goes in the middle of a batch, again and again: is anything lost or mixed?

Each time the whole command is killed while a random page is read, and the disk loses what it may
lose (rig/power.py). The next run must come to what an undisturbed one comes to, byte for byte.
"""

import random
import signal
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import click

TESTS = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(TESTS))

from rig import power  # noqa: E402 - found by the line above
from rig.command import Batch, batch_of, results_in  # noqa: E402 - so is this
from rig.model_server import ModelServer  # noqa: E402 - and this

OPTIONS = ("--images", "-p", "8")
START_S, A_MOMENT_S = 60.0, 0.1


def cut_at(page: int, batch: Batch, server: ModelServer, dice: random.Random) -> tuple[int, int]:
    """Run, and cut the power soon after this page was sent.

    Return the number of pages in the manifest, and of files that lost something.
    """
    store = batch.folder / "disk"
    environment = power.recorded(batch.output, store)
    with batch.start(*OPTIONS, environment=environment) as running:
        server.wait_until(lambda: len(server.requests) >= page, START_S)
        time.sleep(dice.uniform(0, A_MOMENT_S))
        running.signal_group(signal.SIGKILL)
        running.finish()
        running.wait_until_nobody_is_left()
    manifest = batch.output / "manifest.jsonl"
    told = manifest.read_bytes().count(b"\n") if manifest.exists() else 0
    return told, power.cut(batch.output, store, dice)


def read_anew(batch: Batch) -> dict[str, Any]:
    """Run without a disturbance; return the results."""
    finished = batch.run(*OPTIONS)
    if finished.code:
        raise click.ClickException(f"a run ended with {finished.code}: {finished.err}")
    return results_in(batch.output)


@click.command(help=__doc__)
@click.option("--cuts", default=30, show_default=True, help="Runs that are cut.")
@click.option("--pages", default=200, show_default=True, help="Pages of each.")
@click.option("--seed", default=1, show_default=True, help="Of the moments, and of what is lost.")
def main(cuts: int, pages: int, seed: int) -> None:
    dice = random.Random(seed)
    with tempfile.TemporaryDirectory() as scratch:
        with batch_of(Path(scratch, "undisturbed"), pages) as (batch, _):
            wanted = read_anew(batch)
        wrong = 0
        for number in range(cuts):
            with batch_of(Path(scratch, str(number)), pages) as (batch, server):
                page = dice.randint(1, pages)
                told, lost = cut_at(page, batch, server, dice)
                server.reset()
                is_same = read_anew(batch) == wanted
                wrong += not is_same
                click.echo(
                    f"cut at page {page} of {pages}, {told} told, {lost} files lost something:"
                    f" {len(server.requests)} read anew,"
                    f" {'the same' if is_same else 'NOT THE SAME'}"
                )
    click.echo(f"{cuts} cuts: {wrong} sets of results differ")
    raise SystemExit(wrong > 0)


if __name__ == "__main__":
    main()
