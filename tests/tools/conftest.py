"""Fixtures that the tests of the commands share."""

import os
import shutil
import signal
import tempfile
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from playwright.sync_api import Browser

from rig.browser import Watched, open_browser
from rig.model_server import ModelServer
from rig.reports import build, small_set
from rig.toolkit import NOT_INHERITED, Toolkit, copy_project, free_port, make_environment


@pytest.fixture(autouse=True)
def no_knobs_of_the_developer(monkeypatch: pytest.MonkeyPatch) -> None:
    """Hide the developer's own settings from the tests."""
    for name in NOT_INHERITED:
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def kit(tmp_path: Path, server: ModelServer) -> Toolkit:
    """The toolkit with this model server."""
    return Toolkit(tmp_path, ENDPOINT=server.url)


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """A real browser. Not for the session: while it is open, this thread cannot run asyncio."""
    with open_browser() as found:
        yield found


@pytest.fixture
def watched(browser: Browser) -> Iterator[Watched]:
    """A page; at the end of the test it must have done nothing forbidden."""
    found = Watched.open(browser)
    yield found
    found.page.close()
    assert found.trouble == []


@pytest.fixture(scope="module")
def samples(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The report of the small set; its pages have pictures."""
    folder = tmp_path_factory.mktemp("samples")
    small_set(folder / "results")
    return build(folder / "results")


@pytest.fixture
def street() -> Iterator[Path]:
    """A folder that everybody may enter, unlike pytest's own; the umask is restored at the end."""
    folder = Path(tempfile.mkdtemp(prefix="dots-ocr-street-"))
    folder.chmod(0o755)
    before = os.umask(0o022)
    yield folder
    os.umask(before)
    shutil.rmtree(folder)


@pytest.fixture(scope="session")
def python(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A Python environment for the tests only."""
    return make_environment(tmp_path_factory.mktemp("environment"))


@pytest.fixture(scope="session")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the project for all tests, compiled once; no test changes it."""
    return copy_project(tmp_path_factory.mktemp("project"))


@pytest.fixture
def own(tmp_path: Path, project: Path, python: str) -> Iterator[Toolkit]:
    """The toolkit without a model server: it starts its own, a stand-in for the CPU preview."""
    endpoint = f"http://127.0.0.1:{free_port()}"
    toolkit = Toolkit(tmp_path, project, python, ENDPOINT=endpoint)
    yield toolkit
    for pid in toolkit.living():
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
