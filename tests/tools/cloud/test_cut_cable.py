"""The cable is cut: no verb hangs, the job continues, and the next call finds everything."""

from __future__ import annotations

import json
import os
import signal
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from lib.console import Failure
from lib.knobs import Knobs
from lib.machines.gcp.faults import Unreachable
from lib.machines.gcp.machine import GcpMachine
from lib.machines.ssh import sight
from lib.machines.ssh.machine import RemoteMachine
from lib.machines.ssh.shell import ConnectionLost
from rig.cloud.ssh_toolkit import SshToolkit, model_in, page_requests, wait_for_requests
from rig.cloud.vm import Vm
from rig.command import Finished, Running, wait_until
from rig.model_server import Reply
from rig.toolkit import files_below, line

SLOW, FILE_BYTES, FILES = "8mbit", 500_000, 60  # half a minute in each direction
NOTICED_S = 240.0  # three missed signs of life, five seconds apart, on a very busy computer
CUT_S = 10.0


@pytest.fixture
def desk(box: Vm, tmp_path: Path) -> Iterator[SshToolkit]:
    """A desk; at the end the cable is whole and fast again."""
    kit = SshToolkit(box, tmp_path)
    kit.clear()
    yield kit
    box.uncut()
    box.rate(None)


def write_large(folder: Path, ending: str) -> list[str]:
    """Write files that need some time on a slow line; return their names."""
    folder.mkdir(parents=True, exist_ok=True)
    names = [f"large{number}{ending}" for number in range(FILES)]
    for name in names:
        noise = os.urandom(FILE_BYTES)
        is_json = ending == ".json"
        (folder / name).write_bytes(f'["{noise[::2].hex()}"]'.encode() if is_json else noise)
    return names


def inodes(folder: Path) -> dict[str, int]:
    """The files below a folder and their inodes; a file that is written again gets a new inode."""
    return {name: (folder / name).stat().st_ino for name in files_below(folder)}


def finish_cut(running: Running, cut_s: float) -> Finished:
    """A command that was cut off must end soon, without a traceback; return how it ended."""
    done = running.finish(NOTICED_S + 20)
    assert time.monotonic() - cut_s < NOTICED_S
    assert "Traceback" not in done.err
    return done


def test_during_the_upload_and_the_download(desk: SshToolkit, tmp_path: Path) -> None:
    sent = write_large(desk.input, ".png")
    results = desk.home("result")
    fetched = write_large(results, ".json")
    pages = [name.removesuffix(".json") for name in fetched]
    for page in pages:
        for ending in (".md", "_nohf.md"):
            (results / f"{page}{ending}").write_text(page)
    (results / "manifest.jsonl").write_text("".join(f"{json.dumps(line(p))}\n" for p in pages))

    desk.vm.rate(SLOW)
    with desk.verb("upload") as upload, desk.verb("download") as download:
        wait_until(lambda: len(files_below(desk.home("input"))) >= 3)
        wait_until((desk.output / fetched[1]).exists)
        desk.vm.cut()
        cut_s = time.monotonic()
        with desk.verb("status") as status:
            looked = finish_cut(status, cut_s)
        assert looked.code == 0
        assert "cannot be reached" in looked.out
        for running, verb in ((upload, "upload"), (download, "download")):
            done = finish_cut(running, cut_s)
            assert done.code == 1
            assert "the connection was lost" in done.err
            assert f"→ make {verb} goes on" in done.err
    had, there = inodes(desk.output), inodes(desk.home("input"))
    assert 1 < len(had) < 3 * FILES
    assert 1 < len(there) < FILES
    assert all((desk.output / n).read_bytes() == (results / n).read_bytes() for n in had)

    desk.vm.uncut()
    desk.vm.rate(None)
    assert desk.run_here("upload").code == 0
    assert desk.run_here("download").code == 0
    now = inodes(desk.home("input"))
    assert sorted(now) == sorted(sent)
    assert all((desk.home("input") / n).read_bytes() == (desk.input / n).read_bytes() for n in now)
    again = [name for name in there if there[name] != now[name]]
    assert len(again) <= 1  # the file that was cut off
    now = inodes(desk.output)
    assert len(now) == 3 * FILES + 1
    assert had.items() <= now.items()
    assert all((desk.output / n).read_bytes() == (results / n).read_bytes() for n in fetched)


def test_during_processing_for_ten_seconds_and_for_good(desk: SshToolkit) -> None:
    desk.write_pages(4)
    assert desk.run_here("upload").code == 0
    goes = [threading.Event() for _ in range(4)]
    with model_in(desk.vm) as model:

        def answer(request: Any) -> Reply:
            if request.size != (28, 28):
                goes[page_requests(model).index(request)].wait(600)
            return Reply()

        def there() -> int:
            manifest = desk.home("result/manifest.jsonl")
            return manifest.read_text().count("\n") if manifest.exists() else 0

        model.script = answer
        process = desk.verb("process")
        desk.wait_for_looks(3)
        wait_for_requests(model, 2)
        desk.vm.cut()
        cut_s = time.monotonic()
        goes[0].set()
        wait_until(lambda: there() == 1)  # the job continues
        time.sleep(max(0.0, cut_s + CUT_S - time.monotonic()))
        desk.vm.uncut()
        desk.wait_for_looks(2)

        desk.vm.cut()
        goes[1].set()
        wait_until(lambda: there() == 2)
        time.sleep(CUT_S)
        assert process.process.poll() is None  # it keeps trying
        process.process.send_signal(signal.SIGTERM)
        assert process.finish().code == 130

        desk.vm.uncut()
        again = desk.verb("process")
        desk.wait_for_looks(3)
        goes[2].set()
        goes[3].set()
        done = again.finish()
        assert done.code == 0, done.err
        assert len(page_requests(model)) == 4
    assert list(desk.statuses_there().values()) == ["ok"] * 4


def test_it_gives_up_some_time_and_says_what_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    class Cut(RemoteMachine):
        looks = 0

        def look(self, log_from: int = 0, ask: bool = False) -> dict[str, Any]:
            self.looks += 1
            raise ConnectionLost("box", "Connection timed out")

    machine = Cut(Knobs(target="ssh", ssh_host="box"))
    monkeypatch.setattr(sight, "RECONNECT_S", 0.1)
    monkeypatch.setattr(sight, "POLL_S", 0.04)
    with pytest.raises(Failure, match=r"what runs there goes on\n  → make process attaches again"):
        machine.run([], lambda: None)
    assert machine.looks > 2


@pytest.mark.parametrize(
    ("found", "is_refused"), [("RUNNING", False), ("TERMINATED", True), (None, False)]
)
def test_a_vm_that_is_off_is_not_waited_for(found: str | None, is_refused: bool) -> None:
    class Found:
        def status(self) -> str:
            if found is None:
                raise Unreachable("our own network is down as well")
            return found

    machine = GcpMachine(Knobs(vm="dots"))
    machine.__dict__["instance"] = Found()
    if is_refused:
        with pytest.raises(Failure, match="dots is TERMINATED: preempted, idle, or stopped"):
            machine._refuse_if_off()
    else:
        machine._refuse_if_off()
