"""A real vLLM that is ended or killed under a request and comes back, as our client meets it."""

from __future__ import annotations

import contextlib
import re
import socket
import threading
import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

import connection
from endpoint import Completion, Endpoint, Sampling
from rig.command import Batch, wait_until
from vllm.test_contract import png
from vllm.vllm_server import VllmServer


def ask_slowly(server: VllmServer) -> Completion:
    """An answer of some seconds, without a limit on the time it may take."""
    asking = Endpoint(server.url, request_timeout_s=300, ready_timeout_s=300, retries=1)
    try:
        return asking.complete("model", png(), "[count]", Sampling(0.1, 7000, 200))
    finally:
        asking.close()


@pytest.mark.parametrize("end", ["terminate", "kill_server", "kill_engine"])
def test_a_request_outlives_its_server(
    server: VllmServer, end: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Asked again once, when the server is back. Three looks at its health tell that it is gone."""
    monkeypatch.setattr(connection, "HEALTH_INTERVAL_S", 0.5)
    with ThreadPoolExecutor(1) as threads:
        answer = threads.submit(ask_slowly, server)
        wait_until(lambda: server.metric("num_requests_running") == 1)
        time.sleep(0.5)
        ending: Callable[[], None] = getattr(server, end)
        assert not answer.done()
        ending()
        wait_until(lambda: not server.is_healthy(), 30)
        server.restart()
        completion = answer.result(300)
    assert (completion.finish_reason, completion.tokens_out) == ("stop", 3001)


def test_a_batch_over_a_restart_of_the_server(server: VllmServer, tmp_path: Path) -> None:
    """All pages done, none of them asked for more than twice."""
    with Relay(server.port) as relay:
        batch = Batch(tmp_path, f"http://127.0.0.1:{relay.port}")
        batch.write_pages(12)
        with batch.start("-p", "3", environment={"READY_TIMEOUT": "300"}) as running:
            wait_until(lambda: len(done(batch)) >= 3, 120)
            server.restart()
            finished = running.finish(300)
        asked = Counter(re.findall(rb"base64,([^\"]+)", b"".join(relay.sent)))
    assert finished.code == 0, finished.err
    assert len(batch.records) == 12
    assert {record["status"] for record in batch.records} == {"ok"}
    preflight = 2  # pictures, to /tokenize
    assert len(asked) == 12 + preflight and max(asked.values()) <= 2


class Relay:
    """Passes connections on to a server, and keeps what was sent to it."""

    def __init__(self, target: int) -> None:
        self.sent: list[bytes] = []
        self._target = target
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]

    def __enter__(self) -> Relay:
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(self, *error: object) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._pass_on, args=(client,), daemon=True).start()

    def _pass_on(self, client: socket.socket) -> None:
        with client:
            try:
                server = socket.create_connection(("127.0.0.1", self._target))
            except OSError:
                return
            back = threading.Thread(target=copy, args=(server, client, []), daemon=True)
            back.start()
            with server:
                copy(client, server, self.sent)
                back.join()


def copy(source: socket.socket, target: socket.socket, kept: list[bytes]) -> None:
    """Pass on bytes until one side ends, then end both."""
    seen = bytearray()
    with contextlib.suppress(OSError):
        while data := source.recv(1 << 16):
            seen += data
            target.sendall(data)
    kept.append(bytes(seen))
    for end in (source, target):
        with contextlib.suppress(OSError):
            end.shutdown(socket.SHUT_RDWR)


def done(batch: Batch) -> list[str]:
    """The lines of the manifest so far."""
    path = batch.output / "manifest.jsonl"
    return path.read_text().splitlines() if path.exists() else []
