"""For whom a path is closed; files made from it are closed for them, too."""

import os
from pathlib import Path

import pytest

from lib.closed import as_closed_as, closed_to, to_all


@pytest.mark.parametrize(
    ("modes", "closed"),
    [
        ((0o755, 0o755, 0o644), 0),
        ((0o700, 0o755, 0o644), 0o077),
        ((0o755, 0o700, 0o644), 0o077),  # a folder above it
        ((0o755, 0o755, 0o600), 0o077),
        ((0o750, 0o755, 0o644), 0o007),
        ((0o711, 0o755, 0o644), 0),  # whoever knows the name can enter
        ((0o755, 0o755, 0o640), 0o007),
    ],
)
def test_whom_a_path_is_closed_to(street: Path, modes: tuple[int, ...], closed: int) -> None:
    paths = [street / "a", street / "a/b", street / "a/b/page.png"]
    paths[1].mkdir(parents=True)
    paths[2].touch()
    for path, mode in zip(paths, modes, strict=True):
        path.chmod(mode)
    assert closed_to(paths[2]) == closed
    as_closed_as(paths[2])
    assert os.umask(0o022) == 0o022 | closed
    as_closed_as(street / "nowhere")
    with to_all():
        assert os.umask(0o077) == 0o077
    assert os.umask(0o022) == 0o022
