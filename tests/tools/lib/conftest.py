"""Fixtures that some tests of lib/ share."""

from pathlib import Path

import pytest

from rig.desk import Desk


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    """A machine's results and OUTPUT, both empty."""
    return Desk(tmp_path)
