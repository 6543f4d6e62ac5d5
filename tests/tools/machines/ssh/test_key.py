"""The secrets on their way to a machine: by stdin, into a file that only we can read.

Also the checks that were made at home.
"""

import stat
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click
import pytest

from lib.console import Failure
from lib.knobs import Knobs
from lib.machines.ssh import machine as machine_module
from lib.machines.ssh.machine import RemoteMachine
from lib.machines.ssh.model import refuse_without_key
from lib.machines.ssh.shell import Shell
from rig.cloud.login import Login
from rig.secrets import KEY


class Near(RemoteMachine):
    """A machine with a shell that notes its commands."""

    def __init__(self, shell: Shell, knobs: Knobs) -> None:
        super().__init__(knobs)
        self._near = shell

    @property
    def shell(self) -> Shell:
        return self._near


@pytest.mark.parametrize(
    ("variable", "name"), [("API_KEY", "api-key"), ("PDF_PASSWORD", "pdf-password")]
)
def test_it_comes_and_goes(
    login: Login, monkeypatch: pytest.MonkeyPatch, variable: str, name: str
) -> None:
    told: list[str] = []
    run = login.shell.run

    def note(script: str, content: bytes = b"") -> str:
        told.append(script)
        return run(script, content)

    monkeypatch.setattr(login.shell, "run", note)
    login.shell.run("mkdir -p .dots-ocr")
    file = login.home / ".dots-ocr" / name
    machine = Near(login.shell, Knobs())
    monkeypatch.setenv(variable, KEY)
    for _ in range(2):
        machine._bring_key()
        assert file.read_text() == KEY and stat.S_IMODE(file.stat().st_mode) == 0o600
    monkeypatch.delenv(variable)
    machine._bring_key()
    assert not file.exists()
    machine._bring_key()
    assert KEY not in "".join(told)


@pytest.mark.parametrize("is_running", [False, True])
def test_what_was_found_at_home_is_there_when_a_job_starts(
    login: Login, monkeypatch: pytest.MonkeyPatch, is_running: bool
) -> None:
    """A job that already runs has its own file. A job without checks must not find old ones."""
    login.shell.run("mkdir -p .dots-ocr")
    file = login.home / ".dots-ocr" / "checks.jsonl"
    seen = list[str]()

    def start(words: Sequence[str]) -> str:
        seen.append(file.read_text() if file.exists() else "-")
        return "true"

    machine = Near(login.shell, Knobs())
    monkeypatch.setattr(machine_module, "start_script", start)
    monkeypatch.setattr(machine_module, "follow", lambda look, now_and_then: 0)
    monkeypatch.setattr(machine, "_look_through", lambda: {"job": {"running": is_running}})
    for checks in ("한\n", ""):
        assert machine.run([], lambda: None, checks) == 0
    assert seen == ([] if is_running else ["한\n", "-"])


class Blind(RemoteMachine):
    """A machine with a model server that reports the same at each look."""

    def __init__(self, fault: str) -> None:
        super().__init__(Knobs())
        container = {"state": "running", "log": "last words"}
        self.seen = {"job": {}, "model": "", "model_fault": fault, "container": container}
        self.seen["start"] = {}

    def look(self, log_from: int = 0, ask: bool = False) -> dict[str, Any]:
        return self.seen

    def _bring_key(self) -> None:
        """Does nothing: there is no place for the key."""


def test_waiting_ends_at_once_where_a_key_is_wanted() -> None:
    with pytest.raises(Failure, match="needs its key") as error:
        Blind("HTTP 401 Unauthorized").wait_until_ready(600)
    assert "API_KEY_FILE" in error.value.message


def test_waiting_in_vain_tells_the_last_fault() -> None:
    with pytest.raises(Failure, match=r"did not answer within 0 s \(Connection refused\)"):
        Blind("Connection refused").wait_until_ready(0)


@pytest.mark.parametrize("fault", ["", "HTTP 503 loading", "HTTP 404 no", "Connection refused"])
def test_other_faults_may_pass(fault: str) -> None:
    refuse_without_key(fault)


def test_a_file_that_is_not_there_is_found_out_before_anything_is_asked(tmp_path: Path) -> None:
    with pytest.raises(click.UsageError, match="API_KEY_FILE"):
        RemoteMachine(Knobs(api_key_file=str(tmp_path / "none")))._bring_key()
