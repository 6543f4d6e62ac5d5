"""Put on a command's PYTHONPATH by rig/power.py: keeps a copy of what each fsync() made safe."""

import os
from pathlib import Path

from rig.synced.keeping import keep

STORE = Path(os.environ["SYNCED"])
sync = os.fsync


def sync_and_keep(number: int) -> None:
    """In the place of os.fsync()."""
    sync(number)
    keep(Path(f"/proc/self/fd/{number}").readlink(), STORE)


os.fsync = sync_and_keep  # type: ignore[assignment]  # ours are called with numbers
