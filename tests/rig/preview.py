"""A stand-in for `python -m cpu_endpoint` that starts at once: the model server of the rig.

It runs in a copy of the project (see rig.toolkit) as the process that `make start` starts, in the
machine's vm_side folder. The variable PREVIEW says how it behaves:

fails    ends before it answers
loads    never answers
hangs    reads the first page, and never answers for the others
forgets  spoils server.json, the note of its process id
lingers  hangs; told to end, it writes `ending` beside server.json and waits for `may end`
"""

import os
import signal
import sys
import threading
import time
from pathlib import Path

import click

from rig.command import wait_until
from rig.model_request import Request
from rig.model_server import ModelServer
from rig.replies import Reply

LAST_WORDS = "not enough memory for the model"
ENDING, MAY_END = "ending", "may end"


@click.command()
@click.option("--host", required=True)
@click.option("--port", type=int, required=True)
def main(host: str, port: int) -> None:
    """Serve until SIGTERM."""
    behaviour = os.environ.get("PREVIEW", "")
    machine = Path.cwd().parent
    print(f"preview at {host}:{port}, PREVIEW={behaviour}", flush=True)
    if behaviour == "fails":
        sys.exit(LAST_WORDS)
    if behaviour == "loads":
        time.sleep(600)
    if behaviour == "lingers":
        signal.signal(signal.SIGTERM, lambda number, frame: linger(machine))
    with ModelServer(port=port) as server:
        if behaviour in ("hangs", "lingers"):
            server.script = hang_after_the_first
        if behaviour == "forgets":
            server.script = lambda request: Reply(then=lambda: forget(machine))
        threading.Event().wait()


def hang_after_the_first(request: Request) -> Reply:
    """Answer only the first page; the other requests hang."""
    return Reply(fault="hang" if request.number else None)


def forget(machine: Path) -> None:
    """Leave half of the content of server.json."""
    (machine / "server.json").write_text('{"pid": ')


def linger(machine: Path) -> None:
    """Say that we are ending, and end when a test allows it."""
    (machine / ENDING).touch()
    wait_until((machine / MAY_END).exists)
    os._exit(0)


if __name__ == "__main__":
    main()
