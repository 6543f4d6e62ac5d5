"""What workers share by fork: the witnesses, and the model for which way is up.

This model must survive the fork.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

VM_SIDE = Path(__file__).parents[3] / "vm_side"
PROGRAM = """
import os, sys
from workers.forkserver import NO_THREADS
os.environ.update(NO_THREADS)
import workers.preloaded
from PIL import Image
from picture import orientation
print("threads", len(os.listdir("/proc/self/task")))
print("loaded", orientation.session.cache_info().currsize)
print("witnesses", "trust.witnesses" in sys.modules)
sys.stdout.flush()
square = Image.linear_gradient("L").resize((224, 224))
expected = orientation.ask(square)
children = [os.fork() or os._exit(orientation.ask(square) != expected) for _ in range(3)]
print("failed", sum(os.waitpid(child, 0)[1] != 0 for child in children))
"""


@pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="counts threads in /proc")
def test_a_fork_of_it_can_use_the_model() -> None:
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM],
        env={**os.environ, "PYTHONPATH": str(VM_SIDE)},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    said = ["threads 1", "loaded 1", "witnesses True", "failed 0"]
    assert done.stdout.splitlines() == said, done.stderr
