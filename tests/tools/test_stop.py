"""make stop: when it returns, the machine is off."""

import fcntl
import os
import signal
from contextlib import suppress
from pathlib import Path

import pytest

import stop
from lib.console import Failure
from lib.knobs import TABLE
from lib.machines import local_job
from lib.machines.ours import TRIAL_VARIABLE
from rig import preview
from rig.command import wait_until
from rig.model_server import ModelServer
from rig.replies import Reply
from rig.toolkit import Toolkit, statuses_in


def test_ends_the_server_that_start_started(own: Toolkit) -> None:
    assert own.run("start").code == 0
    assert own.living()
    end = own.run_here("stop")
    assert (end.code, end.out, end.err) == (0, "", "")
    assert not own.living()


def test_it_says_what_has_ended_on_every_kind_of_machine() -> None:
    assert set(stop.DONE) == set(TABLE["TARGET"].metadata["kind"].choices)


def test_twice_and_of_a_machine_that_never_was_is_harmless(own: Toolkit) -> None:
    assert own.run_here("stop").code == 0
    assert not own.machine.exists()
    assert own.run("start").code == 0
    assert own.run_here("stop").code == 0
    assert own.run_here("stop").code == 0


def test_leaves_a_server_alone_that_it_did_not_start(kit: Toolkit, server: ModelServer) -> None:
    assert kit.run_here("start").code == 0
    assert kit.run_here("stop").code == 0
    assert "ready" in kit.run_here("status").out


@pytest.mark.parametrize(("trial", "folder"), [("", "result"), ("1", "trial-result")])
def test_ends_a_job_that_outlived_its_run(
    kit: Toolkit, server: ModelServer, trial: str, folder: str
) -> None:
    """Otherwise it reads on and locks the results of the next run. make tune has other results."""
    kit.write_pages(2)
    server.script = lambda request: Reply(delay_s=60)
    own = {TRIAL_VARIABLE: trial}
    assert kit.run_here("start", **own).code == 0 and kit.run("upload", **own).code == 0
    with kit.verb("process", **own) as job:
        wait_until(lambda: bool(server.requests))
        job.process.kill()
        job.process.wait()
        assert kit.living()
        end = kit.run_here("stop")
        assert (end.code, end.err) == (0, "")
        job.wait_until_nobody_is_left()
    assert set(statuses_in(kit.machine / folder).values()) == {"left"}


def test_a_job_that_cannot_be_told_is_named(tmp_path: Path) -> None:
    """The lock is held, but its line does not say by whom."""
    lock = tmp_path / ".lock"
    assert local_job.holder(lock) == 0
    lock.write_text("process 0, of nobody")
    local_job.end(lock)
    with lock.open() as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        with pytest.raises(Failure, match="does not say which"):
            local_job.end(lock)


def test_waits_until_the_server_has_ended(own: Toolkit) -> None:
    assert own.run("start", PREVIEW="lingers").code == 0
    wait_until(lambda: "ready" in own.run_here("status").out)
    with own.verb("stop") as stop:
        wait_until((own.machine / preview.ENDING).exists)
        assert stop.process.poll() is None
        (own.machine / preview.MAY_END).touch()
        assert stop.finish().code == 0
        assert not own.living()


def test_a_server_of_which_the_number_was_lost_is_not_forgotten(own: Toolkit) -> None:
    assert own.run("start").code == 0
    note = own.machine / "server.json"
    for damaged in ("", "{", "[]", '{"pid": "all"}'):
        note.write_text(damaged)
        end = own.run_here("stop")
        assert end.code == 1
        assert f"fuser {own.machine / 'server.lock'}" in end.err
        assert own.living()
    note.unlink()
    assert own.run_here("stop").code == 1


def test_the_number_of_a_dead_server_is_nobody(own: Toolkit) -> None:
    """After a reboot another program may have that pid; it must not get a signal."""
    assert own.run("start").code == 0
    for pid in own.living():
        os.kill(pid, signal.SIGKILL)
    wait_until(lambda: not own.living())
    with own.start("sleep", "60") as other:
        (own.machine / "server.json").write_text(f'{{"pid": {other.pid}}}')
        assert own.run_here("stop").code == 0
        assert other.process.poll() is None
        with suppress(ProcessLookupError):
            os.kill(other.pid, signal.SIGKILL)
