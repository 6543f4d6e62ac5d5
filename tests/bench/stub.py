"""The endpoint of the benchmark: as cheap as it can be, since it shares the cores with the client.

    GET  /stats    the pictures so far and how many requests were in flight; then it forgets them
    POST /v1/chat/completions    25 cells in 2,182 characters, after --latency seconds

A client that wants a stream gets it as a vLLM with --stream-interval 16 would send it: in chunks of
16 tokens, spread over the latency. With --record each picture is decoded and hashed.
"""

import asyncio
import base64
import contextlib
import functools
import hashlib
import io
import json
import struct
import sys
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

import click
from PIL import Image

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from rig import replies

CELLS, CHARACTERS = 25, 2182
CHUNK = 48  # characters; 16 tokens of about three
LARGEST_BODY = 1 << 26
MARK = b";base64,"
CLIENT_IS_DONE = (asyncio.IncompleteReadError, ConnectionError)
CATEGORIES = ("Page-header", "Title", *["Text"] * 18, "Table", "Picture", "Caption", "Formula")


@dataclass
class Seen:
    """What came since the last call of /stats."""

    pictures: list[str] = field(default_factory=list)
    """SHA-256 of the RGB pixels, with --record."""
    changes: list[tuple[float, int]] = field(default_factory=list)
    """(time, +1 or -1) at each request's begin and end."""

    def in_flight(self) -> float:
        """Requests in flight, on average over the middle half of the time."""
        if not self.changes:
            return 0.0
        first, last = self.changes[0][0], self.changes[-1][0]
        begin, end = first + (last - first) / 4, last - (last - first) / 4
        total = running = 0.0
        before = first
        for now, change in self.changes:
            total += running * max(0.0, min(now, end) - max(before, begin))
            running += change
            before = now
        return total / (end - begin) if end > begin else 0.0


class Stub:
    """Answers the requests of all connections in one thread."""

    def __init__(self, latency_s: float, record: bool) -> None:
        self.latency_s, self.record = latency_s, record
        self.seen = Seen()
        self.running = 0

    async def talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Serve a connection to its end."""
        with contextlib.closing(writer), contextlib.suppress(*CLIENT_IS_DONE):
            while True:
                head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").lower()
                _, _, after = head.partition("content-length:")
                body = await reader.readexactly(int(after.split("\r\n")[0] or 0) if after else 0)
                path = head.split(" ", 2)[1]
                if path == "/v1/chat/completions":
                    await self.chat(body, writer)
                else:
                    writer.write(whole(*self.other(path, body)))
                await writer.drain()

    def other(self, path: str, body: bytes) -> tuple[int, bytes]:
        """Status and body for everything except chats."""
        if path == "/v1/models":
            model = {"id": "model", "object": "model", "max_model_len": 32768}
            return 200, json.dumps({"object": "list", "data": [model]}).encode()
        if path == "/tokenize":
            text = json.loads(body)["messages"][0]["content"][1]["text"]
            roles = ("<|user|>", "<|endofuser|>", "<|assistant|>")
            tokens = replies.rendered(text, size_of(body), "string", roles, replies.MAX_PIXELS)
            return 200, json.dumps({"count": len(tokens), "token_strs": tokens}).encode()
        if path == "/stats":
            seen, self.seen = self.seen, Seen()
            stats = {"pictures": seen.pictures, "in_flight": seen.in_flight()}
            return 200, json.dumps(stats).encode()
        if path == "/metrics":
            return 200, replies.metrics_text("model", self.running, 0, Counter()).encode()
        return (200, b"") if path == "/health" else (404, b"{}")

    async def chat(self, body: bytes, writer: asyncio.StreamWriter) -> None:
        """Answer one picture."""
        self.running += 1
        self.seen.changes.append((time.monotonic(), 1))
        try:
            if self.record:
                self.seen.pictures.append(fingerprint(picture_of(body)))
            texts, answer = answers(size_of(body))
            is_stream = body.rfind(b'"stream": true') >= 0 or body.rfind(b'"stream":true') >= 0
            del body  # free the memory: 64 bodies are in flight
            if not is_stream:
                await asyncio.sleep(self.latency_s)
                writer.write(whole(200, answer))
                return
            begun = time.monotonic()
            writer.write(STREAM_HEAD)
            for number, text in enumerate(texts, start=1):
                if self.latency_s:
                    due = begun + self.latency_s * number / len(texts)
                    await asyncio.sleep(due - time.monotonic())
                writer.write(text)
        finally:
            self.running -= 1
            self.seen.changes.append((time.monotonic(), -1))


STREAM_HEAD = (
    b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream; charset=utf-8\r\n"
    b"transfer-encoding: chunked\r\n\r\n"
)


def whole(status: int, body: bytes) -> bytes:
    """An HTTP response."""
    head = f"HTTP/1.1 {status} -\r\ncontent-type: application/json\r\ncontent-length: {len(body)}"
    return head.encode() + b"\r\n\r\n" + body


def data_of(body: bytes) -> int:
    """The index at which the picture's base64 begins in a request."""
    return body.index(MARK) + len(MARK)


def size_of(body: bytes) -> tuple[int, int]:
    """(width, height) of the PNG in a request, from its header."""
    at = data_of(body)
    wide, high = struct.unpack(">II", base64.b64decode(body[at : at + 32])[16:24])
    return wide, high


def picture_of(body: bytes) -> Image.Image:
    """The picture in a request, decoded."""
    at = data_of(body)
    data = base64.b64decode(body[at : body.index(b'"', at)])
    return Image.open(io.BytesIO(data)).convert("RGB")


def fingerprint(image: Image.Image) -> str:
    """The SHA-256 of a picture's size and pixels."""
    return hashlib.sha256(f"{image.size}".encode() + image.tobytes()).hexdigest()


@functools.cache
def answers(size: tuple[int, int]) -> tuple[list[bytes], bytes]:
    """The answer for a picture of this size: the chunks of a stream, and a complete body."""
    text = layout(*size)
    tokens = len(text) // 3
    usage = {"prompt_tokens": size[0] * size[1] // 784, "completion_tokens": tokens}
    frame = {"id": "chatcmpl-0", "created": 0, "model": "model"}
    message = {"role": "assistant", "content": text}
    choice = {"index": 0, "message": message, "finish_reason": "stop"}
    body = {**frame, "object": "chat.completion", "choices": [choice], "usage": usage}
    parts = [text[at : at + CHUNK] for at in range(0, len(text), CHUNK)]
    events = []
    for number, part in enumerate(parts, start=1):
        reason = "stop" if number == len(parts) else None
        delta = {"index": 0, "delta": {"content": part}, "finish_reason": reason}
        so_far = {**usage, "completion_tokens": tokens * number // len(parts)}
        events.append({"choices": [delta], "usage": so_far})
    events.append({"choices": [], "usage": usage})
    kind = {**frame, "object": "chat.completion.chunk"}
    lines = [b"data: " + json.dumps(kind | event).encode() + b"\n\n" for event in events]
    lines[-1] += b"data: [DONE]\n\n"
    chunks = [b"%x\r\n%b\r\n" % (len(line), line) for line in lines]
    chunks[-1] += b"0\r\n\r\n"
    return chunks, json.dumps(body).encode()


def layout(wide: int, high: int) -> str:
    """A page of CELLS cells in CHARACTERS characters, as the model would write it."""
    step = high // (CELLS + 2)
    cells = []
    for number in range(CELLS):
        top = step * (number + 1)
        category = CATEGORIES[number % len(CATEGORIES)]
        cell = {"bbox": [wide // 10, top, wide * 9 // 10, top + step - 4], "category": category}
        cells.append(cell if category == "Picture" else {**cell, "text": f"Line {number}."})
    lacking = CHARACTERS - len(json.dumps(cells))
    cells[2]["text"] = str(cells[2]["text"]) + " word" * (lacking // 5) + "." * (lacking % 5)
    return json.dumps(cells)


@click.command(help=__doc__)
@click.option("--latency", default=0.0, show_default=True, help="Seconds from request to answer.")
@click.option("--record", is_flag=True, help="Decode every picture and keep its hash.")
def main(latency: float, record: bool) -> None:
    asyncio.run(serve(latency, record))


async def serve(latency_s: float, record: bool) -> None:
    """Listen on a free port, print it on stdout, and serve until the process is ended."""
    stub = Stub(latency_s, record)
    server = await asyncio.start_server(stub.talk, "127.0.0.1", 0, limit=LARGEST_BODY, backlog=256)
    click.echo(server.sockets[0].getsockname()[1])
    await server.serve_forever()


if __name__ == "__main__":
    main()
