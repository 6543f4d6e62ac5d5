"""Hooks and fixtures that apply to every test."""

import gc
import os
import shutil
import signal
import tempfile
from collections.abc import Iterator
from multiprocessing.util import Finalize
from pathlib import Path
from typing import Any

import pytest

from rig.model_server import ModelServer
from rig.shared import ByRig, rig_of

# gcsfs reads this variable once, at import time, and any test may be the first to import it.
# Without it, gcsfs probes the bucket, and this hangs on the stand-in for Cloud Storage.
os.environ.setdefault("GCSFS_EXPERIMENTAL_ZB_HNS_SUPPORT", "false")

LONG = ("/cloud/test_", "/test_fleet")  # files that run for minutes

AFTER_ALL = -1000  # multiprocessing removes its folder at -100

RIG, RIG_S = "/cloud/test_", 900  # seconds for one test on the cloud's rig


def pytest_configure() -> None:
    """Handle Ctrl-C also if a shell started this with `&`: then all tests would ignore it."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    if "PYTEST_XDIST_WORKER" not in os.environ:
        keep_temporary_files_together()


def keep_temporary_files_together() -> None:
    """Put temporary files into one folder and remove it at the end.

    A process that a test kills leaves its files behind. pytest's own folders stay where they are.
    """
    os.environ.setdefault("PYTEST_DEBUG_TEMPROOT", tempfile.gettempdir())
    folder = Path(tempfile.mkdtemp(prefix="dots-"))  # short: sockets are made there
    folder.chmod(0o1777)
    os.environ["TMPDIR"] = tempfile.tempdir = str(folder)
    Finalize(None, shutil.rmtree, (folder,), {"ignore_errors": True}, AFTER_ALL)


def pytest_sessionstart() -> None:
    """Stop the garbage collector: what the collection of the tests imports stays in memory."""
    gc.disable()


def pytest_collection_finish() -> None:
    """Start it again, but let it skip all objects that exist now."""
    gc.freeze()
    gc.enable()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Run the slowest files first, so that none runs alone at the end. Give the rig more time."""
    for item in items:
        if RIG in item.path.as_posix() and item.get_closest_marker("timeout") is None:
            item.add_marker(pytest.mark.timeout(RIG_S))
    items.sort(key=lambda item: when(item.path))


def when(path: Path) -> int:
    """Sort key: 0 for files that share a rig, 1 for other slow files, 2 for the rest."""
    return 0 if rig_of(path) else 1 if any(part in path.as_posix() for part in LONG) else 2


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> ByRig | None:
    """Files that share a rig run in one process."""
    return ByRig(config, log) if config.getoption("dist") == "loadfile" else None


@pytest.fixture(autouse=True)
def umask() -> Iterator[None]:
    """Restore the umask: a command that changed it must not affect the next test."""
    os.umask(before := os.umask(0))
    yield
    os.umask(before)


@pytest.fixture
def server() -> Iterator[ModelServer]:
    """Yield a model server that runs before the test begins."""
    with ModelServer() as model_server:
        yield model_server
