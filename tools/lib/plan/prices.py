"""List prices in USD, and what a run comes to by them. The knobs PRICE_PER_HOUR,
PRICE_PER_WORKER_HOUR and DISK_GB have the machines' own.

From a public catalogue of Google's list prices, as of November 2026. The disk's price is not
confirmed (200 GB: 20 to 26 USD a month; here 26). Look them up before you rely on them.
"""

from dataclasses import dataclass
from typing import NamedTuple

MONTH_H = 730
DISK_GB_HOUR = 26 / 200 / MONTH_H
WRITE, READ = 0.005 / 1000, 0.0004 / 1000  # an operation on the bucket, class A and B
STORED_GB_HOUR = 0.023 / MONTH_H
EGRESS_GB = 0.12  # out of Google's network; what comes in is free
RESULT_FILES, RESULT_GB = 3, 1.8e-5  # a page: JSON and twice Markdown, as of the samples


class Pair(NamedTuple):
    """An hour of a machine, on demand and spot."""

    on_demand: float
    spot: float


G2_STANDARD_8 = {"asia-northeast3": Pair(1.096, 0.229), "us-central1": Pair(0.854, 0.341)}


@dataclass(frozen=True)
class Cost:
    """USD."""

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
    """Of machines whose hour costs so much together, with so much disk; they are on so long.

    in_bucket_gb is the size of the pages that go through a bucket; None: they go over ssh.
    """
    bucket = 0.0
    if in_bucket_gb is not None:
        # written: the page, its results; read: the page by a machine, the results by you
        operations = pages * (1 + RESULT_FILES) * (WRITE + READ)
        bucket = operations + (in_bucket_gb + pages * RESULT_GB) * hours * STORED_GB_HOUR
    return Cost(
        machines=hours * machines,
        disks=hours * disks_gb * DISK_GB_HOUR,
        bucket=bucket,
        egress=pages * RESULT_GB * EGRESS_GB,
    )
