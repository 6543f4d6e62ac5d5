#!/usr/bin/env python3
"""Make the environment of this project: setup.py FOLDER REQUIREMENTS

It runs on any Python 3 and needs nothing else. If something is missing, one line says what to type.
"""

import importlib.util
import shutil
import subprocess
import sys
from pathlib import Path

OLDEST = (3, 11)
PIP = ("-m", "pip", "--disable-pip-version-check", "install", "--quiet", "--require-hashes")


def make_environment(folder: str, requirements: str) -> int:
    """Make the environment from scratch. Return the exit code, as all scripts here do."""
    why = hindrance(sys.version_info[:2], has_venv(), has_apt())
    if not why:
        why = made(folder) or installed(Path(folder, "bin", "python"), requirements)
    if why:
        sys.stderr.write(f"Error: {why}\n")
    return 1 if why else 0


def has_venv() -> bool:
    """Whether this Python can make environments. Debian has a part of that in another package."""
    return all(importlib.util.find_spec(name) for name in ("venv", "ensurepip"))


def has_apt() -> bool:
    """Whether this is a Debian or an Ubuntu."""
    return shutil.which("apt-get") is not None


def hindrance(version: "tuple[int, ...]", with_venv: bool, with_apt: bool) -> str:
    """Return why this Python cannot be used, and what to type; "" if it can be used."""
    name = "python{}.{}".format(*version)
    if version < OLDEST:
        newer = "python{}.{}".format(*OLDEST)
        install = f"sudo apt-get install {newer}-venv" if with_apt else f"install {newer}"
        return (
            f"{name} is too old, {newer} or newer is needed: {install}, then make … PYTHON={newer}"
        )
    if not with_venv:
        install = f"sudo apt-get install {name}-venv" if with_apt else "install both"
        return f"{name} has no venv or no ensurepip: {install}, then the same again"
    return ""


def made(folder: str) -> str:
    """Make an empty environment. Return what went wrong, or ""."""
    command = [sys.executable, "-m", "venv", "--clear", folder]
    return last_words(command, f"no environment in {folder}")


def installed(python: Path, requirements: str) -> str:
    """Install the packages. Return what went wrong, or ""."""
    command = [str(python), *PIP, "-r", requirements]
    return last_words(command, "the packages were not installed (network? disk?)")


def last_words(command: "list[str]", what: str) -> str:
    """Run a command. Return "" if it succeeds.

    If it fails, return what failed, its last line of output, and how to see all of the output.
    """
    done = subprocess.run(
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False
    )
    if done.returncode == 0:
        return ""
    lines = [line.strip() for line in done.stdout.splitlines() if line.strip()]
    errors = [line for line in lines if line.startswith("ERROR:")] or lines or ["it said nothing"]
    return "{}: {}; all of it: {}".format(what, errors[-1], " ".join(command))


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.stderr.write(str(__doc__))
        sys.exit(2)
    sys.exit(make_environment(*sys.argv[1:]))
