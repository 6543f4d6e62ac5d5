"""A project with one line as its packages, which leads to those in the model's image.

`make start` collects 250 MB of packages and sends them to each VM of the tests. Here it finds this
line instead of the packages, and sends it. Without the line the job finds no package.
"""

from __future__ import annotations

import atexit
import os
import shutil
import sys
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

from lib.machines.ssh.packages import FLEET_REQUIREMENTS, PACKAGES, REQUIREMENTS, folder_of
from rig.cloud.docker_image import ASIDE
from rig.toolkit import CODE, ROOT

# it goes into sitecustomize.py, which Python runs by itself
LINE = f"import sys; sys.path.append({ASIDE!r})\n"
OURS = f"{sys.version_info.major}.{sys.version_info.minor}"


@cache
def light_project() -> Path:
    """The project's code in a separate folder, as hard links, until this process ends."""
    home = TemporaryDirectory(prefix="rig-project-")
    atexit.register(home.cleanup)
    root = Path(home.name)
    for name in CODE:
        if (ROOT / name).is_dir():
            shutil.copytree(ROOT / name, root / name, copy_function=_link)
        else:
            _link(str(ROOT / name), str(root / name))
    for wanted in (REQUIREMENTS, FLEET_REQUIREMENTS):
        packages = root / PACKAGES.relative_to(ROOT) / folder_of(OURS, wanted).name
        packages.mkdir(parents=True)
        (packages / "sitecustomize.py").write_text(LINE)
    return root


def _link(source: str, target: str) -> None:
    try:
        os.link(source, target)
    except OSError:  # another file system
        shutil.copy2(source, target)
