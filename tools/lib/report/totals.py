"""The numbers of a result set, for scripts and for a table on the terminal."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from contract import STATUSES
from lib.pages.entries import Entry
from lib.pages.values import number

MONEY = ("gpu_hours", "cost_usd")  # of the job only: without the machine's start and its end


def totals(entries: Sequence[Entry], summary: Mapping[str, Any]) -> dict[str, Any]:
    """Count all pages in the results, and tell what the last run took."""
    counts = Counter(entry.status for entry in entries)
    reasons = Counter(entry.reason for entry in entries if entry.status == "failed")
    doubts = Counter(doubt.kind for entry in entries for doubt in entry.doubts)
    found = summary.get("run")
    run = found if isinstance(found, dict) else {}
    names = ("pages", "seconds", "pages_per_second", *MONEY)
    return {
        "pages": len(entries),
        **{status: counts[status] for status in STATUSES},
        "failures": dict(reasons.most_common()),
        "doubts": dict(doubts.most_common()),
        "tokens_in": sum(entry.tokens_in for entry in entries),
        "tokens_out": sum(entry.tokens_out for entry in entries),
        "run": {name: number(run.get(name)) for name in names},
    }


def rows(found: Mapping[str, Any]) -> dict[str, str]:
    """The totals as a short table of names and values."""
    run = found["run"]
    states = ", ".join(f"{found[status]:,} {status}" for status in STATUSES if found[status])
    table = {"pages": f"{found['pages']:,}: {states}"}
    for reason, count in list(found["failures"].items())[:5]:
        table[f"  {count:,} failed"] = reason
    if found["doubts"]:
        table["doubts"] = ", ".join(f"{count:,} {kind}" for kind, count in found["doubts"].items())
    table["tokens"] = f"{found['tokens_out']:,} written, {found['tokens_in']:,} read"
    if run["pages"]:
        speed = f"{run['pages_per_second']:.2f} pages/s"
        table["last run"] = f"{run['pages']:,.0f} pages in {run['seconds']:,.0f} s, {speed}"
    if run["gpu_hours"] or run["cost_usd"]:
        hours, usd = (f"{run[name]:.{2 if run[name] >= 0.1 else 4}f}" for name in MONEY)
        table["GPU hours"] = f"{hours}, {usd} USD, while it read"
    return table
