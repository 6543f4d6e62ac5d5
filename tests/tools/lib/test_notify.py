"""NOTIFY: who gets the message, by URL or by command; a failure shows no secret."""

from __future__ import annotations

import http.server
import json
import math
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click
import pytest

from lib import notify
from lib.console import Failure
from lib.knobs import Knobs

SECRET = "T0KEN"
DRIPS = 100
SUMMARY = {"pages": 3, "ok": 2, "failed": 1, "left": 0, "doubtful": "many"}
TEXT = notify.closing(3, SUMMARY, "the VM was on for 4 min", "")


class Hook(http.server.ThreadingHTTPServer):
    """A server that keeps the messages, and answers with this status."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Teller)
        self.told: list[tuple[str, dict[str, Any]]] = []
        self.end = threading.Event()  # ends an answer that comes in small pieces
        self.status = 204
        self.says = b""
        """Sent again and again after the status."""
        self.hung_up = threading.Event()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/{SECRET}"


class Teller(http.server.BaseHTTPRequestHandler):
    server: Hook

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.told.append((self.path, json.loads(body)))
        while self.server.status == DRIPS and not self.server.end.wait(0.05):
            self.wfile.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        self.send_response(self.server.status)
        if self.server.status == 302:
            self.send_header("Location", f"http://127.0.0.1:{self.server.server_port}/elsewhere")
        self.end_headers()
        try:
            while self.server.says:
                self.wfile.write(self.server.says)
        except OSError:
            self.server.hung_up.set()

    def log_message(self, format: str, *args: Any) -> None:
        """Silent."""


@pytest.fixture
def hook() -> Iterator[Hook]:
    with Hook() as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield server
        server.end.set()
        server.shutdown()
        thread.join()


def test_a_url_gets_json(hook: Hook, capfd: pytest.CaptureFixture[str]) -> None:
    notify.tell(hook.url, TEXT, 3, SUMMARY)
    assert hook.told == [
        (f"/{SECRET}", {"text": TEXT, "content": TEXT, "code": 3, "summary": SUMMARY})
    ]
    assert capfd.readouterr() == ("", "")


def test_nobody_listens_to_an_answer_without_an_end(
    hook: Hook, capfd: pytest.CaptureFixture[str]
) -> None:
    hook.status, hook.says = 200, b"x" * 1000
    # an end, in case somebody reads it all
    threading.Timer(5, lambda: setattr(hook, "says", b"")).start()
    notify.tell(hook.url, TEXT, 0, {})
    assert hook.hung_up.wait(10)
    assert capfd.readouterr() == ("", "")


def deep(levels: int) -> list[Any]:
    found: list[Any] = []
    for _ in range(levels):
        found = [found]
    return found


@pytest.mark.parametrize("summary", [{"a": math.inf}, {"a": math.nan}, {"a": deep(2_000)}])
def test_a_summary_that_is_no_json_keeps_nobody_from_being_told(
    hook: Hook, tmp_path: Path, capfd: pytest.CaptureFixture[str], summary: dict[str, Any]
) -> None:
    notify.tell(hook.url, TEXT, 3, summary)
    notify.tell(f"tee {tmp_path}/mail", TEXT, 3, summary)
    assert [body["text"] for _, body in hook.told] == [TEXT]
    assert (tmp_path / "mail").read_text().startswith(TEXT)
    assert capfd.readouterr() == ("", "")


def test_a_command_gets_text_on_its_stdin(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    notify.tell(f"tee '{tmp_path}/a mail'", TEXT, 3, SUMMARY)
    text, _, summary = (tmp_path / "a mail").read_text().partition("\n\n")
    assert (text, json.loads(summary)) == (TEXT, SUMMARY)
    assert capfd.readouterr() == ("", ""), "what it prints is not ours to show"


@pytest.mark.parametrize("status", [302, 404, 500])
def test_a_refusal_is_said_without_the_url(
    hook: Hook, capfd: pytest.CaptureFixture[str], status: int
) -> None:
    hook.status = status
    notify.tell(hook.url, TEXT, 0, {})
    said = capfd.readouterr().err
    assert f"NOTIFY failed: 127.0.0.1: {status}" in said and SECRET not in said
    assert [path for path, _ in hook.told] == [f"/{SECRET}"], "no redirect is followed"


@pytest.mark.parametrize(
    ("target", "said"),
    [
        (f"http://127.0.0.1:1/{SECRET}", "127.0.0.1: ConnectionError"),
        (f"sh -c 'exit 7' {SECRET}", "the command ended with 7"),
        (f"/nowhere/{SECRET}", "the command cannot be run (No such file or directory)"),
    ],
)
def test_what_fails_is_said_without_the_secret(
    capfd: pytest.CaptureFixture[str], target: str, said: str
) -> None:
    notify.tell(target, TEXT, 0, {})
    err = capfd.readouterr().err
    assert f"make all: NOTIFY failed: {said}" in err and SECRET not in err


def test_nobody_waits_for_a_command_that_hangs(
    capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(notify, "PATIENCE_S", 0.3)
    began = time.monotonic()
    notify.tell("sh -c 'sleep 60 & sleep 60'", TEXT, 0, {})
    assert time.monotonic() - began < 20
    assert "took longer than 0.3 s" in capfd.readouterr().err


def test_nobody_waits_for_a_server_that_answers_in_drops(
    hook: Hook, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(notify, "PATIENCE_S", 0.3)
    stop = threading.Timer(5, hook.end.set)  # otherwise a client that waits would wait for ever
    stop.start()
    hook.status = DRIPS
    notify.tell(hook.url, TEXT, 0, {})
    assert not hook.end.is_set()
    stop.cancel()
    said = capfd.readouterr().err
    assert "NOTIFY failed: 127.0.0.1: took longer than 0.3 s" in said and SECRET not in said


def test_nobody_is_told_where_nobody_is_named() -> None:
    assert notify.target_of(Knobs()) == ""
    notify.tell("", TEXT, 1, {})


def test_a_secret_comes_from_a_file(tmp_path: Path) -> None:
    file = tmp_path / "hook"
    file.write_text(f"https://hooks.example/{SECRET}\n")
    assert notify.target_of(Knobs(notify_file=str(file))) == f"https://hooks.example/{SECRET}"
    assert notify.target_of(Knobs(notify="mail me", notify_file=str(file))) == "mail me"


@pytest.mark.parametrize(
    "target", [f"https:///{SECRET}", f"mail 'me {SECRET}", f"a\n{SECRET}", f"http://[{SECRET}"]
)
def test_what_is_neither_is_refused_without_a_word_of_it(target: str) -> None:
    with pytest.raises(click.UsageError) as error:
        notify.target_of(Knobs(notify=target))
    assert SECRET not in error.value.message


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(click.UsageError, match=r"NOTIFY_FILE: .* cannot be read"):
        notify.target_of(Knobs(notify_file=str(tmp_path / "none")))


def test_a_url_in_the_place_of_its_file_is_not_shown() -> None:
    with pytest.raises(click.UsageError, match="a file that has the URL") as error:
        notify.target_of(Knobs(notify_file=f"https://hooks.example/{SECRET}"))
    assert SECRET not in error.value.message


@pytest.mark.parametrize(
    ("code", "summary", "alarm", "text"),
    [
        (0, {"ok": 3}, "", "make all: done\n3 ok"),
        (3, SUMMARY, "", "make all: some pages are not read: run again\n2 ok, 1 failed"),
        (1, {}, "vm MAY STILL RUN", "make all: failed (1)\nvm MAY STILL RUN"),
        (130, {"ok": True}, "", "make all: interrupted"),
    ],
)
def test_what_is_told(code: int, summary: dict[str, Any], alarm: str, text: str) -> None:
    assert notify.closing(code, summary, "", alarm) == text


@pytest.mark.parametrize(
    ("error", "said", "code"),
    [
        (Failure("the machine is held by another", "wait"), "held by another", 1),
        (click.UsageError("nothing is rented"), "nothing is rented", 2),
        (OSError(28, "No space left on device"), "No space left", 1),
    ],
)
def test_what_could_not_begin_is_told_too(
    hook: Hook, error: Exception, said: str, code: int
) -> None:
    with pytest.raises(type(error)), notify.told_of_failure(hook.url):
        raise error
    assert said in hook.told[0][1]["text"]
    assert hook.told[0][1]["code"] == code
