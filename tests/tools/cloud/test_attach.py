"""A job belongs to the machine: clients come and go, and each can follow it."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from rig.cloud.ssh_toolkit import (
    SshToolkit,
    Terminal,
    model_in,
    page_requests,
    wait_for_requests,
)
from rig.cloud.vm import Vm
from rig.model_server import ModelServer, Reply, Request

PAGES = 4
END_IT = "End it instead?"


class Gate:
    """A model that answers only after a test opens it; it refuses one page."""

    def __init__(self, model: ModelServer) -> None:
        self.model, self.open = model, threading.Event()
        self.refuse_number = -1
        model.script = self._answer

    def _answer(self, request: Request) -> Reply:
        if request.size == (28, 28):
            return Reply()
        self.open.wait(600)
        is_bad = page_requests(self.model).index(request) == self.refuse_number
        return Reply(status=400, error_message="no such page") if is_bad else Reply()


@pytest.fixture
def kit(box: Vm, tmp_path: Path) -> SshToolkit:
    """A desk, with a few pages that are already on the machine."""
    desk = SshToolkit(box, tmp_path)
    desk.clear()
    desk.write_pages(PAGES)
    assert desk.run_here("upload").code == 0
    return desk


@pytest.fixture
def gate(box: Vm) -> Iterator[Gate]:
    """The machine's model, closed at first."""
    with model_in(box) as model:
        held = Gate(model)
        yield held
        held.open.set()


def test_a_second_process_follows_the_same_job(kit: SshToolkit, gate: Gate) -> None:
    gate.refuse_number = 0
    first = kit.verb("process")
    wait_for_requests(gate.model, 1)
    second = kit.terminal("process")
    second.wait_for("a job runs on the machine already; following it")
    second.wait_for(f"0/{PAGES}")
    gate.open.set()
    assert second.finish() == 3
    done = first.finish()
    assert done.code == 3
    assert len(page_requests(gate.model)) == PAGES
    for text in (done.err, second.text):
        assert text.count("failed: ") == 1
        assert text.count("no such page") == 1
    assert f"{PAGES}/{PAGES}" in second.text
    assert sorted(kit.statuses_there().values()) == ["failed", *["ok"] * (PAGES - 1)]


def test_ctrl_c_asks_whether_the_job_shall_end(kit: SshToolkit, gate: Gate) -> None:
    def follow() -> Terminal:
        terminal = kit.terminal("process")
        terminal.wait_for(f"0/{PAGES}")
        return terminal

    terminal = follow()
    for answer in ("n\n", "\x03"):  # the second one is an impatient Ctrl-C
        terminal.type("\x03")
        terminal.wait_for(END_IT)
        terminal.type(answer)
        assert terminal.finish() == 130
        assert kit.job_runs()
        terminal = follow()
        assert "following it" in terminal.text

    terminal.type("\x03")
    terminal.wait_for(END_IT)
    terminal.type("y\n")
    assert terminal.finish() == 130
    assert "the job has ended" in terminal.text
    assert not kit.job_runs()
    assert list(kit.statuses_there().values()) == ["left"] * PAGES

    gate.open.set()
    assert kit.run_here("process").code == 0
    assert list(kit.statuses_there().values()) == ["ok"] * PAGES


def test_whoever_goes_without_a_terminal_leaves_the_job_alone(kit: SshToolkit, gate: Gate) -> None:
    gate.refuse_number = 1
    job = ""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGKILL):
        client = kit.verb("process")
        kit.wait_for_looks(3)  # once for the model, once for a job, once at the job
        wait_for_requests(gate.model, 2)
        client.process.send_signal(number)
        done = client.finish()
        assert done.code == (-9 if number == signal.SIGKILL else 130), done.err
        assert kit.job_runs()
        text = kit.home(".dots-ocr/job.json").read_text()
        assert job in ("", text)
        job = text

    last = kit.verb("process")
    kit.wait_for_looks(3)
    gate.open.set()
    done = last.finish()
    assert done.code == 3, done.err
    assert done.err.count("failed: ") == 1
    assert len(page_requests(gate.model)) == PAGES
    assert not kit.job_runs()
