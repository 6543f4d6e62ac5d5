"""Fixtures for the tests of the commands against the rig of a cloud."""

from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

import pytest

from rig.cloud.cloud import Cloud
from rig.cloud.fixtures import cloud, gce, image_tar, skipped_where_unavailable
from rig.cloud.forgotten import leave_alone
from rig.cloud.ssh_toolkit import SshToolkit, ssh_vm
from rig.cloud.toolkit import CloudToolkit
from rig.cloud.vm import Vm

__all__ = ["cloud", "gce", "image_tar"]


@pytest.fixture(scope="session")
def forgotten(
    tmp_path_factory: pytest.TempPathFactory, image_tar: Path
) -> Iterator["Future[CloudToolkit]"]:
    """A VM whose client dies while its job runs; it has a short IDLE_MINUTES."""
    folder = tmp_path_factory.mktemp("forgotten")
    with (
        skipped_where_unavailable(),
        Cloud(folder / "cloud") as rig,
        ThreadPoolExecutor(1) as aside,
    ):
        yield aside.submit(leave_alone, rig, folder, image_tar)


@pytest.fixture(scope="session")
def box(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, image_tar: Path
) -> Iterator[Vm]:
    """A machine with our code on it, which one reaches by ssh; for all tests that leave it on."""
    if any("forgotten" in getattr(item, "fixturenames", ()) for item in request.session.items):
        request.getfixturevalue("forgotten")  # it takes minutes: they shall pass meanwhile
    folder = tmp_path_factory.mktemp("box")
    with skipped_where_unavailable(), ssh_vm(folder / "vm", image_tar) as machine:
        done = SshToolkit(machine, folder / "desk").run("start")
        assert done.code == 0, done.err
        yield machine
