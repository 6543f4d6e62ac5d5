"""A model server to ask, in a hurry."""

from __future__ import annotations

import pytest

from rig.asking import hasten


@pytest.fixture
def hurry(monkeypatch: pytest.MonkeyPatch) -> None:
    """The test does not wait for the pauses of production."""
    hasten(monkeypatch)
