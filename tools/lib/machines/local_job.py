"""TARGET=local: the process that reads pages, which outlives a make all that was killed."""

import contextlib
import os
import re
import signal
import time
from pathlib import Path

from lib.alone import is_ours
from lib.console import Failure

PATIENCE_S = {signal.SIGTERM: 30.0, signal.SIGKILL: 10.0}  # SIGTERM lets it complete its manifest
STEP_S = 0.05


def end(lock: Path) -> None:
    """End the process that holds the lock of the results, and wait for its end. Raises Failure."""
    for number, patience_s in PATIENCE_S.items():
        deadline = time.monotonic() + patience_s
        if pid := holder(lock):
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, number)
        while holder(lock) and time.monotonic() < deadline:
            time.sleep(STEP_S)
    if pid := holder(lock):
        raise Failure(f"the job, process {pid}, cannot be ended")


def holder(lock: Path) -> int:
    """Return the id of the process that holds the lock; 0 if none. Raises Failure if not known."""
    try:
        with lock.open("r+", encoding="utf-8", errors="replace") as file:
            if is_ours(file.fileno()):
                return 0
            told = re.match(r"process ([1-9][0-9]{0,8}),", file.read())
    except FileNotFoundError:
        return 0
    if not told:
        raise Failure(f"a job runs, and {lock} does not say which", f"end it (fuser {lock})")
    return int(told[1])
