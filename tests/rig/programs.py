"""Programs of the system that a test cannot do without."""

import os
import shutil

import pytest


def needed(name: str, package: str) -> str:
    """Where it is. Without it the test is skipped, except in CI, where that is a failure."""
    path = shutil.which(name)
    if path is None:
        reason = f"{name} is not installed: apt-get install {package}"
        if os.environ.get("CI") == "true":
            pytest.fail(reason)
        pytest.skip(reason)
    return path
