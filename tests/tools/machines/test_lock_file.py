"""The lock of a machine that is a folder here: a living run holds it, a dead one does not."""

import errno
import fcntl
import json
import os
import pwd
import subprocess
import sys
from pathlib import Path

import pytest

from lib.console import Failure
from lib.knobs import Knobs
from lib.machines import here, lock
from lib.machines.local import LocalMachine
from lib.machines.lock_file import LockFile
from rig.toolkit import ROOT

HOLDER = """
import sys, time
from pathlib import Path
sys.path[:0] = sys.argv[2:]
from lib.machines.lock_file import LockFile
assert LockFile(Path(sys.argv[1])).swap("", "a holder's line")
print("held", flush=True)
time.sleep(600)
"""


@pytest.fixture
def machine(tmp_path: Path) -> LocalMachine:
    return LocalMachine(Knobs(target="local", machine_dir=str(tmp_path / "machine")))


def test_a_machine_that_never_was_is_held_by_nobody(machine: LocalMachine) -> None:
    assert machine.read_lock() == ""
    lock.refuse_if_held(machine)
    assert not machine.folder.exists()


def test_one_run_at_a_time(machine: LocalMachine, monkeypatch: pytest.MonkeyPatch) -> None:
    """The next run learns who holds it; verbs of the first run may go on."""
    other = LocalMachine(machine.knobs)
    with lock.hold(machine, 12) as held:
        for _ in range(2):
            who = rf"held by \w+@{here.look().host} \(process {os.getpid()}\)"
            with pytest.raises(lock.Held, match=who), lock.hold(other, 12):
                raise AssertionError("two")
            held.renew()
        monkeypatch.setenv(lock.TOKEN_VARIABLE, held.token)
        lock.refuse_if_held(other)
        monkeypatch.delenv(lock.TOKEN_VARIABLE)
    with lock.hold(other, 12) as held:
        assert json.loads(machine.read_lock())["token"] == held.token
    assert list(machine.folder.iterdir()) == []


def test_a_user_who_has_no_name(machine: LocalMachine, monkeypatch: pytest.MonkeyPatch) -> None:
    """As in a container that runs with any user id."""

    def nobody(number: int) -> None:
        raise KeyError(f"getpwuid(): uid not found: {number}")

    monkeypatch.setattr(pwd, "getpwuid", nobody)
    for name in ("LOGNAME", "USER", "LNAME", "USERNAME"):
        monkeypatch.delenv(name, raising=False)
    with lock.hold(machine, 1.0):
        holder = lock.read_holder(machine.read_lock())
        assert holder is not None and holder.user == str(os.getuid())


def test_who_is_killed_holds_nothing(tmp_path: Path) -> None:
    """Another process may have the holder's pid now: only the lock counts, not its line."""
    file = LockFile(tmp_path / "lock")
    libraries = [str(ROOT / "tools"), str(ROOT / "vm_side")]
    command = [sys.executable, "-c", HOLDER, str(tmp_path / "lock"), *libraries]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as holder:
        try:
            assert holder.stdout and holder.stdout.readline() == "held\n"
            assert file.read() == "a holder's line"
            assert not file.swap("", "ours") and not file.swap("another's line", "ours")
        finally:
            holder.kill()
    assert file.swap("", "ours") and file.read() == "ours"


def test_what_was_taken_away_is_not_given_back(tmp_path: Path) -> None:
    """make stop FORCE=1 takes it away, and then another run holds it."""
    first, second = LockFile(tmp_path / "lock"), LockFile(tmp_path / "lock")
    assert first.swap("", "first") and first.swap("first", "first, later")
    assert second.swap(second.read(), "") and first.read() == ""
    assert second.swap("", "second")
    assert not first.swap("first, later", "") and not first.swap("first, later", "first, again")
    assert first.read() == second.read() == "second"
    assert second.swap("second", "") and first.swap("", "first") and second.read() == "first"


@pytest.mark.parametrize(
    "line",
    ['{"token": "t", "until": 9999999999', "\udcff", "[" * 9999],
    ids=["torn", "no text", "deep"],
)
def test_what_nobody_keeps_locked_is_nobody_s(tmp_path: Path, line: str) -> None:
    (tmp_path / "lock").write_text(line, errors="surrogateescape")
    file = LockFile(tmp_path / "lock")
    assert file.read() == "" and file.swap("", "ours") and file.read() == "ours"


def test_a_disk_shared_over_a_network(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """NFS gives a lock only to who may write. The worst case is that a folder can have no lock."""
    flock = fcntl.flock

    def flock_of_nfs(descriptor: int, how: int) -> None:
        if fcntl.fcntl(descriptor, fcntl.F_GETFL) & os.O_ACCMODE == os.O_RDONLY:
            raise OSError(errno.EBADF, os.strerror(errno.EBADF))
        flock(descriptor, how)

    monkeypatch.setattr(fcntl, "flock", flock_of_nfs)
    first, second = LockFile(tmp_path / "lock"), LockFile(tmp_path / "lock")
    assert first.swap("", "first") and second.read() == "first" and not second.swap("", "second")
    assert first.swap("first", "") and second.swap("", "second") and first.read() == "second"


def test_a_lock_that_cannot_be_used_is_told_with_the_next_step(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    for path, why in ((tmp_path, "Is a directory"), (tmp_path / "file/lock", "File exists")):
        with pytest.raises(Failure, match=f"cannot be used: {why}") as error:
            LockFile(path).swap("", "ours")
        assert "MACHINE_DIR=" in error.value.message
