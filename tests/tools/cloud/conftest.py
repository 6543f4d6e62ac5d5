"""Fixtures for the tests of the commands against the rig of a cloud."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from rig.cloud.fixtures import cloud, gce, image_tar, skipped_where_unavailable
from rig.cloud.gcs import GcsServer
from rig.cloud.ssh_toolkit import SshToolkit, ssh_vm
from rig.cloud.vm import Vm

__all__ = ["cloud", "gce", "image_tar"]


@pytest.fixture(scope="session")
def box(tmp_path_factory: pytest.TempPathFactory, image_tar: Path) -> Iterator[Vm]:
    """A machine with our code on it, reached by ssh; shared by all tests that leave it on."""
    folder = tmp_path_factory.mktemp("box")
    with skipped_where_unavailable(), ssh_vm(folder / "vm", image_tar) as machine:
        done = SshToolkit(machine, folder / "desk").run_here("start")
        assert done.code == 0, done.err
        yield machine


@pytest.fixture
def storage(tmp_path: Path) -> Iterator[GcsServer]:
    """Yield a storage server with a bucket named `pages`."""
    with skipped_where_unavailable(), GcsServer(tmp_path / "gcs") as server:
        server.make_bucket("pages")
        yield server
