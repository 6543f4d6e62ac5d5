"""Two runs on one machine: the second says who runs since when; a dead holder holds nothing."""

import dataclasses
import json
import math
import os
import re
import socket
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import pytest

from lib.console import Failure
from lib.knobs import Knobs
from lib.machines import here, lock
from lib.machines.gcp.machine import GcpMachine
from lib.machines.ssh.machine import RemoteMachine
from rig.cloud.fixtures import skipped_where_unavailable
from rig.cloud.gce import GceServer
from rig.cloud.gce_errors import permission_denied, stale_fingerprint
from rig.cloud.login import bare_vm
from rig.cloud.toolkit import VM, GceToolkit
from rig.command import wait_until
from rig.toolkit import ROOT

NOBODY = 2_000_000_000  # no process has such a high number
HERE = here.look()
HOUR = 3600.0
LIBRARIES = (str(ROOT / "tools"), str(ROOT / "vm_side"))


def line(me: here.Here | None = None, **other: Any) -> str:
    """The lock's line of a holder; without a computer, a holder on another one."""
    holder = {"token": "t", "user": "kim", "host": "other-laptop", "pid": 1}
    holder |= {"since": time.time(), "until": time.time() + HOUR}
    return json.dumps(holder | (dataclasses.asdict(me) if me else {}) | other)


HOST = here.Here("laptop", "machine-1", "boot-1")
ANEW = dataclasses.replace(HOST, boot="boot-2")
UNTOLD = here.Here("localhost", "", "")


@pytest.mark.parametrize(
    ("holder", "me", "hours", "lives", "stale"),
    [
        (HOST, HOST, 1, True, False),
        (HOST, HOST, 1, False, True),
        (HOST, HOST, 12, True, False),  # it holds to its last moment
        (HOST, HOST, 13, True, True),  # over by its own limit
        (HOST, ANEW, 1, True, True),  # after a reboot, its pid may belong to another process
        # another machine with the same name
        (HOST, here.Here("laptop", "machine-2", "boot-2"), 1, False, False),
        (HOST, here.Here("other", "machine-1", "boot-2"), 1, False, False),  # a cloned disk
        (here.Here("box", "", "boot-1"), here.Here("box", "", "boot-2"), 1, False, False),
        (UNTOLD, UNTOLD, 1, False, False),  # without an id, nobody can say that the holder is gone
        (UNTOLD, UNTOLD, 13, False, True),
        (HOST, UNTOLD, 1, False, False),
        (UNTOLD, HOST, 1, False, False),
    ],
)
def test_who_is_gone(
    holder: here.Here, me: here.Here, hours: float, lives: bool, stale: bool
) -> None:
    held = read(line(holder, since=1_000_000, until=1_000_000 + 12 * HOUR))
    assert lock.is_stale(held, me, 1_000_000 + hours * HOUR, lives) == stale


def read(text: str) -> lock.Holder:
    holder = lock.read_holder(text)
    assert holder is not None
    return holder


def test_a_line_of_an_older_version_holds_for_a_day() -> None:
    """It has no end, and a host name alone does not prove that the holder is gone."""
    old = read('{"token": "t", "user": "kim", "host": "laptop", "pid": 7, "since": 1000000.5}')
    assert old.until == 1_000_000.5 + 24 * HOUR
    for hours in (1, 23, 25):
        gone = lock.is_stale(old, HOST, 1_000_000.5 + hours * HOUR, lives=False)
        assert gone == (hours > 24)


@pytest.mark.parametrize(
    "text",
    [
        *("", "nonsense", "[]", "{}", '{"token": "t"}', "null", "7", "[" * 100_000),
        *(line(since=moment) for moment in ("now", None, True, -1, 1e300, math.nan, math.inf)),
        *(line(until=moment) for moment in ("later", None, 1e300, math.inf)),
        *(line(pid=pid) for pid in ("1", 1.5, 0, -1, 2**40, True)),
        *(line(host=7), line(user=None), line(token=7), line(machine=7), line(boot=[])),
        *(line(more=1), '{"since": "now"}', '{"since": {}}'),
    ],
)
def test_a_line_that_names_nobody(text: str) -> None:
    assert lock.read_holder(text) is None


@pytest.mark.parametrize(
    ("text", "token", "may_use", "is_lost"),
    [
        ("", None, True, False),
        (line(), None, False, False),
        (line(), "t", True, False),  # a verb of the run that holds the lock
        (line(), "other", False, True),
        ("", "t", True, True),
        ("nonsense", "t", True, True),
        (line(until=time.time() - 1), None, True, False),
        (line(until=time.time() - 1), "t", True, False),  # nobody else has taken the lock
        (line(HERE, pid=os.getpid()), None, False, False),
        (line(HERE, pid=NOBODY), None, True, False),
    ],
)
def test_who_may_use_the_machine(
    text: str, token: str | None, may_use: bool, is_lost: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    if token is not None:
        monkeypatch.setenv(lock.TOKEN_VARIABLE, token)
    with nullcontext() if may_use else pytest.raises(lock.Held, match="held by kim@"):
        lock.refuse_others(text)
    with pytest.raises(Failure, match="taken from this run") if is_lost else nullcontext():
        lock.refuse_if_lost(text)


def test_a_line_names_its_holder_until_when_it_holds() -> None:
    """A sign of life may be late by twice the interval."""
    until = lock.end_from(1_000_000, 5 * HOUR)
    assert until == 1_000_000 + 5 * HOUR + 1200
    for held in (read(line(until=until)), read(line(HERE, pid=2**31 - 1, until=lock.LATEST))):
        assert read(lock.line_of(held)) == held


def test_a_holder_cannot_speak_to_the_terminal() -> None:
    held = str(read(line(user="\x1b]0;kim", host="a\nb")))
    assert held.isprintable() and "kim@a b (process 1) since " in held


def test_a_computer_is_itself_and_no_other() -> None:
    """A process in a container has the same kernel, but other process ids."""
    assert here.look() == HERE and HERE.boot and HERE.host == socket.gethostname()
    script = "import sys; sys.path[:0] = sys.argv[1:]; from lib.machines import here;"
    command = ["unshare", "--pid", "--fork", sys.executable, "-c", f"{script} print(here.look())"]
    done = subprocess.run([*command, *LIBRARIES], capture_output=True, text=True, check=False)
    if done.returncode:
        pytest.skip(f"no rights for a PID namespace: {done.stderr}")
    assert HERE.machine in done.stdout and HERE.boot not in done.stdout


# ---- in the metadata of the VM ----


def hold_by(gce: GceServer, text: str) -> None:
    """Set another holder's lock."""
    items = gce.instance(VM)["metadata"].setdefault("items", [])
    items[:] = [item for item in items if item["key"] != "dots-ocr-lock"]
    items += [{"key": "dots-ocr-lock", "value": text}, {"key": "other", "value": "stays"}]


def held_by(gce: GceServer) -> str:
    return gce.metadata(VM).get("dots-ocr-lock", "")


def test_a_second_run_on_the_vm(gce: GceServer, tmp_path: Path) -> None:
    """The first run waits for a VM that is being repaired; in the end it is killed."""
    gce.add_instance(VM, status="REPAIRING")
    kit = GceToolkit(gce, tmp_path)
    kit.write_pages(1)
    with kit.verb("all") as first:
        wait_until(lambda: held_by(gce))
        verbs = ("all", "start", "upload", "clean", "stop", "delete")
        for verb in verbs:
            end = kit.run_here(verb)
            assert end.code == 1, (verb, end.err)
            holder = (
                rf"the machine is held by \w+@{HERE.host} \(process {first.pid}\) since \d{{4}}-"
            )
            assert re.search(holder, end.err), end.err
            assert "→ wait for its end; make stop FORCE=1" in end.err
        assert not {"start", "stop"} & set(kit.calls)

        token = json.loads(held_by(gce))["token"]  # a verb of the first run
        end = kit.run_here("start", DOTS_OCR_LOCK=token, START_TIMEOUT="0")
        assert "is still REPAIRING" in end.err

        first.process.kill()
        first.process.wait()
    assert held_by(gce)
    end = kit.run_here("stop")  # the holder has died
    assert (end.code, end.err, gce.status(VM)) == (0, "", "TERMINATED")


def test_force_stops_and_takes_the_lock_away(gce: GceServer, tmp_path: Path) -> None:
    gce.add_instance(VM, status="RUNNING")
    hold_by(gce, line())
    kit = GceToolkit(gce, tmp_path)
    end = kit.run_here("stop")
    assert (end.code, gce.status(VM)) == (1, "RUNNING")
    assert "held by kim@other-laptop (process 1) since" in end.err
    assert kit.run_here("stop", FORCE="1").code == 0
    assert (gce.status(VM), gce.metadata(VM)["other"]) == ("TERMINATED", "stays")
    assert held_by(gce) == ""


def test_a_run_that_waits_for_a_machine_does_not_start_it_once_it_is_taken_away(
    gce: GceServer, tmp_path: Path
) -> None:
    gce.add_instance(VM)
    # the first start fails; it tries again in five seconds
    gce.fail_start("ZONE_RESOURCE_POOL_EXHAUSTED", times=1)
    kit = GceToolkit(gce, tmp_path)
    kit.write_pages(1)
    with kit.verb("all") as first:
        wait_until(lambda: "start" in kit.calls)
        assert kit.run_here("stop", FORCE="1").code == 0
        end = first.finish()
    assert end.code == 1
    assert "the machine was taken from this run" in end.err
    assert (gce.status(VM), kit.calls.count("start")) == ("TERMINATED", 1)


def test_the_stop_of_a_run_from_which_it_was_taken_leaves_it_to_the_other(
    gce: GceServer, tmp_path: Path
) -> None:
    gce.add_instance(VM, status="RUNNING")
    hold_by(gce, line())
    end = GceToolkit(gce, tmp_path).run_here("stop", DOTS_OCR_LOCK="of a run before")
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
    [line(HERE, pid=NOBODY), line(until=time.time() - 60), "nonsense"],
    ids=["dead", "too old", "nonsense"],
)
def test_a_stale_lock_is_taken_over(gce: GceServer, machine: GcpMachine, old: str) -> None:
    hold_by(gce, old)
    with lock.hold(machine, 12) as held:
        assert json.loads(held_by(gce))["token"] == held.token
        assert json.loads(held_by(gce))["pid"] == os.getpid()
    assert gce.metadata(VM) == {"other": "stays"}


def test_it_is_given_back_whatever_happens(gce: GceServer, machine: GcpMachine) -> None:
    with pytest.raises(KeyboardInterrupt), lock.hold(machine, 12):
        raise KeyboardInterrupt
    assert held_by(gce) == ""


def test_a_lock_that_cannot_be_given_back_is_said_and_ends_nothing(
    gce: GceServer, machine: GcpMachine, capsys: pytest.CaptureFixture[str]
) -> None:
    """If the network fails here, the stop's loud line must still appear."""
    with lock.hold(machine, 12):
        gce.refuse(permission_denied("compute.instances.setMetadata", VM), "POST", "/setMetadata")
    assert "lock could not be given back: no permission" in capsys.readouterr().err


def test_a_holder_that_lives_holds_it_longer(
    gce: GceServer, machine: GcpMachine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """This also works after one failed change; but a lock that another run took stays taken."""
    monkeypatch.setattr(lock, "RENEW_S", 0.0)
    began = time.time()
    with lock.hold(machine, 1) as held:
        first = read(held_by(gce))
        assert began + HOUR <= first.until <= time.time() + HOUR
        held.renew()
        second = read(held_by(gce))
        assert (second.token, second.since) == (first.token, first.since)
        assert second.until > first.until
        gce.refuse(permission_denied("compute.instances.setMetadata", VM), "POST", times=1)
        held.renew()  # it succeeds the next time
        hold_by(gce, line())
        held.renew()
        assert read(held_by(gce)).user == "kim"
    assert read(held_by(gce)).user == "kim"


def test_the_reader_s_own_limit_decides_nothing(gce: GceServer, tmp_path: Path) -> None:
    """A run of twelve hours is not over because the reader has a limit of one hour."""
    gce.add_instance(VM, status="RUNNING")
    hold_by(gce, line(since=time.time() - 2 * HOUR, until=time.time() + 10 * HOUR))
    kit = GceToolkit(gce, tmp_path, MAX_HOURS="1")
    kit.write_pages(1)
    for verb in ("all", "stop"):
        end = kit.run_here(verb)
        assert (end.code, "held by kim@other-laptop" in end.err) == (1, True), end.err
    assert gce.status(VM) == "RUNNING"


def test_of_two_at_the_same_moment_one_gets_it(gce: GceServer, machine: GcpMachine) -> None:
    def take(name: str) -> bool:
        return machine.swap_lock("", name)

    with ThreadPoolExecutor(4) as pool:
        won = list(pool.map(take, "abcd"))
    assert sum(won) == 1
    assert held_by(gce) == "abcd"[won.index(True)]


def test_a_holder_that_comes_between_two_looks_is_not_taken_for_nobody() -> None:
    class Keeper:
        """A lock that another run takes as soon as it was read."""

        line = ""

        def read_lock(self) -> str:
            found, self.line = self.line, line()
            return found

        def swap_lock(self, old: str, new: str) -> bool:
            return old == self.line

    with pytest.raises(lock.Held), lock.hold(Keeper(), 12):
        pass


def test_other_metadata_that_change_meanwhile_are_no_defeat(
    gce: GceServer, machine: GcpMachine
) -> None:
    """For example, gcloud adds a key between our read and our change."""
    gce.refuse(stale_fingerprint(), "POST", "/setMetadata", times=1)
    assert machine.swap_lock("", "ours")
    assert held_by(gce) == "ours"


# ---- in a file on the machine ----


def test_over_ssh(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with skipped_where_unavailable(), bare_vm(tmp_path) as login:
        monkeypatch.setattr(RemoteMachine, "shell", property(lambda machine: login.shell))
        box: Any = RemoteMachine(Knobs(target="ssh", ssh_host="box"))
        assert box.read_lock() == ""
        with lock.hold(box, 12) as held:
            assert json.loads(box.read_lock())["token"] == held.token
            with pytest.raises(
                Failure, match=rf"held by \w+@{HERE.host} \(process {os.getpid()}\)"
            ):
                lock.refuse_if_held(box)
            monkeypatch.setenv(lock.TOKEN_VARIABLE, held.token)
            lock.refuse_if_held(box)  # our own verbs may go on
            monkeypatch.delenv(lock.TOKEN_VARIABLE)
        assert box.read_lock() == ""
        assert box.swap_lock("", line(HERE, pid=NOBODY))
        with lock.hold(box, 12):
            assert json.loads(box.read_lock())["pid"] == os.getpid()
        assert not box.swap_lock("what was never there", "x")
        with ThreadPoolExecutor(4) as pool:
            won = list(pool.map(lambda name: box.swap_lock("", name), "abcd"))
        assert (sum(won), box.read_lock()) == (1, "abcd"[won.index(True)])
