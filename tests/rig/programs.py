"""System programs that tests need."""

import os
import shutil

import pytest


def needed(name: str, package: str) -> str:
    """The path of a program. If it is missing, the test is skipped; in CI it fails."""
    path = shutil.which(name)
    if path is None:
        reason = f"{name} is not installed: apt-get install {package}"
        if os.environ.get("CI") == "true":
            pytest.fail(reason)
        pytest.skip(reason)
    return path
