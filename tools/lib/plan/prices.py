"""List prices in USD, and what a run costs by them. The machines' own prices and their disk are in
the knobs PRICE_PER_HOUR, PRICE_PER_WORKER_HOUR and DISK_GB.

From a public catalogue of Google's list prices, as of November 2026. The disk's price is not
confirmed (200 GB: 20 to 26 USD a month; here 26). Look them up before you rely on them.
"""

from dataclasses import dataclass
from typing import NamedTuple

MONTH_H = 730
DISK_GB_HOUR = 26 / 200 / MONTH_H
WRITE, READ = 0.005 / 1000, 0.0004 / 1000  # one operation on the bucket, class A and class B
STORED_GB_HOUR = 0.023 / MONTH_H
EGRESS_GB = 0.12  # out of Google's network; traffic into it is free
RESULT_FILES, RESULT_GB = 3, 1.8e-5  # of a page: JSON and two Markdown files; size of the samples


class Pair(NamedTuple):
    """USD for an hour of a machine, on demand and spot."""

    on_demand: float
    spot: float


G2_STANDARD_8 = {"asia-northeast3": Pair(1.096, 0.229), "us-central1": Pair(0.854, 0.341)}


@dataclass(frozen=True)
class Cost:
    """What a run costs, in USD."""

    machines: float
    disks: float = 0.0
    bucket: float = 0.0
    egress: float = 0.0

    @property
    def total(self) -> float:
        """All of it."""
        return self.machines + self.disks + self.bucket + self.egress


def cost(
    hours: float,
    machines: float,
    disks_gb: float,
    pages: int,
    in_bucket_gb: float | None,
) -> Cost:
    """Return the cost of a run of so many hours.

    machines: USD an hour for all machines together; disks_gb: the size of all their disks.
    in_bucket_gb: the size of the pages that go through a bucket; None if they go over ssh.
    """
    bucket = 0.0
    if in_bucket_gb is not None:
        # you write a page and a machine reads it; it writes the results and you read them
        operations = pages * (1 + RESULT_FILES) * (WRITE + READ)
        bucket = operations + (in_bucket_gb + pages * RESULT_GB) * hours * STORED_GB_HOUR
    return Cost(
        machines=hours * machines,
        disks=hours * disks_gb * DISK_GB_HOUR,
        bucket=bucket,
        egress=pages * RESULT_GB * EGRESS_GB,
    )
