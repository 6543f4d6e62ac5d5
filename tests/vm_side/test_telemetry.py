"""onnxruntime reports to its maker, unless it is told not to before the import: we tell it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

VM_SIDE = Path(__file__).parents[2] / "vm_side"
PROGRAM = """
import os, {module}, onnxruntime
print(len(os.listdir("/proc/self/task")))
"""


@pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="counts threads in /proc")
@pytest.mark.parametrize("module", ["picture.orientation", "cpu_endpoint"])
def test_its_reporter_is_not_started(module: str) -> None:
    environment = {k: v for k, v in os.environ.items() if k != "ORT_DISABLE_TELEMETRY"}
    environment |= {"PYTHONPATH": str(VM_SIDE), "OPENBLAS_NUM_THREADS": "1"}
    command = [sys.executable, "-c", PROGRAM.format(module=module)]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    assert int(done.stdout) == 1


def test_no_other_file_imports_it() -> None:
    """Nor a package that imports it, except for the preview, which tells it first."""
    names = ("import onnxruntime", "from onnxruntime")
    files = {
        path.relative_to(VM_SIDE).as_posix(): path.read_text() for path in VM_SIDE.rglob("*.py")
    }
    assert [name for name, text in files.items() if any(each in text for each in names)] == [
        "picture/orientation.py"
    ]
