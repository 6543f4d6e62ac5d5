"""The folder of the kept ssh connections must be ours alone, or it is not used."""

import os
import stat
import tempfile
from pathlib import Path

import pytest

from lib.console import Failure
from lib.machines.ssh.shell import socket_folder


@pytest.fixture(autouse=True)
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A temporary folder for this test only."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    return tmp_path / f"dots-ocr-ssh-{os.getuid()}"


def test_it_is_made_and_used_again(temporary: Path) -> None:
    assert socket_folder() == socket_folder() == temporary
    assert stat.S_IMODE(temporary.stat().st_mode) == 0o700


def test_one_that_others_may_enter_is_refused(temporary: Path) -> None:
    temporary.mkdir()
    temporary.chmod(0o755)
    with pytest.raises(Failure, match="not ours alone"):
        socket_folder()


def test_a_link_is_refused(temporary: Path, tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir(mode=0o700)
    temporary.symlink_to(tmp_path / "elsewhere")
    with pytest.raises(Failure, match="not ours alone"):
        socket_folder()


def test_one_of_another_user_is_refused(temporary: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    temporary.mkdir(mode=0o700)
    monkeypatch.setattr(os, "getuid", lambda: temporary.stat().st_uid)
    assert socket_folder() == temporary
    other = temporary.stat().st_uid + 1
    monkeypatch.setattr(os, "getuid", lambda: other)
    theirs = temporary.with_name(f"dots-ocr-ssh-{other}")
    theirs.mkdir(mode=0o700)  # it has the right name, but another user made it
    with pytest.raises(Failure, match="not ours alone"):
        socket_folder()
