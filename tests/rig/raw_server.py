"""A TCP server that sends exactly the bytes it is told: for what no real server should do."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable
from types import TracebackType

Talk = Callable[[socket.socket], None]


class RawServer:
    """Handles the n-th connection with the n-th talk; later connections with the last one."""

    def __init__(self, *talks: Talk) -> None:
        self.talks = talks
        self.connections = 0
        self.received = b""
        """All bytes of all connections that talks have read with `receive`."""
        self.over = threading.Event()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._threads = [threading.Thread(target=self._accept, daemon=True)]
        self.url = "http://{}:{}".format(*self._listener.getsockname())

    def __enter__(self) -> RawServer:
        self._threads[0].start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.over.set()
        self._listener.shutdown(socket.SHUT_RDWR)
        for thread in self._threads:
            thread.join()
        self._listener.close()

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            talk = self.talks[min(self.connections, len(self.talks) - 1)]
            self.connections += 1
            thread = threading.Thread(target=self._hold, args=(connection, talk), daemon=True)
            self._threads.append(thread)
            thread.start()

    def _hold(self, connection: socket.socket, talk: Talk) -> None:
        with connection:
            talk(connection)

    def receive(self, connection: socket.socket, end: bytes = b"END") -> bool:
        """Read up to these bytes; False if the client ended first."""
        data = b""
        while not data.endswith(end):
            try:
                part = connection.recv(1 << 16)
            except ConnectionError:
                return False
            if not part:
                return False
            data += part
            self.received += part
        return True

    def say(self, *answers: bytes) -> Talk:
        """A talk: one answer for each request. A request's body ends with END. Then hang up."""

        def talk(connection: socket.socket) -> None:
            for answer in answers:
                if self.receive(connection):
                    connection.sendall(answer)

        return talk
