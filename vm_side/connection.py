"""One kept-alive HTTP connection to the model server.

Built on http.client rather than requests, because a request must be able to look at the server's
health while it waits for the answer (a vLLM that was told to end keeps the connection open and
never sends a byte), and because 127.0.0.1 must never go through a proxy of the environment.
"""

import http.client
import select
import time
import urllib.parse
from collections.abc import Callable
from dataclasses import dataclass, field

CONNECT_TIMEOUT_S = 5.0
HEALTH_INTERVAL_S = 5.0
HEALTH_FAILURES = 3  # looks in a row that find no server, before a request is given up


class LostConnection(Exception):
    """The connection failed; `sent` tells whether the server may have begun the work."""

    def __init__(self, reason: str, sent: bool) -> None:
        super().__init__(reason)
        self.sent = sent


@dataclass(frozen=True)
class Response:
    """An HTTP response, whole."""

    status: int
    body: bytes
    headers: http.client.HTTPMessage


@dataclass
class KeptConnection:
    """A connection to http(s)://host[:port], opened when needed. Not for use from two threads."""

    url: str
    _kept: http.client.HTTPConnection | None = field(default=None, init=False)

    def request(
        self,
        method: str,
        path: str,
        body: bytes,
        timeout_s: float,
        is_alive: Callable[[], bool] = lambda: True,
    ) -> Response:
        """Send a request and receive the whole response, within timeout_s. Raises LostConnection.

        A kept connection that turns out stale is replaced at once, once. is_alive is asked every
        few seconds while no byte of the response has come.
        """
        while True:
            reused = self._kept is not None and not has_ended(self._kept)
            if not reused:
                self.close()
            try:
                return self._exchange(method, path, body, timeout_s, is_alive)
            except LostConnection as error:
                self.close()
                if not reused or isinstance(error.__cause__, TimeoutError):
                    raise

    def close(self) -> None:
        """Drop the connection; the server gives up what it works on for us."""
        if self._kept is not None:
            self._kept.close()
            self._kept = None

    def _exchange(
        self,
        method: str,
        path: str,
        body: bytes,
        timeout_s: float,
        is_alive: Callable[[], bool],
    ) -> Response:
        deadline = time.monotonic() + timeout_s
        sent = False
        try:
            connection = self._kept = self._kept or connect(
                self.url, min(CONNECT_TIMEOUT_S, timeout_s)
            )
            connection.sock.settimeout(timeout_s)
            sent = True
            path = urllib.parse.urlsplit(self.url).path.rstrip("/") + path
            connection.request(method, path, body, {"Content-Type": "application/json"})
            watch(connection, deadline, is_alive)
            connection.sock.settimeout(max(0.1, deadline - time.monotonic()))
            response = connection.getresponse()
            content = read_all(response, deadline)
        except TimeoutError as error:
            raise LostConnection(f"no answer in {timeout_s:.0f} s", sent) from error
        except (OSError, http.client.HTTPException) as error:
            raise LostConnection(f"connection lost: {error!r}", sent) from error
        if response.will_close:
            self.close()
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


def watch(
    connection: http.client.HTTPConnection, deadline: float, is_alive: Callable[[], bool]
) -> None:
    """Wait for the response's first byte. Raises TimeoutError, or ConnectionError if not alive."""
    failed = 0
    while not is_readable(connection, min(HEALTH_INTERVAL_S, deadline - time.monotonic())):
        if time.monotonic() >= deadline:
            raise TimeoutError
        failed = 0 if is_alive() else failed + 1
        if failed == HEALTH_FAILURES:
            raise ConnectionError("the server went away while it worked")


def read_all(response: http.client.HTTPResponse, deadline: float) -> bytes:
    """The response's body. Raises TimeoutError, OSError, HTTPException."""
    content = bytearray()
    while part := response.read1(1 << 16):
        content += part
        if time.monotonic() > deadline:
            raise TimeoutError
    if response.length:
        raise http.client.IncompleteRead(bytes(content), response.length)
    response.close()  # else http.client refuses the connection's next response, unread
    return bytes(content)


def is_readable(connection: http.client.HTTPConnection, timeout_s: float) -> bool:
    """Whether bytes (or the end) arrive within timeout_s."""
    poll = select.poll()  # select() itself fails past 1,024 open files
    poll.register(connection.sock, select.POLLIN)
    return bool(poll.poll(max(0.0, timeout_s) * 1000))


def has_ended(connection: http.client.HTTPConnection) -> bool:
    """Whether an idle connection was closed by the server (vLLM does after 5 s)."""
    return connection.sock is None or is_readable(connection, 0)
