#!/usr/bin/env python3
"""Wait until the model answers, then read the pages on the machine that are missing or failed."""

import contextlib
import time
from collections.abc import Callable
from pathlib import Path

import click

from lib import checked, results
from lib.console import Failure, run
from lib.home import bring_home, every
from lib.knobs import MACHINE, Knobs, check_workers, verb
from lib.machines import left_on, open_machine
from lib.machines.machine import Machine
from lib.plan.budget import paid_s
from lib.plan.forecast import own_way

READING = (
    *("PROCESSES", "MAX_PIXELS", "UPSAMPLE_BELOW", "ROTATE", "PROMPT_MODE"),
    *("IMAGES", "PICTURES", "MODEL"),
)
SERVER = ("API_KEY_FILE", "PREFLIGHT", "METRICS_PORT")
TRUST = ("WITNESS", "DOUBTFUL")
FILES = ("PAGES", "PDF_PASSWORD_FILE")
FETCH_INTERVAL_S = 30.0
PATIENCE = ("READY_TIMEOUT", "REQUEST_TIMEOUT", "PAGE_TIMEOUT", "RETRIES")


@verb(*READING, *TRUST, *FILES, *SERVER, *PATIENCE, "PRICE_PER_HOUR", *MACHINE, help=__doc__)
@click.option("--force", is_flag=True, help="Read all pages again.")
@click.option("--json", "as_json", is_flag=True, help="Print the totals as JSON.")
@click.option("--on-since", type=float, hidden=True, help="Since when BUDGET counts; Unix time.")
def main(knobs: Knobs, force: bool, as_json: bool, on_since: float | None) -> int:
    check_workers(knobs)
    machine = open_machine(knobs)
    with left_on.told(machine):
        machine.wait_until_ready(knobs.ready_timeout)
        options = arguments(knobs, force, as_json, on_since)
        code = machine.run(options, meanwhile(machine, knobs), checks_for(knobs))
    return left_on.ended(machine, code)


def checks_for(knobs: Knobs) -> str:
    """What make check found on the pages that the machine must read again (DOUBTFUL=1)."""
    manifest = Path(knobs.output).expanduser() / results.MANIFEST
    return checked.told(results.read_lines(results.read_text(manifest))) if knobs.doubtful else ""


def meanwhile(machine: Machine, knobs: Knobs) -> Callable[[], None]:
    """Return a function that fetches results from the bucket while the job runs.

    This does not slow the job down.
    """

    def fetch_some() -> None:
        with contextlib.suppress(Failure, OSError):  # perhaps no results yet; the download tells
            bring_home(machine, knobs)

    return every(FETCH_INTERVAL_S, fetch_some if knobs.bucket else lambda: None)


def arguments(knobs: Knobs, force: bool, as_json: bool, on_since: float | None = None) -> list[str]:
    """The options of process_all_images.py that come from the knobs.

    Every value is given, also an empty one, so that no variable from outside can set it.
    """
    values = {
        "--processes": knobs.processes,
        "--max-pixels": knobs.max_pixels,
        "--upsample-below": knobs.upsample_below,
        "--rotate": knobs.rotate,
        "--prompt-mode": knobs.prompt_mode,
        "--endpoint": knobs.endpoint,
        "--model": knobs.model,
        "--pages": knobs.pages,
        "--pictures": knobs.pictures,
        "--witness": knobs.witness,
        "--request-timeout": knobs.request_timeout,
        "--page-timeout": knobs.page_timeout,
        "--ready-timeout": knobs.ready_timeout,
        "--retries": knobs.retries,
        "--metrics-port": knobs.metrics_port,
        "--scheduler": "",
        "--state": "",
        **money(knobs, on_since, time.time()),
    }
    flags = {
        "--images": knobs.images,
        "--doubtful": knobs.doubtful,
        "--force": force,
        "--json": as_json,
    }
    return [
        *(text for name, value in values.items() for text in (name, str(value))),
        "--preflight" if knobs.preflight else "--no-preflight",
        *(name for name, given in flags.items() if given),
    ]


def money(knobs: Knobs, on_since: float | None, now: float) -> dict[str, float]:
    """The options about what the machines cost.

    BUDGET counts only within make all, from on_since (Unix time). It limits nothing where the
    machines cost nothing.
    """
    spent_hours = 0.0 if on_since is None else max(0.0, now - on_since) / 3600
    return {
        "--price-per-hour": knobs.price_per_hour,
        "--price-per-worker-hour": knobs.price_per_worker_hour,
        "--workers": knobs.workers,
        "--spent": spent_hours * own_way(knobs).per_hour,
        "--budget": knobs.budget if paid_s(knobs) and on_since is not None else 0,
    }


if __name__ == "__main__":
    run(main)
