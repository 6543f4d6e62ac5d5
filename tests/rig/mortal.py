"""A TCP server that can die like a killed process, hang like a stopping one, and come back.

It knows no HTTP: `talk(connection, number, life)` holds the conversation in a thread of its own and
returns whether to end the connection with a reset. The port stays the same in all lives.
"""

from __future__ import annotations

import os
import select
import socket
import struct
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field

HOST = "127.0.0.1"
BACKLOG = 256
JOIN_TIMEOUT_S = 2.0


class Signal:
    """An event that poll() can watch beside a socket. Once set it stays set."""

    def __init__(self) -> None:
        self._reader, self._writer = os.pipe()
        self.is_set = False

    def set(self) -> None:
        self.is_set = True
        os.write(self._writer, b"!")  # never read, so that later watchers see it too

    def fileno(self) -> int:
        return self._reader

    def __del__(self) -> None:  # only here: a thread that still watches may outlive the server
        os.close(self._reader)
        os.close(self._writer)


@dataclass
class Life:
    """One life of the server process, from listening to its end."""

    leaving: Signal = field(default_factory=Signal)
    """No more connections, requests or answers; requests in flight hang."""
    over: Signal = field(default_factory=Signal)
    """Every connection ends now."""
    killed: bool = False
    """Whether the connections end with a reset and not with a normal close."""
    threads: set[threading.Thread] = field(default_factory=set)


def poll(*watched: socket.socket | Signal, timeout_s: float | None = None) -> set[int]:
    """The file numbers of those that have something to read; empty if the time is over."""
    poller = select.poll()
    for one in watched:
        poller.register(one, select.POLLIN)
    return {number for number, _ in poller.poll(None if timeout_s is None else timeout_s * 1000)}


def watch(
    connection: socket.socket, *signals: Signal, timeout_s: float | None = None
) -> Signal | socket.socket | None:
    """Wait for a signal, for the client's hang-up (returns its socket) or the time (None)."""
    deadline_s = None if timeout_s is None else time.monotonic() + timeout_s
    watched: tuple[socket.socket | Signal, ...] = (connection, *signals)
    while True:
        left_s = None if deadline_s is None else max(0.0, deadline_s - time.monotonic())
        ready = poll(*watched, timeout_s=left_s)
        for signal in signals:
            if signal.fileno() in ready:
                return signal
        if not ready:
            return None
        try:
            if not connection.recv(1, socket.MSG_PEEK):
                return connection
        except ConnectionError:
            return connection
        watched = signals  # the client has already sent its next request: it is still there


class MortalServer:
    """Accepts on one port of 127.0.0.1 and runs `talk` in a daemon thread per connection."""

    def __init__(self, talk: Callable[[socket.socket, int, Life], bool], port: int = 0) -> None:
        self._talk = talk
        self.port = port
        self.connections = 0
        """Connections accepted so far, over all lives."""
        self._lock = threading.RLock()
        self._socket: socket.socket | None = None
        self._life: Life | None = None
        self._acceptor: threading.Thread | None = None
        self._timer: threading.Timer | None = None

    def open(self) -> None:
        """Begin the first life. Port 0 takes a free port."""
        self._socket = self._bound()
        self.port = self._socket.getsockname()[1]
        self._listen()

    def close(self) -> None:
        """End everything, without resets, and give the port back."""
        self._end(killed=False)
        if self._socket is not None:
            self._socket.close()

    def die(self) -> None:
        """Like SIGKILL: every connection is reset, and new connections are refused."""
        self._end(killed=True)

    def stop_answering(self) -> None:
        """Like SIGTERM: connects are refused, idle connections close, requests in flight hang."""
        with self._lock:
            if self._life is not None:
                self._refuse(self._life)

    def come_back(self, after_s: float = 0.0) -> None:
        """End this life, and begin a new one on the same port after a while. Return at once."""
        self.die()
        if after_s:
            self._timer = threading.Timer(after_s, self._listen)
            self._timer.daemon = True
            self._timer.start()
        else:
            self._listen()

    def _bound(self, beside: bool = False) -> socket.socket:
        """A socket on our port. `beside` allows it while our other socket is there (Linux)."""
        bound = socket.socket()
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, beside)
        try:
            bound.bind((HOST, self.port))
        except OSError:
            bound.close()
            raise
        bound.setblocking(False)  # a client that left between poll and accept must not block
        return bound

    def _listen(self) -> None:
        with self._lock:
            assert self._socket is not None and self._acceptor is None, "is alive already"
            self._socket.listen(BACKLOG)
            self._life = life = Life()
            self._acceptor = threading.Thread(
                target=self._accept, args=(self._socket, life), daemon=True
            )
            self._acceptor.start()

    def _accept(self, listener: socket.socket, life: Life) -> None:
        while life.leaving.fileno() not in poll(listener, life.leaving):
            try:
                connection, _ = listener.accept()
            except (BlockingIOError, ConnectionError):
                continue
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            thread = threading.Thread(
                target=self._converse, args=(connection, self.connections, life), daemon=True
            )
            self.connections += 1
            life.threads.add(thread)
            thread.start()

    def _converse(self, connection: socket.socket, number: int, life: Life) -> None:
        try:
            with connection:
                if self._talk(connection, number, life) or life.killed:
                    linger = struct.pack("ii", 1, 0)  # close() sends a RST now
                    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
        finally:
            life.threads.discard(threading.current_thread())

    def _refuse(self, life: Life) -> None:
        """Stop listening and keep the port: bound without listening, it refuses connects."""
        life.leaving.set()
        if self._acceptor is None or self._socket is None:
            return
        self._acceptor.join()
        self._acceptor = None
        # close it last: otherwise another process could get the port in between
        before = self._socket
        before.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        self._socket = self._bound(beside=True)
        before.close()

    def _end(self, killed: bool) -> None:
        if self._timer is not None:  # a planned return is cancelled
            self._timer.cancel()
            self._timer.join()
            self._timer = None
        with self._lock:
            life, self._life = self._life, None
            if life is None:
                return
            life.killed = killed  # set this before the threads see that the life ends
            self._refuse(life)
        life.over.set()
        deadline_s = time.monotonic() + JOIN_TIMEOUT_S
        for thread in life.threads - {threading.current_thread()}:
            thread.join(max(0.0, deadline_s - time.monotonic()))
