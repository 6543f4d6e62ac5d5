"""A machine for tests that log in."""

from collections.abc import Iterator

import pytest

from rig.cloud.fixtures import skipped_where_unavailable
from rig.cloud.login import Login, bare_vm


@pytest.fixture(scope="session")
def login(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Login]:
    """One machine for all tests; each test uses its own folders."""
    with (
        skipped_where_unavailable(),
        bare_vm(tmp_path_factory.mktemp("login")) as machine,
    ):
        yield machine
