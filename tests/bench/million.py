#!/usr/bin/env python3
"""A million pages on paper: hours and money for some numbers of VMs, from what was measured.

One VM is on demand and the others are spot. Money is in USD, at list prices in Seoul; look them up
before you rely on them.
"""

from __future__ import annotations

from dataclasses import dataclass

import click

PAGES = 1_000_000
PAGES_PER_S = 0.52  # one simulated L4 with 64 pages in flight: tests/bench/gpu.py
OF_LINEAR = 0.95  # of the sum of all VMs, at eight: tests/bench/scaling.py
START_S = 190.0  # boot and load, which each VM bills before its first page: tests/bench/bill.py
ON_DEMAND, SPOT = 1.096, 0.229  # an hour of g2-standard-8 with one L4
DISK = 26 / 730  # an hour of 200 GB
WRITE, READ = 0.005 / 1000, 0.0004 / 1000  # an operation on the bucket, class A and B
RESULT_FILES, RESULT_GB = 3, 1.8e-5  # a page: JSON and twice Markdown, as of the samples
PAGE_GB = 3e-4  # a picture of A4 at 100 to 200 dpi
EGRESS, STORED = 0.12, 0.023 / 730  # a GB out of Google's network; a GB kept for an hour


@dataclass(frozen=True)
class Plan:
    """Hours from the first VM's start to the last one's stop, and USD."""

    hours: float
    machines: float
    disks: float
    bucket: float
    egress: float

    @property
    def total(self) -> float:
        """All of it."""
        return self.machines + self.disks + self.bucket + self.egress


def plan(vms: int, first: float, others: float) -> Plan:
    """For so many VMs, at these prices an hour of the first one and of each other one."""
    rate = PAGES_PER_S * vms * (OF_LINEAR if vms > 1 else 1)
    hours = PAGES / rate / 3600 + START_S / 3600
    # written: the page, its results; read: the page by a VM, the results by you
    operations = PAGES * ((1 + RESULT_FILES) * WRITE + (1 + RESULT_FILES) * READ)
    stored = PAGES * (PAGE_GB + RESULT_GB) * hours * STORED
    return Plan(
        hours=hours,
        machines=hours * (first + (vms - 1) * others),
        disks=hours * vms * DISK,
        bucket=operations + stored,
        egress=PAGES * RESULT_GB * EGRESS,
    )


@click.command(help=__doc__)
def main() -> None:
    click.echo("| VMs | price | hours | VMs | disks | bucket | egress | USD in all |")
    click.echo("|---|---|---|---|---|---|---|---|")
    for vms in (1, 8, 64):
        for name, first, others in (
            ("on demand", ON_DEMAND, ON_DEMAND),
            ("spot" if vms == 1 else "the first on demand, the others spot", ON_DEMAND, SPOT),
        ):
            done = plan(vms, SPOT if name == "spot" else first, others)
            parts = (done.machines, done.disks, done.bucket, done.egress, done.total)
            money = " | ".join(f"{part:,.0f}" for part in parts)
            click.echo(f"| {vms} VM{'s' * (vms > 1)} | {name} | {done.hours:,.1f} | {money} |")


if __name__ == "__main__":
    main()
