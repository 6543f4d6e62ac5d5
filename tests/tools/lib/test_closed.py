"""Copies of private scans stay private, on the way and at home."""

import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from lib.closed import as_closed_as, closed_to, to_all
from rig.model_server import ModelServer
from rig.toolkit import Toolkit


@pytest.fixture
def street() -> Iterator[Path]:
    """A folder that all may enter, unlike pytest's own; our umask is as before at its end."""
    folder = Path(tempfile.mkdtemp(prefix="dots-ocr-street-"))
    folder.chmod(0o755)
    before = os.umask(0o022)
    yield folder
    os.umask(before)
    shutil.rmtree(folder)


@pytest.mark.parametrize(
    ("modes", "closed"),
    [
        ((0o755, 0o755, 0o644), 0),
        ((0o700, 0o755, 0o644), 0o077),
        ((0o755, 0o700, 0o644), 0o077),  # a folder on the way there
        ((0o755, 0o755, 0o600), 0o077),
        ((0o750, 0o755, 0o644), 0o007),
        ((0o711, 0o755, 0o644), 0),  # who knows the name gets in
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


def rights_below(folder: Path) -> set[str]:
    """The rights of the folder, and of all in it: folders as d700, files as 600."""
    paths = [folder, *folder.rglob("*")]
    return {f"{'d' * path.is_dir()}{path.stat().st_mode & 0o777:o}" for path in paths}


@pytest.mark.parametrize("mode", [0o700, 0o755])
def test_all_that_is_made_of_private_scans_is_private(street: Path, mode: int) -> None:
    """The machine's folder always, results and the report as INPUT is."""
    with ModelServer() as server:
        kit = Toolkit(street / "desk", ENDPOINT=server.url, IMAGES="1")
        kit.write_pages(1)
        kit.input.chmod(mode)
        end = kit.run("all")
        assert end.code == 0, end.err
    assert rights_below(kit.machine) == {"d700", "600"}
    open_to_all = {"d755", "644"}
    assert rights_below(kit.output) == (open_to_all if mode == 0o755 else {"d700", "600"})
    assert (kit.output / "report.html").is_file()
