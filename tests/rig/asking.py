"""Ask a model server for one small picture, as a worker does, but with shorter pauses."""

from __future__ import annotations

from typing import Any

import pytest

from picture.png import encode_png
from rig.model_server import ModelServer
from rig.pages import tiny
from server import connection, endpoint
from server.endpoint import Endpoint
from server.request import Completion, Sampling
from server.verdicts import EndpointError

PNG = encode_png(tiny(1))
SAMPLING = Sampling(temperature=0.1, max_tokens=1000, repetitions=100)
RETRIES = 3


def hasten(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make pauses and health checks much shorter."""
    monkeypatch.setattr(endpoint, "FIRST_PAUSE_S", 0.01)
    monkeypatch.setattr(endpoint, "LONGEST_PAUSE_S", 0.3)
    monkeypatch.setattr(connection, "HEALTH_INTERVAL_S", 0.1)


def client(url: str, **more: Any) -> Endpoint:
    """Return an endpoint with little patience; `more` can give it more."""
    values = {"request_timeout_s": 60.0, "ready_timeout_s": 5.0, "retries": RETRIES, **more}
    return Endpoint(url, **values)


def ask(server: ModelServer, **more: Any) -> Completion:
    """Ask once, over a connection of its own."""
    asking = client(server.url, **more)
    try:
        return asking.complete("model", PNG, "Read it.", SAMPLING)
    finally:
        asking.close()


def failure(server: ModelServer, **more: Any) -> str:
    """Ask, and return the text of the EndpointError that must follow."""
    with pytest.raises(EndpointError) as error:
        ask(server, **more)
    return str(error.value)
