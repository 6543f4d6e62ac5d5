"""A stand-in for a vLLM server that serves dots.ocr: real sockets, no model.

    with ModelServer() as server:
        server.script = in_turn(busy_503(), Reply())
        ...                                   # a client talks to server.url
        assert server.requests[1].size == (616, 840)

By hand: python tests/rig/model_server.py --port 8000 --latency 1.0 --age 0.11
"""

from __future__ import annotations

import socket
import sys
import threading
import time
from collections import Counter, deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from types import TracebackType
from typing import Any

import click

if __name__ == "__main__":  # run as a file, the folder above is not on the path
    sys.path.insert(0, str(Path(__file__).parents[1]))

from rig import replies
from rig.conversation import Conversation
from rig.model_request import Request, read_request
from rig.mortal import HOST, Life, MortalServer, Signal
from rig.replies import Reply
from rig.vllm_ages import AGES, NEWEST, Age, age_of

__all__ = ["ModelServer", "Reply", "Request"]


class ModelServer:
    """The server, used as a context manager. What tests set and call:

    script          decides every answer to a request that vLLM itself would not refuse; it runs
                    in the connection's thread, several at once. None: the default layout
    latency_s       how long the default answer takes
    max_num_seqs    requests in service at once; the others wait in a queue
    max_queued      requests in service or waiting; with more, it answers 503 (vLLM counts both)
    idle_timeout_s  after an answer, an idle connection is closed (5 s in vLLM)
    check_pictures  decode each picture completely, to refuse truncated ones; costs CPU time
    content_format  "string" as it should be, or "openai", which doubles the picture
    roles           what the chat template writes around the user's turn, and before the answer
    tokenizes       whether there is a /tokenize
    foreign         the fixed answer of /tokenize on a server of another kind
    stream_interval tokens in an event of a streamed answer
    has_metrics     whether there is a /metrics
    max_pixels      larger pictures are made smaller, as by --mm-processor-kwargs
    """

    def __init__(
        self,
        *,
        port: int = 0,
        model: str = "model",
        max_model_len: int = 16384,
        max_num_seqs: int | None = None,
        max_queued: int | None = None,
        idle_timeout_s: float = 5.0,
        latency_s: float = 0.0,
        api_key: str | None = None,
        check_pictures: bool = True,
        age: Age = NEWEST,
    ) -> None:
        self.model = model
        self.max_model_len = max_model_len
        self.max_num_seqs = max_num_seqs
        self.max_queued = max_queued
        self.idle_timeout_s = idle_timeout_s
        self.latency_s = latency_s
        self.api_key = api_key
        self.check_pictures = check_pictures
        self.age = age
        self.content_format = "string"
        self.roles = ("<|user|>", "<|endofuser|>", "<|assistant|>")
        self.tokenizes = True
        self.foreign: Any = None
        self.lacks = ""
        """What it says that it cannot read, as the CPU preview does."""
        self.stream_interval = 1
        self.has_metrics = True
        self.max_pixels = replies.MAX_PIXELS
        self.script: Callable[[Request], Reply] | None = None
        self.max_in_flight = 0
        """The most requests that were in service or waiting at once."""
        self._tcp = MortalServer(self._talk, port)
        self._state = threading.RLock()
        self._requests: list[Request] = []
        self._running = 0
        self._queue: deque[Signal] = deque()
        self._counts: Counter[str] = Counter()
        self._script_error: Exception | None = None

    def __enter__(self) -> ModelServer:
        self._tcp.open()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._tcp.close()
        if self._script_error is not None and error is None:
            raise self._script_error  # otherwise a broken script would look like a server's 500

    # --- what tests ask and order ----------------------------------------------------------

    @property
    def url(self) -> str:
        return f"http://{HOST}:{self._tcp.port}"

    @property
    def requests(self) -> list[Request]:
        """A copy of the chat requests so far, in the order of their arrival."""
        with self._state:
            return list(self._requests)

    @property
    def in_flight(self) -> int:
        """Requests in service or waiting now."""
        with self._state:
            return self._running + len(self._queue)

    @property
    def connections(self) -> int:
        """TCP connections accepted so far."""
        return self._tcp.connections

    def wait_until(self, condition: Callable[[], bool], timeout_s: float = 120.0) -> None:
        """Wait for something about this server: `lambda: len(server.requests) == 3`."""
        deadline_s = time.monotonic() + timeout_s
        while not condition():
            if time.monotonic() > deadline_s:
                raise TimeoutError(f"not true within {timeout_s} s")
            time.sleep(0.002)

    def reset(self) -> None:
        """Forget the requests and the peak; numbers start at 0 again."""
        with self._state:
            self._requests.clear()
            self.max_in_flight = self._running + len(self._queue)

    def die(self) -> None:
        """Like SIGKILL: every connection is reset, new ones are refused."""
        self._tcp.die()

    def stop_answering(self) -> None:
        """Like SIGTERM to vLLM: new connections are refused, requests in flight hang."""
        self._tcp.stop_answering()

    def come_back(self, after_s: float = 0.0) -> None:
        """Listen again on the same port. With a delay in seconds, return at once."""
        self._tcp.come_back(after_s)

    # --- what the conversation asks --------------------------------------------------------

    def receive(self, raw: bytes, request: Request) -> Reply | None:
        """Read and log a request; return the refusal that vLLM would give, or None."""
        refusal = self._read(raw, request)
        with self._state:
            request.number = len(self._requests)
            self._requests.append(request)
        return refusal

    @contextmanager
    def slot(self, wait: Callable[[Signal], None]) -> Iterator[bool]:
        """Wait for a place in the batch, in order of arrival; yield False if the queue is full."""
        ticket: Signal | None = None
        with self._state:
            if self.max_queued is not None and self.in_flight >= self.max_queued:
                has_room = False
            else:
                has_room = True
                if self.max_num_seqs is not None and self._running >= self.max_num_seqs:
                    ticket = Signal()
                    self._queue.append(ticket)
                else:
                    self._running += 1
                self.max_in_flight = max(self.max_in_flight, self.in_flight)
        if not has_room:
            yield False
            return
        try:
            if ticket is not None:
                wait(ticket)
            yield True
        finally:
            with self._state:
                if ticket is not None and ticket in self._queue:
                    self._queue.remove(ticket)  # the client left before its turn
                elif self._queue:
                    self._queue.popleft().set()  # the next in line takes the place
                else:
                    self._running -= 1

    def decide(self, request: Request) -> Reply:
        """The script's reply to a request."""
        if self.script is None:
            return Reply(delay_s=self.latency_s)
        try:
            return self.script(request)
        except Exception as error:  # noqa: BLE001  whatever it raises, the test must fail
            self._script_error = error
            return Reply(status=500, error_message=f"the script of the test raised {error!r}")

    def complete(self, request: Request, reply: Reply) -> Any:
        """The body of the answer; count it in the metrics."""
        if reply.status != 200 or reply.body is not None:
            self._count("error")
            return reply.error_body() if reply.body is None else reply.body
        text, finish_reason = reply.text, reply.finish_reason
        if text is None:
            text = replies.default_answer(request.prompt, *request.size, request.token)
        # a request for fewer tokens is limited without a message
        room = self.max_model_len - request.prompt_tokens
        limit = min(room, request.max_tokens or room)
        tokens = len(text) // 3
        if reply.is_limited and tokens > limit:
            text, tokens, finish_reason = text[: limit * 3], limit, "length"
        if reply.fault is None:
            self._count(finish_reason, request.prompt_tokens, tokens)
        message = {"role": "assistant", "content": text}
        return {
            "id": f"chatcmpl-{request.number}",
            "object": "chat.completion",
            "created": int(time.time()),
            "model": self.model,
            "choices": [{"index": 0, "message": message, "finish_reason": finish_reason}],
            "usage": {
                "prompt_tokens": request.prompt_tokens,
                "completion_tokens": tokens,
                "total_tokens": request.prompt_tokens + tokens,
            },
        }

    def abandoned(self, request: Request, by_client: bool) -> None:
        """Note that nobody waits for this answer any more. vLLM does not count it."""
        request.disconnected = by_client

    def _count(self, finish_reason: str, prompt_tokens: int = 0, tokens: int = 0) -> None:
        with self._state:
            self._counts[finish_reason] += 1
            self._counts["prompt_tokens"] += prompt_tokens
            self._counts["generation_tokens"] += tokens
            self._counts["first_tokens"] += bool(tokens)

    def models(self) -> dict[str, Any]:
        """The body of /v1/models."""
        model = {"id": self.model, "object": "model", "created": int(time.time())}
        more = {"owned_by": "vllm", "root": self.model, "max_model_len": self.max_model_len}
        own = {"lacks": self.lacks} if self.lacks else {}
        return {"object": "list", "data": [{**model, **more, **own}]}

    def _read(self, raw: bytes, request: Request) -> Reply | None:
        return read_request(
            raw,
            request,
            model=self.model,
            max_model_len=self.max_model_len,
            check_picture=self.check_pictures,
            age=self.age,
        )

    def tokenize(self, raw: bytes) -> tuple[int, Any]:
        """Status and body of /tokenize. The request is not logged."""
        if self.foreign is not None:
            return 200, self.foreign
        request = Request(-1, time.monotonic())
        refusal = self._read(raw, request)
        if refusal is not None:
            return refusal.status, refusal.error_body()
        tokens = replies.rendered(
            request.text,
            request.size,
            self.content_format,
            self.roles,
            self.max_pixels,
            self.age.expands_pictures,
        )
        body = {"count": len(tokens), "max_model_len": self.max_model_len}
        return 200, body | {"tokens": list(range(len(tokens))), "token_strs": tokens}

    def metrics(self) -> str:
        """The text of /metrics."""
        with self._state:
            running, waiting, counts = self._running, len(self._queue), Counter(self._counts)
        gauge = self.age.cache_gauge
        return replies.metrics_text(self.model, running, waiting, counts, cache_gauge=gauge)

    def _talk(self, connection: socket.socket, number: int, life: Life) -> bool:
        conversation = Conversation(self, connection, number, life)
        with suppress(ConnectionError):  # the client hung up during the conversation
            conversation.handle()
        return conversation.reset


@click.command()
@click.option("--port", default=8000, show_default=True, help="Port of 127.0.0.1; 0: a free one.")
@click.option("--latency", default=0.0, show_default=True, help="Seconds before every answer.")
@click.option("--model", default="model", show_default=True, help="Served model name.")
@click.option("--max-num-seqs", type=int, help="Requests in service at once; default: any.")
@click.option("--max-queued", type=int, help="Answer 503 over so many requests; default: never.")
@click.option(
    "--age",
    default=NEWEST.version,
    show_default=True,
    help=f"The vLLM to play: {', '.join(age.version for age in AGES)}, or the beginning of one.",
)
@click.option("--no-check", is_flag=True, help="Do not decode the pictures: less CPU time.")
def main(
    port: int,
    latency: float,
    model: str,
    max_num_seqs: int | None,
    max_queued: int | None,
    age: str,
    no_check: bool,
) -> None:
    """Serve the default layout for every picture until Ctrl-C."""
    try:
        played = age_of(age)
    except LookupError as error:
        raise click.BadParameter(str(error), param_hint="--age") from error
    with ModelServer(
        port=port,
        latency_s=latency,
        model=model,
        max_num_seqs=max_num_seqs,
        max_queued=max_queued,
        check_pictures=not no_check,
        age=played,
    ) as server:
        click.echo(f"{server.url} serves {model!r}; Ctrl-C ends it", err=True)
        try:
            threading.Event().wait()
        except KeyboardInterrupt:
            click.echo(f"{len(server.requests)} requests", err=True)


if __name__ == "__main__":
    main()
