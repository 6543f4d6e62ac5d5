"""A power cut: all processes end at once, and what was not yet on the disk may be lost.

A command with `recorded(folder, store)` in its environment saves in the store what its fsync()
calls brought to the disk. Then cut() changes the folder into a state that a disk may have after the
cut. For each file, it keeps all, nothing or a part of what was written since the last fsync(). For
each folder, it keeps the old or the new names of what was renamed since.
"""

from __future__ import annotations

import json
import os
import random
from dataclasses import dataclass
from pathlib import Path

from rig.synced.keeping import keep

TESTS = Path(__file__).parents[1]
RECORDER = TESTS / "rig" / "synced"


def recorded(folder: Path, store: Path) -> dict[str, str]:
    """Environment for a command, to keep its fsync() calls in a new store.

    What is in the folder already counts as safe.
    """
    store.mkdir()
    for below, _, names in os.walk(folder):
        for path in (Path(below), *(Path(below, name) for name in names)):
            keep(path, store)
    return {"PYTHONPATH": f"{RECORDER}:{TESTS}", "SYNCED": str(store)}


def cut(folder: Path, store: Path, dice: random.Random) -> int:
    """Lose what may be lost below a folder; return how many files changed."""
    disk = Disk(store, dice)
    below = [Path(path) for path, _, _ in os.walk(folder)]
    return sum(disk.lose_in(path) for path in below)


@dataclass
class Disk:
    """What is safe on the disk, and the dice that decide about the rest."""

    store: Path
    dice: random.Random

    def lose_in(self, folder: Path) -> int:
        """Lose what may be lost in one folder."""
        safe = self.names(folder)
        names_came = self.dice.random() < 0.5
        lost = 0
        for path in sorted(path for path in folder.iterdir() if path.is_file()):
            inode = path.stat().st_ino
            was = path.read_bytes()
            now = self.content(inode, was)
            if safe.get(path.name) != inode and not names_came:
                path.unlink()
                if not path.name.endswith(".part"):
                    path.with_name(f"{path.name}.part").write_bytes(now)
                before = safe.get(path.name)
                if before is not None and (self.store / str(before)).exists():
                    path.write_bytes((self.store / str(before)).read_bytes())
                lost += 1
            elif now != was:
                path.write_bytes(now)
                lost += 1
        return lost

    def names(self, folder: Path) -> dict[str, int]:
        """The names in a folder that are safe, and their inodes."""
        kept = self.store / str(folder.stat().st_ino)
        found: dict[str, int] = json.loads(kept.read_bytes()) if kept.exists() else {}
        return found

    def content(self, inode: int, written: bytes) -> bytes:
        """Choose what a file has of what was written."""
        kept = self.store / str(inode)
        safe = kept.read_bytes() if kept.exists() else b""
        if not written.startswith(safe):  # the file was written again since
            return self.dice.choice([safe, written])
        part = written[: self.dice.randint(len(safe), len(written))]
        return self.dice.choice([safe, part, written, written])
