"""HTTP for the stand-in model server: one TCP connection and the requests that come over it."""

from __future__ import annotations

import io
import json
import socket
import time
from http.server import BaseHTTPRequestHandler
from typing import TYPE_CHECKING, Any

from rig import replies
from rig.model_request import Request
from rig.mortal import Life, Signal, poll, watch
from rig.replies import Reply

if TYPE_CHECKING:
    from rig.model_server import ModelServer

EVENTS_AT_ONCE = 500


class NoAnswerError(Exception):
    """Nobody waits for an answer: the client has gone, or the server itself is going."""


class _Incoming(io.RawIOBase):
    """Read the client's bytes. They end when the server leaves. TimeoutError if idle too long."""

    idle_timeout_s: float | None = None

    def __init__(self, connection: socket.socket, life: Life) -> None:
        self._connection, self._life = connection, life

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        ready = poll(self._connection, self._life.leaving, timeout_s=self.idle_timeout_s)
        if not ready:
            raise TimeoutError("idle connection")
        if self._life.leaving.fileno() in ready:
            return 0
        # the timeout applies only between an answer and the next request
        self.idle_timeout_s = None
        return self._connection.recv_into(buffer)


class _Outgoing(io.RawIOBase):
    """Write the answer's bytes completely (a bare SocketIO may write only a part)."""

    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection

    def writable(self) -> bool:
        return True

    def write(self, data: Any) -> int:
        self._connection.sendall(data)
        return len(data)


class Conversation(BaseHTTPRequestHandler):
    """`handle()` serves the connection to its end; then `reset` says how to close it."""

    protocol_version = "HTTP/1.1"
    server_version, sys_version = "uvicorn", ""

    def __init__(
        self, model_server: ModelServer, connection: socket.socket, number: int, life: Life
    ) -> None:
        # Skip the base's __init__: it would serve at once, and it needs a socketserver.
        self.model_server, self.number, self.life = model_server, number, life
        self.connection, self.client_address = connection, connection.getsockname()
        self.incoming = _Incoming(connection, life)
        self.rfile = io.BufferedReader(self.incoming, 1 << 16)
        self.wfile = _Outgoing(connection)  # type: ignore[assignment]  # all it needs
        self.reset = False

    def log_message(self, format: str, *args: Any) -> None:
        """Silent: tests look at `requests`."""

    def do_GET(self) -> None:
        if self.path in ("/health", "/ping"):
            self._send(200, b"", {})
        elif self.path == "/metrics" and self.model_server.has_metrics:
            text = self.model_server.metrics()
            self._send(200, text.encode(), {"Content-Type": "text/plain; charset=utf-8"})
        elif self.path != "/v1/models":
            self._send_json(404, {"detail": "Not Found"})
        elif self._is_allowed():
            self._send_json(200, self.model_server.models())

    def do_POST(self) -> None:
        length = int(self.headers.get("Content-Length", 0))
        raw = self.rfile.read(length)
        if len(raw) < length:
            self.close_connection = True
        elif self.path == "/tokenize" and self.model_server.tokenizes:
            self._send_json(*self.model_server.tokenize(raw))
        elif self.path != "/v1/chat/completions":
            self._send_json(404, {"detail": "Not Found"})
        elif self._is_allowed():
            self._chat(raw)

    def _is_allowed(self) -> bool:
        key = self.model_server.api_key
        allowed = key is None or self.headers.get("Authorization") == f"Bearer {key}"
        if not allowed:
            self._send_json(401, replies.unauthorized().body)
        return allowed

    def _chat(self, raw: bytes) -> None:
        server = self.model_server
        headers = {name.lower(): value for name, value in self.headers.items()}
        request = Request(self.number, time.monotonic(), headers)
        refusal = server.receive(raw, request)
        try:
            if refusal is not None:
                reply, body = refusal, server.complete(request, refusal)
            else:
                with server.slot(self._wait_for_turn) as is_admitted:
                    reply = server.decide(request) if is_admitted else replies.busy_503()
                    self._wait(reply.delay_s)
                    if reply.fault == "hang" or self.life.leaving.is_set:
                        self._wait(None)
                    body = server.complete(request, reply)
            # Leave the slot before the bytes go: otherwise a client that reacts at once would seem
            # to have more requests in flight than it has.
            self._send_reply(request, reply, body)
        except (NoAnswerError, ConnectionError):
            self.close_connection = True
            server.abandoned(request, by_client=not self.life.over.is_set)
        else:
            if reply.then is not None:
                reply.then()

    def _wait_for_turn(self, ticket: Signal) -> None:
        self._wait(None, ticket)

    def _wait(self, timeout_s: float | None, *signals: Signal) -> None:
        """Wait for a signal or for the time. NoAnswerError if the client or the server has gone."""
        seen = watch(self.connection, self.life.over, *signals, timeout_s=timeout_s)
        if seen is self.life.over or seen is self.connection:
            raise NoAnswerError

    def _send_reply(self, request: Request, reply: Reply, body: Any) -> None:
        if reply.fault in ("reset", "close"):
            self.reset = reply.fault == "reset"
            self.close_connection = True
        elif reply.fault == "garbage":
            self._send(200, replies.GARBAGE, {"Content-Type": "text/html", **reply.headers})
        elif reply.status == 200 and reply.body is None and request.body.get("stream"):
            self._stream(request, reply, body)
        elif reply.in_stream and request.body.get("stream"):
            self._send_events([b"data: " + json.dumps(body).encode() + b"\n\n", replies.DONE])
            self._end_events()
        else:
            is_cut = reply.fault == "truncate"
            self._send_json(reply.status, body, reply.headers, is_cut)

    def _stream(self, request: Request, reply: Reply, body: Any) -> None:
        """Send the answer as events, each in a chunk."""
        options = request.body.get("stream_options") or {}
        usage_too = bool(options.get("include_usage"))
        continuous = usage_too and bool(options.get("continuous_usage_stats"))
        interval = self.model_server.stream_interval
        events = replies.events(body, usage_too, continuous, interval)
        is_whole = reply.fault not in ("truncate", "stall")
        if reply.fault in ("truncate", "stall", "error", "busy"):
            events = events[: len(events) // 2]
        if reply.fault in ("error", "busy"):
            fault = replies.busy_503() if reply.fault == "busy" else replies.engine_dead_500()
            events += [b"data: " + json.dumps(fault.error_body()).encode() + b"\n\n", replies.DONE]
        self._send_events(events)
        if reply.fault == "stall":
            self._wait(None)
        self._end_events(is_whole)

    def _send_events(self, events: list[bytes]) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream; charset=utf-8")
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        chunks = [b"%x\r\n%b\r\n" % (len(event), event) for event in events]
        for at in range(0, len(chunks), EVENTS_AT_ONCE):  # in parts: a client may stop reading
            self.wfile.write(b"".join(chunks[at : at + EVENTS_AT_ONCE]))

    def _end_events(self, is_whole: bool = True) -> None:
        if is_whole:
            self.wfile.write(b"0\r\n\r\n")
        self.close_connection = self.close_connection or not is_whole
        self.incoming.idle_timeout_s = self.model_server.idle_timeout_s

    def _send_json(
        self, status: int, body: Any, headers: dict[str, str] | None = None, is_cut: bool = False
    ) -> None:
        data = json.dumps(body, ensure_ascii=False).encode()
        self._send(status, data, {"Content-Type": "application/json", **(headers or {})}, is_cut)

    def _send(
        self, status: int, data: bytes, headers: dict[str, str], is_cut: bool = False
    ) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data[: len(data) // 2] if is_cut else data)
        self.close_connection = self.close_connection or is_cut
        self.incoming.idle_timeout_s = self.model_server.idle_timeout_s
