"""Messages while a model loads: each part of its start once, and how long it took."""

from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest

from lib.console import Failure
from lib.knobs import Knobs
from lib.machines.ssh import sight
from lib.machines.ssh.shell import ConnectionLost
from lib.machines.ssh.sight import Sight

PARTS = {"imports": 40, "weights": 3}
LOADS: dict[str, Any] = {"job": {}, "model": "", "model_fault": "", "container": {"log": ""}}
READY = {**LOADS, "model": "model", "start": {"parts": PARTS, "now": ""}}


def at(age_s: int, now: str, parts: dict[str, int]) -> dict[str, Any]:
    """A look at a model that is loading."""
    return {**LOADS, "start": {"parts": parts, "now": now, "age_s": age_s, "before": PARTS}}


class Loading(Sight):
    """A machine that gives these looks in turn."""

    def __init__(self, *looks: dict[str, Any]) -> None:
        super().__init__(Knobs())
        self.looks: Iterator[dict[str, Any]] = iter(looks)

    def look(self, log_from: int = 0, ask: bool = False) -> dict[str, Any]:
        return next(self.looks)


@pytest.mark.parametrize(
    ("looks", "told"),
    [
        ([READY, READY], []),
        ([{**LOADS, "start": {}}, READY, READY],
         ["waiting for the model …", "the model is ready (43 s: imports 40 s, weights 3 s)"]),
        ([{**LOADS, "start": {}}, {**READY, "start": {}}, {**READY, "start": {}}],
         ["waiting for the model …", "the model is ready"]),
        ([at(2, "imports", {}), at(4, "imports", {}), at(41, "weights", {"imports": 40}),
          READY, {**READY, "model": ""}, READY, READY],
         ["waiting for the model (2 s: now imports, 40 s the last time) …",
          "waiting for the model (41 s: imports 40 s, now weights, 3 s the last time) …",
          "waiting for the model (43 s: imports 40 s, weights 3 s) …",
          "the model is ready (43 s: imports 40 s, weights 3 s)"]),
        ([at(2, "imports", {}), {**LOADS, "job": {"running": True}}],
         ["waiting for the model (2 s: now imports, 40 s the last time) …"]),
    ],
)  # fmt: skip
def test_each_part_is_told_once(
    monkeypatch: pytest.MonkeyPatch, looks: list[dict[str, Any]], told: list[str]
) -> None:
    heard: list[str] = []
    monkeypatch.setattr(sight, "note", heard.append)
    monkeypatch.setattr(sight, "POLL_S", 0)
    machine = Loading(*looks)
    machine._wait_for_model(600, deadline=float("inf"))
    assert heard == told
    assert next(machine.looks, None) is None


UNKNOWN = "ssh: Could not resolve hostname nobody: Name or service not known"
BOOTS = "ssh: connect to host nobody port 22: Connection refused"
NO_NETWORK = "ssh: Could not resolve hostname nobody: Temporary failure in name resolution"


@pytest.mark.parametrize(
    ("why", "has_answered", "waits_s"),
    [
        (UNKNOWN, False, 60),
        (UNKNOWN, True, 600),  # a laptop that woke up without its network
        (NO_NETWORK, False, 600),
        (BOOTS, False, 600),
        ("me@nobody: Permission denied (publickey).", False, 60),
        ("Host key verification failed.", False, 60),
    ],
)
def test_how_long_a_machine_is_waited_for(
    monkeypatch: pytest.MonkeyPatch, why: str, has_answered: bool, waits_s: int
) -> None:
    """A machine that boots is given its time. A machine that ssh does not know gets a minute."""
    now_s = 0.0

    def sleep(seconds: float) -> None:
        nonlocal now_s
        now_s += seconds

    def ask() -> None:
        raise ConnectionLost("nobody", why)

    monkeypatch.setattr(sight, "time", SimpleNamespace(sleep=sleep, monotonic=lambda: now_s))
    machine = Sight(Knobs(ssh_host="nobody"))
    if has_answered:
        machine._through(bool)
    with pytest.raises(Failure, match="cannot be reached"):
        machine._through(ask)
    assert waits_s < now_s < waits_s + 5
