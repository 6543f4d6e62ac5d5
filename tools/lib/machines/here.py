"""Which computer this is, as far as its system tells; a host's name says nothing of that."""

import hashlib
import socket
from dataclasses import dataclass
from pathlib import Path

MACHINE_ID = Path("/etc/machine-id")
BOOT_ID = Path("/proc/sys/kernel/random/boot_id")
PID_NAMESPACE = Path("/proc/self/ns/pid")


@dataclass(frozen=True)
class Here:
    """This computer; empty: its system does not tell.

    boot is one for as long as it is on, and for the processes that see each other: in a container
    numbers of processes are others than beside it.
    """

    host: str
    machine: str
    boot: str


def look() -> Here:
    """This computer."""
    machine, boot = first_line(MACHINE_ID), first_line(BOOT_ID)
    try:
        processes = str(PID_NAMESPACE.readlink())
    except OSError:
        processes = ""
    return Here(
        socket.gethostname(),
        named("machine", machine) if len(machine) == 32 else "",
        named("boot", f"{boot} {processes}") if boot and processes else "",
    )


def first_line(path: Path) -> str:
    """The first line of a small file; nothing if it cannot be read."""
    try:
        return path.read_text(encoding="utf-8", errors="replace").partition("\n")[0].strip()
    except OSError:
        return ""


def named(what: str, text: str) -> str:
    """An id that is ours alone: systemd asks not to give a machine's own away."""
    return hashlib.sha256(f"dots-ocr {what} {text}".encode()).hexdigest()[:16]
