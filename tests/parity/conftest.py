"""The reference client for all comparisons, or the reason why there are none."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from parity.both import ROOT, Reference
from parity.one_page import Both
from rig.model_server import ModelServer


@pytest.fixture(scope="session")
def reference(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Reference]:
    python = Path(os.environ.get("PARITY_PYTHON") or ROOT / ".venv-parity" / "bin" / "python")
    if not python.exists():
        reason = f"{python} does not exist: `make parity` installs the reference and compares"
        if os.environ.get("CI") == "true":
            pytest.fail(reason)
        pytest.skip(reason)
    with Reference(python, tmp_path_factory.mktemp("reference")) as client:
        yield client


@pytest.fixture(scope="session")
def server() -> Iterator[ModelServer]:
    with ModelServer(max_model_len=32768, check_pictures=False) as model_server:
        yield model_server


@pytest.fixture
def both(reference: Reference, server: ModelServer, tmp_path: Path) -> Both:
    """Both clients, and a folder of the test's own."""
    return Both(reference, server, tmp_path)
