"""Runs a part: its client against the server, with a look each second, until it is measured.

May import: bench.measure, bench.card, rig.vllm_process.
"""

import contextlib
import signal
import subprocess
import time
from pathlib import Path

from bench.card.looks import COUNTERS, Look, cards_there, cpu_by_part, look, totals_of
from bench.card.serving import CardServer
from bench.card.windows import is_seen
from bench.measure import plain_environment
from rig.vllm_process import end_session

LOOK_S = 1.0
GOODBYE_S = 5.0  # wait for an interrupted client
DRAIN_S = 60.0  # wait until the server has dropped the requests of a client that has gone


class ClientFailed(Exception):
    """The client ended by itself with an error; the message is the end of its log."""


def watch(
    command: list[str], stdin: str, server: CardServer, log: Path, window_s: float, most_s: float
) -> list[Look]:
    """Run a client until its steady state was seen for `window_s` seconds; return the looks.

    Returns when the server has no more work. Raises ClientFailed, and OSError if the server has
    gone or does not become idle.
    """
    looks: list[Look] = []
    server_pid = server.server_pid
    client = started(command, log)
    try:
        assert client.stdin is not None
        with client.stdin as pipe:
            pipe.write(stdin.encode())
        began_s = time.monotonic()
        while client.poll() is None and not is_seen(looks, window_s):
            if time.monotonic() - began_s > most_s:
                break
            metrics = server.get("/metrics")[1].decode()
            t = time.monotonic() - began_s
            looks.append(look(t, metrics, cpu_by_part(server_pid, client.pid), cards_there()))
            time.sleep(LOOK_S - (time.monotonic() - began_s) % LOOK_S)
        if client.returncode:
            raise ClientFailed(log.read_text(errors="replace")[-2000:])
        client.send_signal(signal.SIGINT)
        with contextlib.suppress(subprocess.TimeoutExpired):
            client.wait(GOODBYE_S)
    finally:
        end_session(client)
    wait_until_idle(server)
    return looks


def started(command: list[str], log: Path) -> subprocess.Popen[bytes]:
    """Start a client in a session of its own. Raises ClientFailed if the program is missing."""
    with log.open("wb") as said:
        try:
            return subprocess.Popen(
                command,
                stdin=subprocess.PIPE,
                stdout=said,
                stderr=said,
                env=plain_environment(),
                start_new_session=True,
            )
        except OSError as error:
            raise ClientFailed(str(error)) from error


def wait_until_idle(server: CardServer) -> None:
    """Wait until the server has no request. Raises TimeoutError if it still has some."""
    deadline_s = time.monotonic() + DRAIN_S
    while requests := requests_in(server):
        if time.monotonic() > deadline_s:
            raise TimeoutError(f"{requests:.0f} requests are there {DRAIN_S:.0f} s after their end")
        time.sleep(LOOK_S / 4)


def requests_in(server: CardServer) -> float:
    """The number of requests that run or wait."""
    totals = totals_of(server.get("/metrics")[1].decode())
    return totals[COUNTERS["running"]] + totals[COUNTERS["waiting"]]
