"""The first process in the model server's container: loads for a while, then serves, or dies.

It accepts the options of `vllm serve` that the launch script gives, and uses a few of them.
"""

from __future__ import annotations

import argparse
import itertools
import math
import os
import signal
import threading
import time
from pathlib import Path
from types import FrameType

from rig import mortal
from rig.model_server import ModelServer, Reply, Request
from rig.vllm_start import CARD, SERVE_SH

# They are in the container's own layer, so they are still there after a restart.
DEATHS, STARTS = Path("/root/deaths"), Path("/root/starts")
HELD_S = 3600.0
LOOK = (28, 28)  # the client's first question, which is not a page


def say(text: str, level: str = "INFO", of_whom: str = "") -> None:
    print(f"{of_whom} {level} {time.strftime('%m-%d %H:%M:%S')} {text}".strip(), flush=True)


def load(startup_s: float) -> None:
    """Take this time to load, and print vLLM's lines, each at its share of the time."""
    began, whole_s = time.monotonic(), CARD[-1].after_s
    for line in (SERVE_SH, *CARD):
        time.sleep(max(0.0, began + startup_s * line.after_s / whole_s - time.monotonic()))
        say(line.text, of_whom=line.of_whom)


def stop(number: int, frame: FrameType | None) -> None:
    say("Shutting down")
    os._exit(0)


def die() -> None:
    say("torch.OutOfMemoryError: CUDA out of memory. Tried to allocate 2.00 GiB.", "ERROR")
    os._exit(1)


def main() -> None:
    signal.signal(signal.SIGTERM, stop)
    parser = argparse.ArgumentParser()
    parser.add_argument("--host", default="0.0.0.0")
    parser.add_argument("--port", type=int, default=8000)
    parser.add_argument("--served-model-name", default="model")
    parser.add_argument("--max-num-seqs", type=int)
    options, ignored = parser.parse_known_args()
    say(f"vLLM stand-in starts; of no effect: {ignored}")

    dies_after_s = os.environ["RIG_DIES_AFTER_S"]
    deaths = len(DEATHS.read_text()) if DEATHS.exists() else 0
    if dies_after_s and deaths < int(os.environ["RIG_DIES_TIMES"]):
        DEATHS.write_text("x" * (deaths + 1))
        timer = threading.Timer(float(dies_after_s), die)
        timer.daemon = True
        timer.start()

    load(float(os.environ["RIG_STARTUP_S"]))
    mortal.HOST = options.host  # like vLLM, it listens on every address by default
    latency_s = float(os.environ["RIG_LATENCY_S"])
    starts = len(STARTS.read_text()) if STARTS.exists() else 0
    STARTS.write_text("x" * (starts + 1))
    most = 1 if starts < int(os.environ["RIG_HOLDS_TIMES"]) else math.inf
    pages = itertools.count(1)

    def answer(request: Request) -> Reply:
        width, height = request.size
        is_held = request.size != LOOK and next(pages) > most
        say(f'"POST /v1/chat/completions HTTP/1.1" {width}x{height}')
        return Reply(delay_s=HELD_S if is_held else latency_s)

    with ModelServer(
        port=options.port,
        model=options.served_model_name,
        max_num_seqs=options.max_num_seqs,
    ) as server:
        server.script = answer
        say(f"Application startup complete: {options.host}:{options.port} {server.model}")
        threading.Event().wait()


if __name__ == "__main__":
    main()
