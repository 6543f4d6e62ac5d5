"""Where the page function runs in a test: in a pool of processes, or on a fleet."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from read_page import Settings
from rig.command import FAST, without_roots_rights
from rig.fleet import FleetRig
from rig.settings import settings_in


@pytest.fixture(scope="session")
def fleet(tmp_path_factory: pytest.TempPathFactory) -> Iterator[FleetRig]:
    """A fleet of two nodes with one thread each, like -p 2, which may read no more than users."""
    with FleetRig(tmp_path_factory.mktemp("fleet")) as rig:
        rig.add_node(threads=1, workers=2, prefix=without_roots_rights(), leaves=False)
        yield rig


@pytest.fixture(params=["pool", "fleet"])
def either(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """The test runs twice: with the process pool, and on a fleet."""
    if request.param == "fleet":
        monkeypatch.setitem(FAST, "SCHEDULER", request.getfixturevalue("fleet").url)
    return str(request.param)


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """Settings of a batch in the test's own folder."""
    return settings_in(tmp_path)
