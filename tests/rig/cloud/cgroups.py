"""Control groups for a guest, in the hybrid layout: a new one in each hierarchy except memory.

The hierarchies with controllers are version 1, which docker accepts. The one without controllers is
version 2, which tells the guest's systemd when a group is empty. Memory stays with the group of the
tests, so that a memory limit for the tests also limits the guests.
"""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

from rig.cloud.unavailable import RigUnavailable

# empty in a new group; until they are set, it accepts no process
INHERITED = ("cpuset.cpus", "cpuset.mems")
UNIFIED = "unified"
NEEDED = {"name=systemd", "devices", UNIFIED}


def make_groups(name: str) -> dict[str, Path]:
    """Make new groups below our own; keys are controllers (`cpu`, `name=systemd`) or `unified`."""
    ours: dict[str, str] = {}
    for line in Path("/proc/self/cgroup").read_text().splitlines():
        _, controllers, path = line.split(":", 2)
        ours[controllers or UNIFIED] = path.lstrip("/")
    mounts = _mount_points(set(ours))
    if missing := NEEDED - mounts.keys():
        text = ", ".join(sorted(missing))
        raise RigUnavailable(f"needs control groups in the hybrid layout; missing: {text}")
    groups: dict[str, Path] = {}
    for controllers in mounts.keys() - {"memory"}:
        own = mounts[controllers] / ours[controllers]
        group = own / name
        group.mkdir()
        for file in INHERITED:
            with suppress(FileNotFoundError):
                (group / file).write_text((own / file).read_text())
        groups[controllers] = group
    return groups


def _mount_points(hierarchies: set[str]) -> dict[str, Path]:
    mounts = {}
    for line in Path("/proc/self/mountinfo").read_text().splitlines():
        left, _, right = line.partition(" - ")
        kind, _, options = right.split(" ")
        place = Path(left.split(" ")[4])
        if kind == "cgroup2":
            mounts[UNIFIED] = place
        elif kind == "cgroup":
            for controllers in hierarchies:
                if set(controllers.split(",")) <= set(options.split(",")):
                    mounts[controllers] = place
    return mounts
