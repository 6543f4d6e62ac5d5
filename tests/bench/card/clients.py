"""The clients: what each part of the bench runs against the server.

May import: bench.card.
"""

import json
import re
import sys
from dataclasses import dataclass
from pathlib import Path

from bench.card.page_set import Load, all_pages, is_small
from bench.card.serving import ROOT

COMMAND = ROOT / "vm_side" / "process_all_images.py"
REFERENCE = ROOT / "tests" / "bench" / "reference.py"
CEILING = Path(__file__).with_name("ceiling.py")
CEILING_PART, REFERENCE_PART, OURS = "ceiling", "reference", "ours"
USUAL = (CEILING_PART, OURS, REFERENCE_PART, "ours-12", "ours-64")  # the most important first
THREADS = 64  # threads of the reference; its own default
QUEUE = 4  # requests of the ceiling client that wait for a place in the batch


@dataclass(frozen=True)
class Bench:
    """What all clients get: the server's port, the pages, a folder for results.

    `told`: the model's answers are forced, so our client must not ask again for better ones.
    """

    port: int
    load: Load
    pages: Path
    requests: Path
    output: Path
    reference: Path
    told: bool


def is_part(name: str) -> bool:
    """Whether this part exists: ours-N is our client with -p N."""
    return name in USUAL or re.fullmatch(rf"{OURS}-\d+", name) is not None


def command_of(part: str, bench: Bench, slots: int) -> tuple[list[str], str]:
    """The command of a part, and its stdin; `slots` is the size of the server's batch."""
    load = bench.load
    if part == CEILING_PART:
        words = (bench.port, bench.requests, slots + QUEUE)
        return [sys.executable, str(CEILING), *map(str, words)], ""
    if part == REFERENCE_PART:
        sizes = ((path, is_small(path, load)) for path in all_pages(bench.pages))
        job = {"port": bench.port, "output": str(bench.output), "threads": THREADS}
        job |= {"max_pixels": load.max_pixels, "answer_tokens": load.answer_tokens}
        job |= {"files": [(str(path), small) for path, small in sizes]}
        return [str(bench.reference), str(REFERENCE)], json.dumps(job)
    command = [sys.executable, str(COMMAND), "--input", str(bench.pages)]
    command += ["--output", str(bench.output), "--endpoint", f"http://127.0.0.1:{bench.port}"]
    command += ["--max-pixels", str(load.max_pixels)]
    command += ["--upsample-below", str(load.upsample_below), "--json"]
    if bench.told:
        command += ["--retries", "0"]
    if part != OURS:
        command += ["-p", part.removeprefix(f"{OURS}-")]
    return command, ""
