"""The HTTP side: vLLM's paths, on a socket that opens only once the models are loaded."""

from __future__ import annotations

import asyncio
import json
import signal
import socket
import threading
from collections.abc import Callable
from types import FrameType

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp

from cpu_endpoint import protocol
from cpu_endpoint.guard import guarded
from cpu_endpoint.metrics import Metrics
from cpu_endpoint.worker import Job, Reader, Worker

_WATCH_S = 0.4
_GRACE_S = 1
_LARGEST_BODY = 1 << 26  # bytes; the largest picture that the context takes, in base64


def build_app(
    reader: Reader, stopping: threading.Event | None = None, host: str = "", lacks: str = ""
) -> ASGIApp:
    """Return the application with its worker. Once `stopping` is set, requests get 503.

    host is the name by which clients ask it, if that is not a name of the loopback. lacks says what
    it cannot read, and what to do; all who ask for the models are told.
    """
    halt = stopping or threading.Event()
    metrics = Metrics()
    worker = Worker(reader, metrics)

    async def health(_: Request) -> Response:
        return Response(status_code=200)

    async def models(_: Request) -> Response:
        card = {
            "id": protocol.MODEL,
            "object": "model",
            "owned_by": "cpu-preview",
            "device": "cpu",
            "max_model_len": protocol.MAX_MODEL_LEN,
            "lacks": lacks,
        }
        return JSONResponse({"object": "list", "data": [card]})

    async def counters(_: Request) -> Response:
        return PlainTextResponse(metrics.text(), media_type="text/plain; version=0.0.4")

    async def chat(request: Request) -> Response:
        try:
            asked = await _parsed(request)
            job = worker.submit(asked)
            await _wait(request, job, halt)
            answer = job.answer.result()
            if asked.streamed:  # the whole answer at once, since a page is read in one go
                return Response(protocol.events(answer), media_type="text/event-stream")
            return JSONResponse(answer)
        except protocol.RequestError as error:
            return JSONResponse(error.body(), status_code=error.status)
        except _GoneError:
            return Response(status_code=499)

    async def failed(_: Request, error: Exception) -> Response:
        # If one page makes the models fail, the next page is still read.
        answer = protocol.RequestError(f"The page failed: {error}", 500)
        return JSONResponse(answer.body(), status_code=answer.status)

    async def not_found(_: Request, __: Exception) -> Response:
        return JSONResponse({"detail": "Not Found"}, status_code=404)

    app = Starlette(
        routes=[
            Route("/health", health),
            Route("/ping", health, methods=["GET", "POST"]),
            Route("/v1/models", models),
            Route("/metrics", counters),
            Route("/v1/chat/completions", chat, methods=["POST"]),
        ],
        exception_handlers={404: not_found, Exception: failed},
    )
    return guarded(app, host)


class _GoneError(Exception):
    """The client hung up before its answer was there."""


async def _parsed(request: Request) -> protocol.Request:
    body = bytearray()
    async for part in request.stream():
        body += part
        if len(body) > _LARGEST_BODY:
            raise protocol.RequestError(f"More than {_LARGEST_BODY} bytes.", 413)
    try:
        # In a thread: twenty megabytes take a while, and other requests are answered meanwhile.
        return protocol.parse(await asyncio.to_thread(json.loads, body))
    except ValueError as error:  # UnicodeDecodeError is one, too
        raise protocol.RequestError(f"Invalid JSON: {error}") from error


async def _wait(request: Request, job: Job, halt: threading.Event) -> None:
    """Wait for the answer; drop the job once nobody waits. Raises _GoneError, RequestError."""
    answer = asyncio.wrap_future(job.answer)
    # Take the error, so that asyncio does not report it when nobody waits for it any more.
    answer.add_done_callback(lambda done: done.cancelled() or done.exception())
    try:
        while not answer.done():
            await asyncio.wait([answer], timeout=_WATCH_S)
            if halt.is_set():
                raise protocol.RequestError("The server is shutting down.", 503)
            if not answer.done() and await request.is_disconnected():
                raise _GoneError
    finally:
        job.drop()


def bind(host: str, port: int) -> socket.socket:
    """Return a bound socket that refuses connections until it listens. Raises OSError."""
    family, kind, proto, _, address = socket.getaddrinfo(
        host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
    )[0]
    bound = socket.socket(family, kind, proto)
    try:
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        bound.bind(address)
    except OSError:
        bound.close()
        raise
    return bound


def serve(
    app: ASGIApp, bound: socket.socket, ready: Callable[[], None], stopping: threading.Event
) -> int:
    """Serve until SIGTERM or SIGINT, and return the exit code. A page being read is given up.

    ready is called when the port answers. stopping is set as soon as the signal comes.
    """
    got: list[int] = []
    # uvicorn raises the signal again after it has shut down. Then these handlers only note it.
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda signum, _: got.append(signum))
    config = uvicorn.Config(
        app,
        log_level="warning",
        access_log=False,
        lifespan="off",
        timeout_graceful_shutdown=_GRACE_S,
    )
    bound.listen(2048)
    server = _Announcing(config, ready, stopping)
    server.run(sockets=[bound])
    return 130 if signal.SIGINT in got else 0


class _Announcing(uvicorn.Server):
    """A server that says when it is up, and when it begins to stop."""

    def __init__(
        self, config: uvicorn.Config, ready: Callable[[], None], stopping: threading.Event
    ) -> None:
        super().__init__(config)
        self._ready = ready
        self._stopping = stopping

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        self._stopping.set()
        super().handle_exit(sig, frame)

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets=sockets)
        self._ready()
