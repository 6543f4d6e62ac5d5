"""Fixtures for tests that use the rig: import them by name into a conftest.py.

If a part cannot run here, a test is skipped with the reason. In CI it fails, because nothing may be
missing there.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from rig.cloud.cloud import Cloud
from rig.cloud.docker_image import build_tar
from rig.cloud.gce import GceServer
from rig.cloud.unavailable import RigUnavailable, require_programs, require_root


@contextmanager
def skipped_where_unavailable() -> Iterator[None]:
    try:
        yield
    except RigUnavailable as missing:
        if os.environ.get("CI"):
            raise
        pytest.skip(str(missing))


@pytest.fixture
def gce() -> Iterator[GceServer]:
    """Compute Engine alone, with no machines below its instances."""
    with GceServer() as server:
        yield server


@pytest.fixture
def cloud(tmp_path: Path) -> Iterator[Cloud]:
    """A whole rig for one test."""
    with skipped_where_unavailable(), Cloud(tmp_path / "cloud") as rig:
        yield rig


@pytest.fixture(scope="session")
def image_tar(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The model server's image, built once for all processes of a test run."""
    with skipped_where_unavailable():
        require_root()
        require_programs("ldd", "dockerd", package="docker.io")
    base = tmp_path_factory.getbasetemp()
    folder = (base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / "image"
    folder.mkdir(exist_ok=True)
    path, part = folder / "image.tar", folder / "image.tar.part"
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not path.exists():
            build_tar(part)
            part.rename(path)
    return path
