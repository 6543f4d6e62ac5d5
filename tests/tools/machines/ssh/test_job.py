"""Following a job: its log comes completely and once, its bar counts what is read now."""

import re
from collections.abc import Callable
from typing import Any

import pytest

from lib.console import Failure
from lib.machines.ssh import job
from lib.machines.ssh.job import describe_job, exit_code, follow


def looking_at(log: bytes, ends_after: int, part: int, code: int | None = 3) -> Any:
    """A machine with a job that writes a part of its log between two looks."""
    looks: list[int] = []

    def look(log_from: int) -> dict[str, Any]:
        looks.append(log_from)
        text = log[log_from : log_from + part]
        running = len(looks) <= ends_after
        state = {"running": running, "code": None if running else code}
        shown = {**state, "log": text.decode(), "log_to": log_from + len(text)}
        return {"job": shown, "progress": {"pages": 9, "done": 2, "failed": 1}, "container": {}}

    return look


@pytest.mark.parametrize("ends_after", [0, 1, 5])
def test_the_whole_log_is_shown_once(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], ends_after: int
) -> None:
    monkeypatch.setattr(job, "POLL_S", 0)
    log = b"".join(b"line %d\n" % number for number in range(10))
    called: list[None] = []
    look: Callable[[int], dict[str, Any]] = looking_at(log, ends_after, part=14)
    assert follow(look, lambda: called.append(None)) == 3
    shown = capsys.readouterr()
    assert (shown.err.encode(), shown.out) == (log, "")
    assert len(called) == ends_after  # called while the job runs, and not after its end


def test_a_job_that_ended_without_a_word(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(job, "POLL_S", 0)
    with pytest.raises(Failure, match=r"ended and said nothing.*\n  → make process"):
        follow(looking_at(b"", 2, 1, code=None), lambda: None)


@pytest.mark.parametrize("code", [0, 1, 3, 130, 137])
def test_the_exit_code_comes_through(code: int) -> None:
    assert exit_code({"code": code}) == code


@pytest.mark.parametrize(
    ("state", "words"),
    [
        ({}, "none yet"),
        ({"running": False, "code": 3}, "ended with 3"),
        ({"running": False, "code": 0}, "ended with 0"),
        ({"running": False, "code": None}, "ended and said nothing"),
        ({"running": True, "code": None, "started": 0}, "running since "),
    ],
)
def test_a_job_in_a_few_words(state: dict[str, Any], words: str) -> None:
    assert describe_job(state).startswith(words)


def test_the_bar_tells_rate_and_money_of_what_is_read_now(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """Pages that were done before took no time. A rate with them would tell nothing of the rest."""
    monkeypatch.setattr(job, "POLL_S", 0.2)
    monkeypatch.setattr(job, "is_watched", lambda: True)
    done = iter([900, 901, 902])

    def look(log_from: int) -> dict[str, Any]:
        now = next(done, 903)
        progress = {"pages": 1_000, "done": now, "failed": 0, "usd": 1.25, "usd_at_end": 2.5}
        return {"job": {"running": now < 903, "code": 0}, "progress": progress}

    assert follow(look, lambda: None) == 0
    shown = capfd.readouterr().err
    assert "900/1000" in shown and "USD=1.25 of 2.50" in shown
    rates = re.findall(r"([0-9.]+)(page/s|s/page)", shown)
    assert rates and all(float(number) < 20 for number, unit in rates if unit == "page/s")
