"""The process pool: a worker inherits what it needs, and imports nothing itself.

Each test runs in a process of its own, because a process has only one fork server.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from rig.model_server import ModelServer
from rig.replies import Reply
from rig.true_page import told, true_page

TESTS = Path(__file__).parents[2]
# Like the command, it imports modules at the top that its workers do not need.
PROGRAM = """
import sys
import click
from pathlib import Path
from dataclasses import replace
from read_page import Task
from results.pages import find_pages
from rig.settings import settings_in
from rig.worker_functions import imported_while_reading
from workers.interrupt import Interrupt
from workers.pool import run

if __name__ == "__main__":
    settings = replace(
        settings_in(Path("elsewhere")),
        **{"input": Path("in"), "output": Path("out"), "endpoint": sys.argv[1], "images": True},
    )
    tasks = [Task(page) for page in find_pages(settings.input)]
    with Interrupt() as interrupt:
        for _, told in run(tasks, imported_while_reading, (settings,), lambda: 2, interrupt):
            print(*told)
"""


@pytest.mark.parametrize("how", [["program.py"], ["-m", "program"]], ids=["script", "module"])
@pytest.mark.parametrize("ending", [".png", ".jpg", ".pdf"])
def test_a_worker_imports_nothing(tmp_path: Path, how: list[str], ending: str) -> None:
    """It imports no main script, no module of its function, and nothing for its first page."""
    (tmp_path / "program.py").write_text(PROGRAM)
    (tmp_path / "in").mkdir()
    picture, cells = true_page(dpi=80)
    for number in (1, 2):
        picture.save(tmp_path / "in" / f"{number}{ending}", resolution=80)
    paths = (TESTS.parent / "vm_side", TESTS)
    with ModelServer() as server:
        server.script = lambda request: Reply(told(cells, request.size))
        done = subprocess.run(
            [sys.executable, *how, server.url],
            cwd=tmp_path,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(map(str, paths))},
            capture_output=True,
            text=True,
            check=False,
        )
    assert (done.stderr, done.stdout) == ("", "ok\nok\n")
