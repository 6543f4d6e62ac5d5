"""A power cut in the middle: what was not on the disk yet must not count."""

from __future__ import annotations

import random
import signal
from pathlib import Path
from typing import Any

import pytest

from rig import power
from rig.command import Batch, batch_of, results_in
from rig.model_server import ModelServer

PAGES = 16
OTHERWISE = ("--prompt-mode", "layout_only")


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """The results of the pages when nothing disturbs them."""
    with batch_of(tmp_path_factory.mktemp("undisturbed"), PAGES) as (batch, _):
        assert batch.run_here("--images").code == 0
        return results_in(batch.output)


def cut_after(requests: int, batch: Batch, server: ModelServer, *options: str) -> None:
    """Run until a power cut at this number of requests."""
    store = batch.folder / f"disk{requests}"
    server.reset()
    with batch.start(*options, environment=power.recorded(batch.output, store)) as running:
        server.wait_until(lambda: len(server.requests) >= requests)
        running.signal_group(signal.SIGKILL)
        running.finish()
        running.wait_until_nobody_is_left()
    power.cut(batch.output, store, random.Random(1))


def test_after_power_cuts_the_results_are_as_if_nothing_had_been(
    tmp_path: Path, undisturbed: dict[str, Any]
) -> None:
    with batch_of(tmp_path, PAGES) as (batch, server):
        for requests in (8, 6):  # cut twice on the way
            cut_after(requests, batch, server, "--images")
        finished = batch.run_here("--images")
        assert (finished.code, finished.err) == (0, "")
        assert results_in(batch.output) == undisturbed


def test_after_a_power_cut_no_older_results_pass_for_new_ones(
    tmp_path: Path, undisturbed: dict[str, Any]
) -> None:
    with batch_of(tmp_path, PAGES) as (batch, server):
        assert batch.run_here("--images", *OTHERWISE).code == 0
        cut_after(14, batch, server, "--images")
        assert batch.run_here("--images").code == 0
        assert results_in(batch.output) == undisturbed
