"""The real server for all tests here, or the reason why there is none."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from rig.asking import hasten
from rig.vllm_ages import Age
from vllm.vllm_server import AGE, PYTHON, VllmServer, build_model


def pytest_report_header() -> str:
    return f"vLLM {AGE.version}"


@pytest.fixture(scope="session")
def age() -> Age:
    """What the vLLM of these tests knows; VLLM=0.11.0 says which it is."""
    return AGE


@pytest.fixture(scope="session")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the tiny model."""
    if not PYTHON.exists():
        reason = f"{PYTHON} does not exist: `make test-vllm VLLM={AGE.version}` makes it"
        if os.environ.get("CI") == "true":
            pytest.fail(reason)
        pytest.skip(reason)
    return build_model(tmp_path_factory.mktemp("vllm") / "model")


@pytest.fixture(scope="session")
def shared_server(model: Path) -> Iterator[VllmServer]:
    with VllmServer(model, model.parent / "server.log") as vllm:
        yield vllm


@pytest.fixture
def server(shared_server: VllmServer) -> VllmServer:
    """The server, up again if the test before has ended it."""
    if not shared_server.is_healthy():
        shared_server.restart()
        shared_server.wait_until_ready()
    return shared_server


@pytest.fixture(autouse=True)
def hurry(monkeypatch: pytest.MonkeyPatch) -> None:
    """No test waits for the pauses of production."""
    hasten(monkeypatch)
