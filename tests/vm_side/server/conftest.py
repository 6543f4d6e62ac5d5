"""Shorter pauses for the tests that ask a model server."""

from __future__ import annotations

import pytest

from rig.asking import hasten


@pytest.fixture
def hurry(monkeypatch: pytest.MonkeyPatch) -> None:
    """Shorten the pauses of production."""
    hasten(monkeypatch)
