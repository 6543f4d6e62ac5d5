"""A model server that needs a key: each request to it has the key, and nothing else shows it."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from contract import key_from
from read_page import Settings
from rig.command import SCRIPT, Batch, batch_of
from rig.model_request import Request
from rig.model_server import ModelServer
from rig.replies import Reply
from rig.secrets import KEY, command_lines, files_with, guarded_server

MACHINE = SCRIPT.parent / "machine"
Guarded = tuple[ModelServer, dict[str, bool]]


@pytest.fixture
def guarded(monkeypatch: pytest.MonkeyPatch) -> Iterator[Guarded]:
    with guarded_server(monkeypatch) as server:
        yield server


def test_it_is_sent_everywhere_and_stands_nowhere(tmp_path: Path, guarded: Guarded) -> None:
    server, asked = guarded
    batch = Batch(tmp_path, server.url)
    batch.write_pages(3)
    looked = threading.Event()

    def wait(request: Request) -> Reply:
        looked.wait(30)
        return Reply()

    server.script = wait
    with batch.start(environment={"API_KEY": KEY}) as running:
        server.wait_until(lambda: server.in_flight == 2 and "/metrics" in asked)
        seen = command_lines()
        looked.set()
        finished = running.finish()
    assert (finished.code, finished.err) == (0, "")
    assert "process_all_images.py" in seen and KEY not in seen
    paths = ("/health", "/v1/models", "/tokenize", "/v1/chat/completions", "/metrics")
    assert asked == dict.fromkeys(paths, True)
    assert len(batch.records) == 3 and not files_with(KEY, tmp_path)


def test_it_may_stand_in_a_file(tmp_path: Path, guarded: Guarded) -> None:
    server, _ = guarded
    file = tmp_path / "key"
    file.write_text(f"{KEY}\n")
    batch = Batch(tmp_path / "batch", server.url)
    batch.write_pages(1)
    for options, environment in (
        ((), {"API_KEY_FILE": str(file)}),
        (("--force", "--api-key-file", str(file)), {}),
    ):
        finished = batch.run_here(*options, environment=environment)
        assert (finished.code, finished.err) == (0, "")
    assert not files_with(KEY, tmp_path / "batch")


def test_without_it_the_refusal_names_the_knob(tmp_path: Path) -> None:
    with batch_of(tmp_path, 1, api_key=KEY) as (batch, server):
        for environment in ({}, {"API_KEY": "another"}):
            finished = batch.run_here(environment=environment)
            assert finished.code == 1 and not server.requests
            assert "HTTP 401 Unauthorized: it needs its key, in API_KEY" in finished.err


@pytest.mark.parametrize("status", [401, 400])
def test_a_server_that_repeats_the_key_it_refuses(tmp_path: Path, status: int) -> None:
    words = "x" * 275 + f" the key {KEY} is not known"  # the reason is cut in the middle of the key
    with batch_of(tmp_path, 1, api_key=KEY) as (batch, server):
        server.script = lambda request: Reply(status=status, error_message=words)
        finished = batch.run_here(environment={"API_KEY": KEY})
        assert finished.code in (1, 3) and KEY[:12] not in finished.err
        assert not files_with(KEY[:12], tmp_path)


def test_a_fleet_gets_none_from_us(tmp_path: Path) -> None:
    with batch_of(tmp_path, 1) as (batch, _):
        options = ("--scheduler", "tcp://127.0.0.1:9")
        finished = batch.run_here(*options, environment={"API_KEY": KEY})
        assert finished.code == 2 and "give it to each node" in finished.err
        assert KEY not in finished.err


def test_settings_do_not_show_it(settings: Settings) -> None:
    assert KEY not in repr(replace(settings, api_key=KEY))


@pytest.mark.parametrize(
    ("key", "content", "expected"),
    [
        ("", None, ""),
        ("abc", None, "abc"),
        ("abc", "def", "abc"),
        ("", " def\n", "def"),
        ("", "", ValueError),
        ("", "two words", ValueError),
        ("", "two\nlines", ValueError),
        ("한글", None, ValueError),
        ("a\r\nHost: b", None, ValueError),
    ],
)
def test_which_key_counts(
    tmp_path: Path, key: str, content: str | None, expected: str | type[ValueError]
) -> None:
    file = ""
    if content is not None:
        (tmp_path / "key").write_text(content)
        file = str(tmp_path / "key")
    if isinstance(expected, str):
        assert key_from(key, file) == expected
        return
    with pytest.raises(ValueError, match="API_KEY") as error:
        key_from(key, file)
    assert not key or key not in str(error.value)


def test_a_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    (tmp_path / "binary").write_bytes(b"\xff\xfe")
    for name in ("none", "binary", "."):
        with pytest.raises(ValueError, match=r"API_KEY_FILE: .* cannot be read"):
            key_from("", str(tmp_path / name))


# --- the machine's own looks ---------------------------------------------------------------


def home_with(folder: Path, key: str) -> Path:
    (folder / ".dots-ocr").mkdir()
    if key:
        (folder / ".dots-ocr" / "api-key").write_text(key)
    return folder


@pytest.mark.parametrize("key", [KEY, "another", ""])
def test_what_the_machine_knows_of_itself(tmp_path: Path, guarded: Guarded, key: str) -> None:
    server, asked = guarded
    command = [sys.executable, "-m", "machine.status", "--endpoint", server.url, "--ask"]
    done = subprocess.run(
        [*command, "--container", "none"],
        cwd=MACHINE.parent,
        env={"HOME": str(home_with(tmp_path, key)), "PATH": ""},
        capture_output=True,
        text=True,
        check=True,
    )
    seen = json.loads(done.stdout)
    if key == KEY:
        assert (seen["model"], seen["model_fault"]) == ("model", "")
        assert asked == dict.fromkeys(("/health", "/v1/models", "/v1/chat/completions"), True)
    else:
        assert seen["model"] == "" and seen["model_fault"].startswith("HTTP 401")
    assert not key or key not in done.stdout + done.stderr


@pytest.mark.parametrize(("key", "code"), [(KEY, 0), ("another", 1), ("", 1)])
def test_the_watchdog_sees_the_model_at_work(
    tmp_path: Path, guarded: Guarded, key: str, code: int
) -> None:
    server, _ = guarded
    text = (MACHINE / "guard.sh").read_text()
    program = text.partition("<<'PYTHON'\n")[2].partition("\nPYTHON\n")[0]
    server.metrics = lambda: 'vllm:num_requests_running{engine="0"} 1.0\n'  # type: ignore[method-assign]  # for this one
    file = home_with(tmp_path, key) / ".dots-ocr" / "api-key"
    done = subprocess.run(
        [sys.executable, "-", server.url, str(tmp_path / "last"), str(file)],
        input=program,
        text=True,
        check=False,
    )
    assert done.returncode == code
