#!/usr/bin/env python3
"""A million pages on paper: hours and money for some numbers of VMs, as make plan would tell them.

The card is the simulated L4; money is in USD, at list prices in Seoul: look them up before you rely
on them.
"""

from __future__ import annotations

import sys
from pathlib import Path

import click

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "tools"))

from lib.knobs import Knobs
from lib.plan.forecast import basis_of, forecast, ways
from lib.plan.left import Left

PAGES = 1_000_000
PAGE_BYTES = 300_000  # a picture of A4 at 100 to 200 dpi


@click.command(help=__doc__)
def main() -> None:
    click.echo("| VMs | price | hours | VMs | disks | bucket | egress | USD in all |")
    click.echo("|---|---|---|---|---|---|---|---|")
    knobs, left = Knobs(bucket="gs://pages"), Left(PAGES, size_bytes=PAGES * PAGE_BYTES)
    for way in ways(knobs):
        done = forecast(basis_of(None, knobs), left, knobs, way)
        assert done is not None
        cost = done.cost
        parts = (cost.machines, cost.disks, cost.bucket, cost.egress, cost.total)
        money = " | ".join(f"{part:,.0f}" for part in parts)
        vms = f"{way.machines} VM{'s' * (way.machines > 1)}"
        click.echo(f"| {vms} | {way.price} | {done.hours:,.1f} | {money} |")


if __name__ == "__main__":
    main()
