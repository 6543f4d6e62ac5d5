"""What the rig needs from this machine, and a clear message if it is missing."""

from __future__ import annotations

import os
import shutil


class RigUnavailable(Exception):
    """This machine cannot run a part of the rig; the text says what is missing."""


def require_root() -> None:
    if os.geteuid() != 0:
        raise RigUnavailable("needs root: namespaces, mounts and a network of its own")


def require_programs(*names: str, package: str = "") -> None:
    """Each program must be on PATH, or in /usr/sbin or /sbin."""
    path = os.environ.get("PATH", "") + ":/usr/sbin:/sbin"
    missing = [name for name in names if shutil.which(name, path=path) is None]
    if missing:
        where = package or "tests/rig/cloud/apt-packages.txt lists the packages"
        raise RigUnavailable(f"needs {', '.join(missing)}: {where}")
