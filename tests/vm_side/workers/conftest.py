"""A fleet; each test starts the nodes itself."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from rig.fleet import FleetRig


@pytest.fixture(scope="module")
def scheduler(tmp_path_factory: pytest.TempPathFactory) -> Iterator[FleetRig]:
    """One scheduler for all tests."""
    with FleetRig(tmp_path_factory.mktemp("fleet")) as rig:
        yield rig


@pytest.fixture
def fleet(scheduler: FleetRig) -> Iterator[FleetRig]:
    """The fleet, without nodes yet."""
    scheduler.clear()
    yield scheduler
    scheduler.clear()
