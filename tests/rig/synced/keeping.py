"""What is safe on a disk: copies in a store, named by the inode of the file or folder."""

import json
import os
from pathlib import Path


def keep(path: Path, store: Path) -> None:
    """Keep a copy of a file's content, or of the names in a folder, as safe on the disk."""
    inode = path.stat().st_ino
    if path.is_dir():
        content = json.dumps({entry.name: entry.inode() for entry in os.scandir(path)}).encode()
    else:
        content = path.read_bytes()
        pin = store / f"pin-{inode}"  # keeps the inode, so that no other file gets it
        if not pin.exists():
            pin.hardlink_to(path)
    part = store / f"part-{os.getpid()}"
    part.write_bytes(content)
    part.replace(store / str(inode))
