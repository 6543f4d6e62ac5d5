"""Files that are complete, or do not exist."""

from __future__ import annotations

from pathlib import Path

import pytest

from results.durable import write_whole


def test_a_file_is_written_whole_or_not_at_all(tmp_path: Path) -> None:
    path = tmp_path / "summary.json"
    write_whole(path, [b"old"])
    (tmp_path / "summary.json.part").mkdir()
    with pytest.raises(IsADirectoryError):
        write_whole(path, [b"new"])
    assert path.read_bytes() == b"old"
    (tmp_path / "summary.json.part").rmdir()
    write_whole(path, [b"n", b"ew"])
    assert path.read_bytes() == b"new"
    assert list(tmp_path.iterdir()) == [path]
