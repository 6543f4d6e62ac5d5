"""Which computer this is, as far as its system tells; a host name does not tell it."""

import hashlib
import socket
from dataclasses import dataclass
from pathlib import Path

MACHINE_ID = Path("/etc/machine-id")
BOOT_ID = Path("/proc/sys/kernel/random/boot_id")
PID_NAMESPACE = Path("/proc/self/ns/pid")


@dataclass(frozen=True)
class Here:
    """This computer; a value is empty if the system does not tell it.

    boot stays the same while the computer is on, for all processes that see each other: a container
    numbers its processes in another way than the system outside.
    """

    host: str
    machine: str
    boot: str


def look() -> Here:
    """Return what identifies this computer."""
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
    """Return an id that only we use: systemd asks programs not to reveal the machine's own."""
    return hashlib.sha256(f"dots-ocr {what} {text}".encode()).hexdigest()[:16]
