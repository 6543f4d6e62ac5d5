"""Two runs on one machine: the second says who and since when; who is gone holds nothing."""

import json
import os
import re
import socket
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from lib.console import Failure
from lib.knobs import Knobs
from lib.machines import lock
from lib.machines.gcp.machine import GcpMachine
from lib.machines.ssh.machine import RemoteMachine
from rig.cloud.fixtures import skipped_where_unavailable
from rig.cloud.gce import GceServer
from rig.cloud.gce_errors import permission_denied, stale_fingerprint
from rig.cloud.login import bare_vm
from rig.cloud.toolkit import VM, GceToolkit
from rig.command import wait_until

NOBODY = 4_000_000  # no process has so high a number
HERE = socket.gethostname()


def line(host: str = "other-laptop", pid: int = 1, since: float | None = None) -> str:
    """What a holder leaves in its place."""
    since = time.time() if since is None else since
    holder = {"token": "t", "user": "kim", "host": host, "pid": pid, "since": since}
    return json.dumps(holder)


@pytest.mark.parametrize(
    ("host", "hours", "longest_h", "lives", "stale"),
    [
        ("here", 1, 12, True, False),
        ("here", 1, 12, False, True),
        ("here", 13, 12, True, True),  # its VM was stopped by Google
        ("elsewhere", 1, 12, False, False),  # the number is another computer's
        ("elsewhere", 13, 12, False, True),
        ("elsewhere", 23, 0, False, False),  # without MAX_HOURS: a day
        ("elsewhere", 25, 0, False, True),
    ],
)
def test_who_is_gone(host: str, hours: float, longest_h: float, lives: bool, stale: bool) -> None:
    holder = lock.Holder("t", "kim", host, 7, since=1_000_000)
    now = 1_000_000 + hours * 3600
    assert lock.is_stale(holder, "here", now, longest_h, lives) == stale


@pytest.mark.parametrize("text", ["", "nonsense", "[]", "{}", '{"token": "t"}', "null"])
def test_a_line_that_names_nobody(text: str) -> None:
    assert lock.read_holder(text) is None


# ---- in the metadata of the VM ----


def hold_by(gce: GceServer, text: str) -> None:
    """Somebody's lock."""
    items = gce.instance(VM)["metadata"].setdefault("items", [])
    items[:] = [item for item in items if item["key"] != "dots-ocr-lock"]
    items += [{"key": "dots-ocr-lock", "value": text}, {"key": "other", "value": "stays"}]


def held_by(gce: GceServer) -> str:
    return gce.metadata(VM).get("dots-ocr-lock", "")


def test_a_second_run_on_the_vm(gce: GceServer, tmp_path: Path) -> None:
    """The first waits for a VM that is being repaired, and is killed in the end."""
    gce.add_instance(VM, status="REPAIRING")
    kit = GceToolkit(gce, tmp_path)
    kit.write_pages(1)
    with kit.verb("all") as first:
        wait_until(lambda: held_by(gce), 30)
        verbs = ("all", "start", "upload", "clean", "stop", "delete")
        with ThreadPoolExecutor() as pool:
            ends = list(pool.map(kit.run, verbs))
        for verb, end in zip(verbs, ends, strict=True):
            assert end.code == 1, (verb, end.err)
            holder = rf"the machine is held by \w+@{HERE} \(process {first.pid}\) since \d{{4}}-"
            assert re.search(holder, end.err), end.err
            assert "→ wait for its end; make stop FORCE=1" in end.err
        assert not {"start", "stop"} & set(kit.calls)

        token = json.loads(held_by(gce))["token"]  # of its own verbs
        end = kit.run("start", DOTS_OCR_LOCK=token, START_TIMEOUT="0")
        assert "is still REPAIRING" in end.err

        first.process.kill()
        first.process.wait()
    assert held_by(gce)
    end = kit.run("stop")  # the holder is gone
    assert (end.code, end.err, gce.status(VM)) == (0, "", "TERMINATED")


def test_force_stops_and_takes_the_lock_away(gce: GceServer, tmp_path: Path) -> None:
    gce.add_instance(VM, status="RUNNING")
    hold_by(gce, line())
    kit = GceToolkit(gce, tmp_path)
    end = kit.run("stop")
    assert (end.code, gce.status(VM)) == (1, "RUNNING")
    assert "held by kim@other-laptop (process 1) since" in end.err
    assert kit.run("stop", FORCE="1").code == 0
    assert (gce.status(VM), gce.metadata(VM)["other"]) == ("TERMINATED", "stays")
    assert held_by(gce) == ""


def test_a_run_that_waits_for_a_machine_does_not_start_it_once_it_is_taken_away(
    gce: GceServer, tmp_path: Path
) -> None:
    gce.add_instance(VM)
    gce.fail_start("ZONE_RESOURCE_POOL_EXHAUSTED", times=1)  # it tries again in five seconds
    kit = GceToolkit(gce, tmp_path)
    kit.write_pages(1)
    with kit.verb("all") as first:
        wait_until(lambda: "start" in kit.calls, 30)
        assert kit.run("stop", FORCE="1").code == 0
        end = first.finish(60)
    assert end.code == 1
    assert "the machine was taken from this run" in end.err
    assert (gce.status(VM), kit.calls.count("start")) == ("TERMINATED", 1)


def test_the_stop_of_a_run_from_which_it_was_taken_leaves_it_to_the_other(
    gce: GceServer, tmp_path: Path
) -> None:
    gce.add_instance(VM, status="RUNNING")
    hold_by(gce, line())
    end = GceToolkit(gce, tmp_path).run("stop", DOTS_OCR_LOCK="of a run before")
    assert (end.code, gce.status(VM)) == (0, "RUNNING")
    assert "it was taken from this run, and the machine is held by kim@other-laptop" in end.err


@pytest.fixture
def machine(gce: GceServer, monkeypatch: pytest.MonkeyPatch) -> GcpMachine:
    gce.add_instance(VM)
    monkeypatch.setenv("CLOUDSDK_API_ENDPOINT_OVERRIDES_COMPUTE", gce.url)
    monkeypatch.setenv("CLOUDSDK_AUTH_DISABLE_CREDENTIALS", "true")
    return GcpMachine(Knobs(vm=VM, project="rig-project"))


@pytest.mark.parametrize(
    "old",
    [line(HERE, NOBODY), line(since=time.time() - 13 * 3600), "nonsense"],
    ids=["dead", "too old", "nonsense"],
)
def test_a_stale_lock_is_taken_over(gce: GceServer, machine: GcpMachine, old: str) -> None:
    hold_by(gce, old)
    with lock.hold(machine, 12) as token:
        assert json.loads(held_by(gce))["token"] == token
        assert json.loads(held_by(gce))["pid"] == os.getpid()
    assert gce.metadata(VM) == {"other": "stays"}


def test_it_is_given_back_whatever_happens(gce: GceServer, machine: GcpMachine) -> None:
    with pytest.raises(KeyboardInterrupt), lock.hold(machine, 12):
        raise KeyboardInterrupt
    assert held_by(gce) == ""


def test_a_lock_that_cannot_be_given_back_is_said_and_ends_nothing(
    gce: GceServer, machine: GcpMachine, capsys: pytest.CaptureFixture[str]
) -> None:
    """The network that went away keeps the stop's loud line from nobody."""
    with lock.hold(machine, 12):
        gce.refuse(permission_denied("compute.instances.setMetadata", VM), "POST", "/setMetadata")
    assert "lock could not be given back: no permission" in capsys.readouterr().err


def test_of_two_at_the_same_moment_one_gets_it(gce: GceServer, machine: GcpMachine) -> None:
    def take(name: str) -> bool:
        return machine.swap_lock("", name)

    with ThreadPoolExecutor(4) as pool:
        won = list(pool.map(take, "abcd"))
    assert sum(won) == 1
    assert held_by(gce) == "abcd"[won.index(True)]


def test_other_metadata_that_change_meanwhile_are_no_defeat(
    gce: GceServer, machine: GcpMachine
) -> None:
    """gcloud brings a key, say, between our look and our change."""
    gce.refuse(stale_fingerprint(), "POST", "/setMetadata", times=1)
    assert machine.swap_lock("", "ours")
    assert held_by(gce) == "ours"


# ---- in a file on the machine ----


def test_over_ssh(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with skipped_where_unavailable(), bare_vm(tmp_path) as login:
        monkeypatch.setattr(RemoteMachine, "shell", property(lambda machine: login.shell))
        box: Any = RemoteMachine(Knobs(target="ssh", ssh_host="box"))
        assert box.read_lock() == ""
        with lock.hold(box, 12) as token:
            assert json.loads(box.read_lock())["token"] == token
            with pytest.raises(Failure, match=rf"held by \w+@{HERE} \(process {os.getpid()}\)"):
                lock.refuse_if_held(box, 12)
            monkeypatch.setenv(lock.TOKEN_VARIABLE, token)
            lock.refuse_if_held(box, 12)  # our own verbs
            monkeypatch.delenv(lock.TOKEN_VARIABLE)
        assert box.read_lock() == ""
        assert box.swap_lock("", line(HERE, NOBODY))
        with lock.hold(box, 12):
            assert json.loads(box.read_lock())["pid"] == os.getpid()
        assert not box.swap_lock("what was never there", "x")
        with ThreadPoolExecutor(4) as pool:
            won = list(pool.map(lambda name: box.swap_lock("", name), "abcd"))
        assert (sum(won), box.read_lock()) == (1, "abcd"[won.index(True)])
