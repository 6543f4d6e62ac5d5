"""Packages that few users need: installed at their first use, with the hashes in their file."""

import hashlib
import subprocess
import sys
from pathlib import Path

from lib import files
from lib.console import Failure, say


def install(requirements: Path, name: str, whose: str) -> None:
    """Install these packages into our environment, once for each state of their file.

    name is for the stamp's file name, whose is for people ("the CPU preview"). pip adds no
    dependencies, because the file pins them all. Raises Failure.
    """
    wanted = hashlib.sha256(requirements.read_bytes()).hexdigest()
    stamp = Path(sys.prefix) / f"{name}.sha256"
    if files.is_text(stamp, wanted):
        return
    say(f"installing the packages of {whose}, once (a minute or two) …")
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "install", "--quiet"]
    pip += ["--no-deps", "--require-hashes", "-r", str(requirements)]
    done = subprocess.run(
        pip, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise Failure(
            f"pip could not install the packages of {whose}:\n{done.stderr.strip()}",
            "fix what pip says (network? disk?), then run this again",
        )
    files.write_whole(stamp, wanted)
