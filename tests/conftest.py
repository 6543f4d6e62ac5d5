"""What holds for every test."""

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

# gcsfs reads it once, when it is imported, by whichever test comes first in this process; its probe
# of the bucket hangs on the stand-in for Cloud Storage
os.environ.setdefault("GCSFS_EXPERIMENTAL_ZB_HNS_SUPPORT", "false")

LONG = ("/cloud/test_", "/test_fleet")  # files that run for minutes

AFTER_ALL = -1000  # multiprocessing takes its folder away at -100

RIG, RIG_S = "/cloud/test_", 900  # seconds for one test on the cloud's rig


def pytest_configure() -> None:
    """A shell that runs this behind a & lets it, and all that tests start, ignore Ctrl-C."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    if "PYTEST_XDIST_WORKER" not in os.environ:
        keep_temporary_files_together()


def keep_temporary_files_together() -> None:
    """Below one folder, which goes at the end: what a test kills leaves its own behind.

    pytest's own stay where they are.
    """
    os.environ.setdefault("PYTEST_DEBUG_TEMPROOT", tempfile.gettempdir())
    folder = Path(tempfile.mkdtemp(prefix="dots-"))  # short: sockets are made there
    folder.chmod(0o1777)
    os.environ["TMPDIR"] = tempfile.tempdir = str(folder)
    Finalize(None, shutil.rmtree, (folder,), {"ignore_errors": True}, AFTER_ALL)


def pytest_sessionstart() -> None:
    """What is imported to collect the tests stays: the collector need not go through it."""
    gc.disable()


def pytest_collection_finish() -> None:
    """Nor ever after."""
    gc.freeze()
    gc.enable()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The longest first: one begun at the end would run alone. Those of the rig may take longer."""
    for item in items:
        if RIG in item.path.as_posix() and item.get_closest_marker("timeout") is None:
            item.add_marker(pytest.mark.timeout(RIG_S))
    items.sort(key=lambda item: when(item.path))


def when(path: Path) -> int:
    """First those that run for minutes with others in one process, then those that do so alone."""
    return 0 if rig_of(path) else 1 if any(part in path.as_posix() for part in LONG) else 2


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> ByRig | None:
    """Files that share a rig run in one process."""
    return ByRig(config, log) if config.getoption("dist") == "loadfile" else None


@pytest.fixture(autouse=True)
def umask() -> Iterator[None]:
    """What a verb closed to others, the next test in this process does not."""
    os.umask(before := os.umask(0))
    yield
    os.umask(before)


@pytest.fixture
def server() -> Iterator[ModelServer]:
    """A model server that was there before us."""
    with ModelServer() as model_server:
        yield model_server
