"""What a verb must not load before it needs it: each of these costs a tenth of a second.

make all starts seven verbs.
"""

import subprocess
import sys

from rig.toolkit import ROOT
from test_makefile import VERBS

HEAVY = ("google", "numpy", "pymupdf", "requests", "tqdm")
OF_GOOGLE = {"check-account", "create", "delete"}
OPENS_PDFS = {"tune"}
START = """
import importlib, sys
sys.path[:0] = sys.argv[1:3]
from lib.knobs import Knobs
from lib.machines import open_machine
for name in sys.argv[3:]:
    importlib.import_module(name)
open_machine(Knobs(target="local"))
print(*sys.modules)
"""


def test_nothing_that_only_some_need() -> None:
    verbs = [verb for verb in VERBS if verb not in OF_GOOGLE | OPENS_PDFS]
    command = [sys.executable, "-c", START, str(ROOT / "tools"), str(ROOT / "vm_side"), *verbs]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert len(verbs) > 15
    assert not set(HEAVY) & set(done.stdout.split())
