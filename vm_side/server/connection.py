"""One kept-alive HTTP connection to the model server.

It is built on http.client rather than requests, because a request must be able to look at the
server's health while it waits for the answer: a vLLM that was told to end keeps the connection open
and never sends a byte. Also, 127.0.0.1 must never go through a proxy of the environment.
"""

import functools
import http.client
import io
import select
import socket
import ssl
import time
import urllib.parse
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

CONNECT_TIMEOUT_S = 5.0
HEALTH_INTERVAL_S = 5.0
HEALTH_FAILURES = 3  # looks in a row that find no server: then a request is given up
GATHER_S = 0.1  # dense parts of a stream are fetched together, this often: a fetch costs CPU time
GATHER_SHARE = 0.05  # at most so much of the time since the stream began, so that no answer is late
STREAM = "text/event-stream"
HIDDEN = "***"

IsAlive = Callable[[], bool]
Listener = Callable[[bytes], bool]


class LostConnection(Exception):
    """The connection failed.

    sent tells whether the server may have begun the work, answered whether its answer had begun.
    """

    def __init__(self, reason: str, sent: bool, answered: bool = False) -> None:
        super().__init__(reason)
        self.sent = sent
        self.answered = answered


@dataclass(frozen=True)
class Response:
    """A whole HTTP response; the body is empty if a listener heard it."""

    status: int
    body: bytes
    headers: http.client.HTTPMessage


class Incoming(io.RawIOBase):
    """A response's bytes. Reading waits for them, until the deadline, while the server is alive.

    Reading raises TimeoutError, or ConnectionError if is_alive fails several times in a row.
    """

    def __init__(self, connected: socket.socket, deadline: float, is_alive: IsAlive) -> None:
        self._socket = connected
        self._file = connected.makefile("rb", buffering=0)  # keeps the socket until it is closed
        self._deadline = deadline
        self._is_alive = is_alive
        self._gathering_since: float | None = None
        self._read_at = 0.0
        self._gap_s = 0.0  # between the last two reads

    def gather(self) -> None:
        """From now on, if bytes come densely, let many come together before they are fetched."""
        self._gathering_since = time.monotonic()

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int | None:
        if self._gathering_since is not None and self._gap_s < 2 * GATHER_S:
            so_far_s = self._read_at - self._gathering_since
            pause_s = min(GATHER_S, GATHER_SHARE * so_far_s)
            time.sleep(max(0.0, self._read_at + pause_s - time.monotonic()))
        self._wait()
        now = time.monotonic()
        self._gap_s, self._read_at = now - self._read_at, now
        self._socket.settimeout(max(0.1, self._deadline - self._read_at))
        return self._file.readinto(buffer)

    def close(self) -> None:
        self._file.close()
        super().close()

    def _wait(self) -> None:
        failed = 0
        while True:
            left_s = self._deadline - time.monotonic()
            if left_s <= 0:
                raise TimeoutError
            if is_readable(self._socket, min(HEALTH_INTERVAL_S, left_s)):
                return
            if time.monotonic() < self._deadline:
                failed = 0 if self._is_alive() else failed + 1
                if failed == HEALTH_FAILURES:
                    raise ConnectionError("the server went away while it worked")


class IncomingResponse(http.client.HTTPResponse):
    """A response that reads from an Incoming."""

    def __init__(self, sock: socket.socket, *more: Any, incoming: Incoming, **named: Any) -> None:
        super().__init__(sock, *more, **named)
        self.fp.close()
        self.fp = io.BufferedReader(incoming, 1 << 16)


@dataclass
class KeptConnection:
    """A connection to http(s)://host[:port], opened when needed. Not for use from two threads."""

    url: str
    api_key: str = field(default="", repr=False)
    _kept: http.client.HTTPConnection | None = field(default=None, init=False)
    _incoming: Incoming | None = field(default=None, init=False)
    _response: http.client.HTTPResponse | None = field(default=None, init=False)

    def request(
        self,
        method: str,
        path: str,
        body: bytes,
        timeout_s: float,
        is_alive: IsAlive = lambda: True,
        listener: Listener | None = None,
    ) -> Response:
        """Send a request and receive the whole response, within timeout_s. Raises LostConnection.

        A kept connection that turns out stale is replaced at once, but only once. is_alive is asked
        every few seconds while no byte comes. A listener gets the parts of a stream of events as
        they come. If it wants no more, the connection is dropped, which ends the server's work.
        """
        while True:
            reused = self._kept is not None and not has_ended(self._kept)
            if not reused:
                self.close()
            try:
                return self._exchange(method, path, body, timeout_s, is_alive, listener)
            except LostConnection as error:
                self.close()
                is_stale = reused and not error.answered
                if not is_stale or isinstance(error.__cause__, TimeoutError):
                    raise
            except BaseException:  # the listener's, say: unread bytes must not be kept
                self.close()
                raise

    def hide(self, text: str) -> str:
        """Return a text without the key, because some servers say which key they refuse."""
        return text.replace(self.api_key, HIDDEN) if self.api_key else text

    @property
    def _headers(self) -> dict[str, str]:
        key = {"Authorization": f"Bearer {self.api_key}"} if self.api_key else {}
        return {"Content-Type": "application/json", **key}

    def close(self) -> None:
        """Drop the connection; the server then gives up its work for us."""
        if self._kept is not None:
            self._kept.close()
            self._kept = None
        if self._response is not None:  # close it before what it reads: else Python complains later
            self._response.close()
            self._response = None
        if self._incoming is not None:
            self._incoming.close()
            self._incoming = None

    def _exchange(
        self,
        method: str,
        path: str,
        body: bytes,
        timeout_s: float,
        is_alive: IsAlive,
        listener: Listener | None,
    ) -> Response:
        deadline = time.monotonic() + timeout_s
        sent = answered = False
        try:
            connection = self._kept = self._kept or connect(
                self.url, min(CONNECT_TIMEOUT_S, timeout_s)
            )
            connection.sock.settimeout(timeout_s)
            sent = True
            path = urllib.parse.urlsplit(self.url).path.rstrip("/") + path
            connection.request(method, path, body, self._headers)
            incoming = self._incoming = Incoming(connection.sock, deadline, is_alive)
            connection.response_class = functools.partial(  # type: ignore[assignment]  # a class it need not be
                IncomingResponse, incoming=incoming
            )
            response = self._response = connection.getresponse()
            answered = True
            if listener is not None and is_stream(response):
                incoming.gather()
                content, ended = b"", listen(response, listener)
            else:
                content, ended = read_all(response), True
        except TimeoutError as error:
            raise LostConnection(f"no answer in {timeout_s:.0f} s", sent, answered) from error
        except (OSError, http.client.HTTPException) as error:
            raise LostConnection(f"connection lost: {error!r}", sent, answered) from error
        if response.will_close or not ended:
            self.close()
        if self.api_key and response.status != 200:
            content = content.replace(self.api_key.encode(), HIDDEN.encode())
        return Response(response.status, content, response.headers)


def connect(url: str, timeout_s: float) -> http.client.HTTPConnection:
    """Open a connection. Raises OSError."""
    parts = urllib.parse.urlsplit(url)
    https = parts.scheme == "https"
    kind = http.client.HTTPSConnection if https else http.client.HTTPConnection
    connection = kind(parts.hostname or "", parts.port, timeout=timeout_s)
    try:
        connection.connect()
    except OSError:
        connection.close()
        raise
    return connection


def is_stream(response: http.client.HTTPResponse) -> bool:
    """Whether the answer comes as events; a server that cannot stream sends it as a whole."""
    return response.status == 200 and response.headers.get_content_type() == STREAM


def listen(response: http.client.HTTPResponse, listener: Listener) -> bool:
    """Give the parts of the body to a listener; return whether it listened to the end."""
    while part := response.read1(1 << 16):
        if not listener(part):
            return False
    response.close()
    return True


def read_all(response: http.client.HTTPResponse) -> bytes:
    """Return the response's body. Raises TimeoutError, OSError, HTTPException."""
    content = bytearray()
    while part := response.read1(1 << 16):
        content += part
    if response.length:
        raise http.client.IncompleteRead(bytes(content), response.length)
    response.close()  # else http.client refuses the connection's next response without reading it
    return bytes(content)


def is_readable(connected: socket.socket, timeout_s: float) -> bool:
    """Whether bytes (or the end) arrive within timeout_s."""
    if isinstance(connected, ssl.SSLSocket) and connected.pending():
        return True
    poll = select.poll()  # select() itself fails past 1,024 open files
    poll.register(connected, select.POLLIN)
    return bool(poll.poll(max(0.0, timeout_s) * 1000))


def has_ended(connection: http.client.HTTPConnection) -> bool:
    """Whether the server has closed an idle connection (vLLM does so after 5 s)."""
    return connection.sock is None or is_readable(connection.sock, 0)
