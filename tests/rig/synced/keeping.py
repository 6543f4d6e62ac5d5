"""What a disk has for sure: copies in a store, each under the inode of its file or folder."""

import json
import os
from pathlib import Path


def keep(path: Path, store: Path) -> None:
    """Note that a file's content, or the names in a folder, came to the disk."""
    inode = path.stat().st_ino
    if path.is_dir():
        content = json.dumps({entry.name: entry.inode() for entry in os.scandir(path)}).encode()
    else:
        content = path.read_bytes()
        pin = store / f"pin-{inode}"  # so that no other file ever gets this inode
        if not pin.exists():
            pin.hardlink_to(path)
    part = store / f"part-{os.getpid()}"
    part.write_bytes(content)
    part.replace(store / str(inode))
