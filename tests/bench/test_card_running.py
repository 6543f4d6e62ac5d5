"""Clients of the bench, watched and ended, beside the simulated card."""

from __future__ import annotations

import asyncio
import os
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from bench.card import clients, page_set, running, session
from bench.card.ceiling import keep_asking
from bench.card.looks import Look
from bench.card.running import ClientFailed, watch
from bench.card.serving import CardServer, Installed
from bench.card.session import Session
from bench.card.state import State
from bench.gpu_sim import GpuSim
from bench.measure import descendants

LOAD = page_set.Load((40, 50), 100_000, 0, pages=4, names=4, answer_tokens=500)
STAYS = "import signal, time; signal.signal(signal.SIGINT, signal.SIG_IGN); time.sleep(60)"


class Simulated(CardServer):
    """The simulated card in this process, in the role of a started server."""

    def __init__(self, card: GpuSim, folder: Path) -> None:
        super().__init__(Installed(folder, folder), folder / "log", folder, "", {})
        self.port = int(card.url.rpartition(":")[2])

    @property
    def server_pid(self) -> int:
        return os.getpid()


@pytest.fixture(autouse=True)
def hurry(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(running, "LOOK_S", 0.2)


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Simulated]:
    with GpuSim(speedup=20, max_num_seqs=4) as card:
        yield Simulated(card, tmp_path)


def test_a_client_is_watched_while_steady_and_ended(tmp_path: Path, server: Simulated) -> None:
    pages, requests = tmp_path / "pages", tmp_path / "requests"
    page_set.write_pages(pages, LOAD)
    page_set.write_requests(pages, requests, LOAD)
    command = [sys.executable, str(clients.CEILING), str(server.port), str(requests), "6"]
    looks = watch(command, "", server, server.log, window_s=0.5, most_s=30)
    assert max(look.running for look in looks) == 4 and max(look.waiting for look in looks) > 0
    assert looks[-1].ended > looks[0].ended and looks[-1].tokens > looks[0].tokens
    assert looks[-1].cpu_s["client"] > 0
    # the server has dropped requests for which nobody waits
    assert running.requests_in(server) == 0


STILL = {"api": 0.0, "engine": 0.0, "client": 0.0}
SEEN = [Look(t, 4, 0, 4 + t, t, t, 0, STILL) for t in range(1, 5)]  # steady for three seconds
SEEN.insert(0, Look(0, 0, 0, 0, 0, 0, 0, STILL))


@pytest.mark.parametrize(
    ("minutes", "seen", "done", "left"),
    [
        (10, {"ours": SEEN, "ours-12": SEEN}, ["ours", "ours-12"], []),
        # the client ran out of pages
        (10, {"ours": SEEN[:2], "ours-12": SEEN}, ["ours", "ours-12"], []),
        (2, {"ours": SEEN[:2], "ours-12": SEEN}, ["ours-12"], ["ours"]),  # the time ended too early
        (0.3, {}, [], ["ours", "ours-12"]),
    ],
)
def test_the_parts_for_which_there_is_time(
    minutes: float,
    seen: dict[str, list[Look]],
    done: list[str],
    left: list[str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    one, bench, server = session_of(tmp_path, minutes)
    monkeypatch.setattr(session, "watch", lambda _1, _2, _3, log, _5, _6: seen[log.stem])
    assert one.run_all(bench, server, time.monotonic() + 60 * minutes) == left
    assert set(one.state.looks()) == set(done)


def test_a_part_that_fails_stops_no_other(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def watch(_1: Any, _2: Any, _3: Any, log: Path, _5: Any, _6: Any) -> list[Look]:
        if log.stem == "ours":
            raise ClientFailed("no pages")
        return SEEN

    one, bench, server = session_of(tmp_path, 10)
    monkeypatch.setattr(session, "watch", watch)
    with pytest.raises(ClientFailed, match="ours: no pages"):
        one.run_all(bench, server, time.monotonic() + 600)
    assert list(one.state.looks()) == ["ours-12"]


def session_of(folder: Path, minutes: float) -> tuple[Session, clients.Bench, CardServer]:
    """A session of two parts; its server is only a log."""
    server = CardServer(Installed(folder, folder), folder / "log", folder, "", {})
    server.log.write_text("non-default args: {'max_num_seqs': 4}")
    bench = clients.Bench(1, LOAD, folder, folder, folder / "out", folder, told=True)
    state = State(folder / "state")
    parts = ["ours", "ours-12"]
    place = server.place
    return (
        Session(parts, state, place, folder, "", folder, minutes, window_s=3, rehearse=True),
        bench,
        server,
    )


class Busy(Simulated):
    """A server that reports each of these numbers of requests in turn."""

    def __init__(self, card: GpuSim, folder: Path, *requests: int) -> None:
        super().__init__(card, folder)
        self.told = iter(requests)

    def get(self, path: str) -> tuple[int, bytes]:
        assert path == "/metrics"
        return 200, f'vllm:num_requests_running{{engine="0"}} {next(self.told)}.0\n'.encode()


def test_the_next_client_finds_a_server_at_rest(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    server = Busy(GpuSim(), tmp_path, 2, 1, 0)
    running.wait_until_idle(server)
    assert next(server.told, None) is None
    monkeypatch.setattr(running, "DRAIN_S", -1)
    with pytest.raises(TimeoutError, match="2 requests are there"):
        running.wait_until_idle(Busy(GpuSim(), tmp_path, 2))


def test_a_client_that_fails_says_why(server: Simulated) -> None:
    command = [sys.executable, "-c", "raise SystemExit('no pages here')"]
    with pytest.raises(ClientFailed, match="no pages here"):
        watch(command, "", server, server.log, window_s=1, most_s=5)


def test_a_client_that_ignores_an_interrupt_is_killed(
    server: Simulated, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(running, "GOODBYE_S", 0.1)
    watch([sys.executable, "-c", STAYS], "", server, server.log, window_s=1, most_s=0.1)
    left = [Path(f"/proc/{pid}/cmdline").read_text() for pid in descendants(os.getpid())]
    assert not [title for title in left if "SIG_IGN" in title]


def test_a_refusal_ends_the_ceiling(server: Simulated) -> None:
    with pytest.raises(RuntimeError, match="400"):
        asyncio.run(keep_asking(server.port, iter([b"{}"])))
