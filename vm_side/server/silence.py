"""How long a model server has answered nobody: one that hangs may still say that it is healthy."""

import time
from multiprocessing.sharedctypes import RawValue


class Silence:
    """The time since a server's last answer to any of the processes that share this."""

    def __init__(self) -> None:
        self._since_s = RawValue("d", time.monotonic())  # the same clock in all processes

    def end(self) -> None:
        """Note that the server answered."""
        self._since_s.value = time.monotonic()

    @property
    def seconds(self) -> float:
        """How long the silence has lasted."""
        return time.monotonic() - float(self._since_s.value)
