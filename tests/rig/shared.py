"""Which process of a test run gets which files.

Files that share a rig run in one process, so that it is started only once: a fleet takes CPU time
even while it waits for work, and the start of a VM takes seconds of CPU time. Long files come first
and often wait: while three of four processes run those, the fourth has something to compute.
"""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

from xdist.scheduler import LoadFileScheduling
from xdist.workermanage import WorkerController

ROOT = Path(__file__).parents[2]
ASKED_FOR = {
    "box": re.compile(r"\bbox: Vm\b"),  # a machine that is reached by ssh
    "either": re.compile(r'"either"|\beither: str\b'),  # a fleet of two nodes
}


class ByRig(LoadFileScheduling):  # type: ignore[misc]  # pytest-xdist has no types
    """Like --dist loadfile, but all files that share a rig run in one process.

    Every fourth process begins at the end.
    """

    def _split_scope(self, nodeid: str) -> str:
        return unit_of(nodeid)

    def _assign_work_unit(self, node: WorkerController) -> None:
        if int(node.gateway.id.removeprefix("gw")) % 4 == 3:
            self.workqueue.move_to_end(next(reversed(self.workqueue)), last=False)
        super()._assign_work_unit(node)


def unit_of(nodeid: str) -> str:
    """What runs in one process: the rig that a test's file shares with others, or the file."""
    name = nodeid.partition("::")[0]
    return rig_of(ROOT / name) or name


@cache
def rig_of(path: Path) -> str:
    """The rig that a test file shares with others, found by its fixture; empty for none."""
    text = path.read_text(encoding="utf-8")
    return next((rig for rig, asks in ASKED_FOR.items() if asks.search(text)), "")
