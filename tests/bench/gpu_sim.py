#!/usr/bin/env python3
"""A model server that takes as long as a card would, by the arithmetic in l4.py: no GPU needed.

It speaks vLLM's protocol (tests/rig/model_server.py) and streams, by 16 tokens, as its container
does. An answer is as long as its page has ink, times a spread drawn from the page's pixels, from
200 to 6,000 tokens; the same picture always gets the same answer. With --speedup all of the card's
seconds are shorter. GET /trace tells what the card did, in its own seconds.
"""

from __future__ import annotations

import hashlib
import io
import json
import math
import random
import signal
import socket
import sys
import threading
import time
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Any

import click
from PIL import Image

if __name__ == "__main__":  # run as a file, the folder above is not on the path
    sys.path.insert(0, str(Path(__file__).parents[1]))

from bench.l4 import FULL, KINDS, Card, Job
from rig import replies
from rig.conversation import Conversation
from rig.model_request import Request
from rig.model_server import ModelServer
from rig.mortal import Life, Signal, watch
from rig.page_art import WORDS
from rig.replies import Reply

SHORTEST, LONGEST = 200, 6_000  # length of an answer in tokens
TOKENS_PER_INK = 48_000  # times the dark share of the page; small type has 2%
SPREAD = 0.5  # spread of the logarithm: two pages with the same ink differ by a factor of 1.65
CHARACTERS = 3  # characters of a token, as everywhere in the rig
STREAM_INTERVAL = 16
HEADERS = (
    b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream; charset=utf-8\r\n"
    b"Transfer-Encoding: chunked\r\n\r\n"
)


def read(page: Image.Image) -> tuple[Job, str]:
    """The card's job for a picture, and its answer. Both depend only on its pixels."""
    gray = page.convert("L")
    width, height = replies.model_size(*gray.size)
    rng = random.Random(hashlib.sha256(gray.tobytes()).digest())
    ink = sum(gray.histogram()[:128]) / (gray.width * gray.height)
    wanted = TOKENS_PER_INK * ink * math.exp(rng.gauss(0, SPREAD))
    text = answer(min(LONGEST, max(SHORTEST, wanted)), width, height, rng)
    return Job(width * height // replies.FACTOR**2, len(text) // CHARACTERS), text


def answer(tokens: float, width: int, height: int, rng: random.Random) -> str:
    """A layout of about so many tokens that never repeats itself."""
    cells: list[dict[str, Any]] = []
    missing = tokens * CHARACTERS
    while missing > 0:
        top = len(cells) % 60 * height // 60
        words = " ".join(rng.choices(WORDS, k=min(60, 1 + int(missing / 9))))
        box = [width // 10, top, width * 9 // 10, top + height // 61]
        cells.append({"bbox": box, "category": "Text", "text": words})
        missing -= len(words) + 60
    return json.dumps(cells, separators=(",", ":"))


class Work(Job):
    """A request on the card, and the chunks that its client gets as they become due."""

    def __init__(self, picture: int, answer: int, connection: socket.socket) -> None:
        super().__init__(picture, answer)
        self.connection = connection
        self.done = Signal()
        self.chunks: list[bytes] = []
        self.sent = 0

    def send_due(self) -> None:
        """Send what is written by now. Another place notices a client that has gone."""
        if self.written >= self.answer:
            due = len(self.chunks)
        else:
            due = min(1 + self.written // STREAM_INTERVAL, len(self.chunks) - 1)
        if due > self.sent:
            with suppress(OSError):
                self.connection.sendall(b"".join(self.chunks[self.sent : due]))
            self.sent = due


class GpuSim(ModelServer):
    """The rig's stand-in, with answers that come at the card's speed."""

    def __init__(
        self,
        *,
        port: int = 0,
        max_num_seqs: int = 64,
        speedup: float = 1.0,
        record: Path | None = None,
        kind: str = "l4",
    ) -> None:
        super().__init__(port=port)
        self._record = record
        self.card = Card(max_num_seqs, KINDS[kind])
        self.speedup = speedup
        self._changed = threading.Condition(self._state)
        self._over = threading.Event()
        self._began = time.monotonic()
        self._lag_s = self._first_s = self._last_s = self._idle_s = self._begun_s = 0.0
        self._running_s = self._full_s = 0.0
        self._overshoot = 0
        self._gauges = 0, 0, 0.0
        self._thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self) -> GpuSim:
        super().__enter__()
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        with self._changed:
            self._over.set()
            self._changed.notify()
        self._thread.join()
        super().__exit__(kind, error, trace)

    def take(self, request: Request, connection: socket.socket) -> tuple[Work, Any]:
        """Queue a request; return the work, and the body of its answer."""
        if self._record is not None:
            with self._state, self._record.open("a") as file:
                file.write(f"{request.picture_sha256}\n")
        with Image.open(io.BytesIO(request.picture)) as page:
            job, text = read(page)
        body = super().complete(request, Reply(text=text))
        work = Work(job.picture, body["usage"]["completion_tokens"], connection)
        if request.body.get("stream"):
            options = request.body.get("stream_options") or {}
            usage_too = bool(options.get("include_usage"))
            continuous = usage_too and bool(options.get("continuous_usage_stats"))
            events = replies.events(body, usage_too, continuous, STREAM_INTERVAL)
            work.chunks = [b"%x\r\n%b\r\n" % (len(event), event) for event in events]
            work.chunks[0] = HEADERS + work.chunks[0]
            work.chunks[-1] += b"0\r\n\r\n"
        request.body, request.picture = {}, b""  # free the memory: a run has thousands of them
        with self._changed:
            self.card.waiting.append(work)
            self._overshoot = max(self._overshoot, len(self.card.waiting))
            self._changed.notify()
        return work, body

    def drop(self, work: Work) -> None:
        """Drop work, because its client has gone."""
        with self._changed:
            self.card.drop(work)
            self._counts["abort"] += 1

    def metrics(self) -> str:
        """The text of /metrics. Like vLLM's, its gauges are as old as the end of the last step."""
        with self._state:
            counts = self._counts.copy()
            counts["preemptions"] = self.card.preemptions
            running, waiting, used = self._gauges
        return replies.metrics_text(self.model, running, waiting, counts, used)

    def trace(self) -> dict[str, float]:
        """What the card did from the first request to the last answer, in its own seconds.

        `fill_s`: until its places were full, 0: never. `overshoot`: the most requests that ever
        waited. `idle_s`: time without a request. `tail_s`: time after the last page began. `lag_s`:
        the greatest delay of the simulation behind its own clock.
        """
        with self._state:
            seconds = self._last_s - self._first_s
            return {
                "answers": self._counts["stop"],
                "seconds": seconds,
                "fill_s": max(0.0, self._full_s - self._first_s),
                "overshoot": self._overshoot,
                "idle_s": self._idle_s,
                "tail_s": self._last_s - self._begun_s,
                "mean_running": self._running_s / seconds if seconds else 0.0,
                "preemptions": self.card.preemptions,
                "lag_s": self._lag_s,
            }

    def _count(self, finish_reason: str, prompt_tokens: int = 0, tokens: int = 0) -> None:
        """Does nothing: answers are counted when they are written, not when they are planned."""

    def _now_s(self) -> float:
        return (time.monotonic() - self._began) * self.speedup

    def _run(self) -> None:
        """The card's own thread: do a step, then sleep until it would have ended."""
        while True:
            with self._changed:
                if not (self.card.waiting or self.card.running):
                    self._gauges = 0, 0, 0.0
                    while not (self.card.waiting or self._over.is_set()):
                        self._changed.wait()
                    now_s = self._now_s()
                    if self._counts["stop"]:
                        self._idle_s += max(0.0, now_s - self.card.now_s)
                    else:
                        self._first_s = now_s
                    self.card.now_s = max(now_s, self.card.now_s)
                if self._over.is_set():
                    return
                before_s = self.card.now_s
                ended = self.card.step()
                card = self.card
                used = card.cached / card.kind.kv_tokens
                gauges = len(card.running), len(card.waiting), used
                if not self._full_s and len(card.running) >= FULL * card.max_num_seqs:
                    self._full_s = card.now_s
                working: list[Any] = [*self.card.running, *ended]
                self._running_s += len(working) * (self.card.now_s - before_s)
                begun = sum(work.written == 1 for work in working)
                if begun:
                    self._begun_s = self.card.now_s
            early_s = (self.card.now_s - self._now_s()) / self.speedup
            self._lag_s = max(self._lag_s, -early_s * self.speedup)
            self._over.wait(max(0.0, early_s))
            with self._changed:
                self._gauges = gauges
                for job in ended:
                    self._counts.update(stop=1, prompt_tokens=job.picture)
                    self._last_s = self.card.now_s
                self._counts["generation_tokens"] += len(working)
                self._counts["first_tokens"] += begun
            for work in working:
                work.send_due()
            for work in working[len(working) - len(ended) :]:
                work.done.set()

    def _talk(self, connection: socket.socket, number: int, life: Life) -> bool:
        with suppress(ConnectionError):
            SimConversation(self, connection, number, life).handle()
        return False


class SimConversation(Conversation):
    """One connection; the card's thread sends its answers."""

    model_server: GpuSim

    def do_GET(self) -> None:  # noqa: N802 - http.server's name
        if self.path == "/trace":
            self._send_json(200, self.model_server.trace())
        else:
            super().do_GET()

    def _chat(self, raw: bytes) -> None:
        server = self.model_server
        request = Request(self.number, time.monotonic())
        refusal = server.receive(raw, request)
        if refusal is not None:
            self._send_json(refusal.status, refusal.error_body())
            return
        work, body = server.take(request, self.connection)
        if watch(self.connection, self.life.over, work.done) is not work.done:
            server.drop(work)
            self.close_connection = True
        elif not work.chunks:
            self._send_json(200, body)
        self.incoming.idle_timeout_s = server.idle_timeout_s


@click.command(help=__doc__)
@click.option("--port", default=8000, show_default=True, help="Port of 127.0.0.1; 0: a free one.")
@click.option("--card", "kind", type=click.Choice(list(KINDS)), default="l4", show_default=True)
@click.option("--max-num-seqs", default=64, show_default=True, help="Requests in the batch.")
@click.option("--speedup", default=1.0, show_default=True, help="The card's seconds in one.")
@click.option("--load", "load_s", default=0.0, help="Seconds of the card before it answers.")
@click.option("--record", type=Path, help="File that gets a line, the picture's hash, a request.")
def main(
    port: int, kind: str, max_num_seqs: int, speedup: float, load_s: float, record: Path | None
) -> None:
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    with suppress(KeyboardInterrupt):
        time.sleep(load_s / speedup)
        with GpuSim(
            port=port, kind=kind, max_num_seqs=max_num_seqs, speedup=speedup, record=record
        ) as server:
            click.echo(server.url)
            try:
                threading.Event().wait()
            finally:
                click.echo(json.dumps(server.trace()))


if __name__ == "__main__":
    main()
