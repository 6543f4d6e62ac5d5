"""JSON over HTTP on a free port, in threads; every call is recorded."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, NamedTuple
from urllib.parse import parse_qsl, unquote, urlsplit

from rig.cloud.gce_errors import Refusal


class Call(NamedTuple):
    """One request, for tests to look at."""

    method: str
    path: str  # without the query
    body: dict[str, Any]


@dataclass
class Request:
    """One request, for the handler that answers it."""

    call: Call
    query: dict[str, str]
    authorization: str | None
    drop: bool = field(default=False)
    """Whether the work is done but the answer is lost."""


class JsonServer:
    """Calls `answer(request)` for every request; a Refusal becomes Google's error body."""

    def __init__(self, answer: Callable[[Request], Any], bind: str) -> None:
        self._http = ThreadingHTTPServer((bind, 0), _handler(answer))
        self._http.daemon_threads = True
        self._http.block_on_close = False  # do not wait for idle connections of clients
        self._thread = threading.Thread(target=self._http.serve_forever, args=(0.05,), daemon=True)
        self.url = f"http://{bind}:{self._http.server_address[1]}"

    def open(self) -> None:
        self._thread.start()

    def close(self) -> None:
        self._http.shutdown()
        self._http.server_close()
        self._thread.join()


def _handler(answer: Callable[[Request], Any]) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True

        def do_GET(self) -> None:
            raw = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            parts = urlsplit(self.path)
            call = Call(self.command, unquote(parts.path), json.loads(raw) if raw else {})
            query = dict(parse_qsl(parts.query))
            request = Request(call, query, self.headers.get("Authorization"))
            status = 200
            try:
                body = answer(request)
            except Refusal as refusal:
                status, body = refusal.status, refusal.body()
            if request.drop:
                self.close_connection = True
                return
            data = body if isinstance(body, bytes) else json.dumps(body).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json; charset=UTF-8")
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            with suppress(ConnectionError):  # the client may have left
                self.wfile.write(data)

        do_POST = do_DELETE = do_PATCH = do_PUT = do_GET  # noqa: N815  the library's names

        def log_message(self, format: str, *args: object) -> None:
            """Silent: the calls are recorded elsewhere."""

    return Handler
