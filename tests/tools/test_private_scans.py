"""Copies of private scans stay private, on the way and at home."""

from pathlib import Path

import pytest

from rig.model_server import ModelServer
from rig.toolkit import Toolkit


def rights_below(folder: Path) -> set[str]:
    """The rights of the folder and all in it: folders like d700, files like 600."""
    paths = [folder, *folder.rglob("*")]
    return {f"{'d' * path.is_dir()}{path.stat().st_mode & 0o777:o}" for path in paths}


@pytest.mark.parametrize("mode", [0o700, 0o755])
def test_all_that_is_made_of_private_scans_is_private(
    street: Path, server: ModelServer, mode: int
) -> None:
    """The machine's folder is always private; results and the report are if INPUT is."""
    kit = Toolkit(street / "desk", ENDPOINT=server.url, IMAGES="1")
    kit.write_pages(1)
    kit.input.chmod(mode)
    end = kit.run("all")
    assert end.code == 0, end.err
    assert rights_below(kit.machine) == {"d700", "600"}
    open_to_all = {"d755", "644"}
    assert rights_below(kit.output) == (open_to_all if mode == 0o755 else {"d700", "600"})
    assert (kit.output / "report.html").is_file()
