"""Commands on a machine, over one ssh connection that is kept for all of them."""

import os
import shlex
import stat
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from lib.console import Failure
from lib.machines.ssh import bounded

CONNECTION_LOST = 255  # ssh's own exit code
KEPT_S = 60
ALIVE_INTERVAL_S, ALIVE_MISSES = 5, 3
SEEN_INTERVAL_S = 60.0
SEEN = ".dots-ocr/seen"  # its time tells the watchdog when a client was last there


class ConnectionLost(Failure):
    """The ssh connection failed; the script that it ran may go on."""

    def __init__(self, name: str, why: str) -> None:
        super().__init__(f"{name} cannot be reached: {why}", "check the network, and make status")
        self.why = why

    def __str__(self) -> str:
        return self.why


class Shell:
    """A machine's shell. ssh is the command that logs in, without the script to run there."""

    def __init__(self, ssh: Sequence[str], name: str) -> None:
        self.name = name
        options = {
            "BatchMode": "yes",  # a password prompt would hang cron
            "ConnectTimeout": 10,
            "ControlMaster": "auto",
            "ControlPath": socket_folder() / "%C",
            "ControlPersist": KEPT_S,
            "LogLevel": "ERROR",
            "ServerAliveInterval": ALIVE_INTERVAL_S,
            "ServerAliveCountMax": ALIVE_MISSES,
        }
        program, *rest = ssh
        given = [text for name, value in options.items() for text in ("-o", f"{name}={value}")]
        self.login = [program, *given, *rest]
        self._seen = time.monotonic()

    def is_open(self) -> bool:
        """Whether the machine lets us in."""
        return (
            subprocess.run([*self.login, "true"], capture_output=True, check=False).returncode == 0
        )

    def popen(self, script: str) -> "subprocess.Popen[bytes]":
        """Start a script with pipes to its stdin, and from its stdout and stderr."""
        pipe = subprocess.PIPE
        return subprocess.Popen([*self.login, script], stdin=pipe, stdout=pipe, stderr=pipe)

    def ask(self, script: str, content: bytes = b"") -> "subprocess.CompletedProcess[bytes]":
        """Run a script, content as stdin. Raises ConnectionLost; Failure if it says too much."""
        try:
            done = bounded.run([*self.login, script], content)
        except bounded.TooMuch as error:
            raise Failure(f"{self.name} says {error} to {shorten(script)}; given up") from error
        self.check_connection(done.returncode, done.stderr)
        return done

    def run(self, script: str, content: bytes = b"") -> str:
        """Return what a script prints. Raises ConnectionLost, and Failure if the script fails."""
        done = self.ask(script, content)
        if done.returncode:
            raise Failure(
                f"on {self.name}: {shorten(script)} ended with {done.returncode}:\n"
                f"{done.stderr.decode('utf-8', 'replace').strip()}"
            )
        return done.stdout.decode("utf-8", "replace")

    def follow(self, script: str) -> int:
        """Run a script and pass on what it says, made printable; return its exit code.

        It has a connection of its own: the kept one would hold our terminal after a Ctrl-C.
        """
        program, *rest = self.login
        command = [program, "-o", "ControlPath=none", *rest, script]
        return bounded.follow(command, sys.stdout, sys.stderr)

    def check_connection(self, code: int, errors: bytes) -> None:
        """Raise ConnectionLost if ssh itself failed."""
        if code == CONNECTION_LOST:
            why = errors.decode("utf-8", "replace").strip() or "the connection was lost"
            raise ConnectionLost(self.name, why)

    def stay_seen(self) -> None:
        """Tell the watchdog, once a minute while files travel, that somebody is there."""
        if time.monotonic() - self._seen > SEEN_INTERVAL_S:
            self._seen = time.monotonic()
            self.ask(f"touch {SEEN}")

    def close(self) -> None:
        """Close the kept connection, if there is one."""
        program, *rest = self.login
        subprocess.run([program, "-O", "exit", *rest], capture_output=True, check=False)


def socket_folder() -> Path:
    """Make the folder of the kept connections. Raises Failure if others have rights on it.

    It is in the temporary folder, because the path of a socket may have only 108 bytes, and the
    path of a home folder may be long.
    """
    folder = Path(tempfile.gettempdir()) / f"dots-ocr-ssh-{os.getuid()}"
    folder.mkdir(mode=0o700, exist_ok=True)
    status = folder.lstat()
    is_ours = stat.S_ISDIR(status.st_mode) and status.st_uid == os.getuid()
    if not is_ours or status.st_mode & 0o077:
        raise Failure(
            f"{folder} is not ours alone: its owner could act in our name",
            f"see who owns it (ls -ld {folder}), remove it, and try again",
        )
    return folder


def script_of(*words: object) -> str:
    """Words -> one line of shell, quoted."""
    return shlex.join(map(str, words))


def shorten(script: str) -> str:
    """The first line of a script, for a message."""
    return script.strip().split("\n")[0][:80]
