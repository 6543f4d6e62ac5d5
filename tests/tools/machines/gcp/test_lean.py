"""The part of Google's library that we load behaves like the whole library."""

import re
import subprocess
import sys

from rig.toolkit import ROOT

GCP = ROOT / "tools" / "lib" / "machines" / "gcp"
USED = sorted(
    {
        name
        for path in GCP.glob("*.py")
        for name in re.findall(r"compute_v1\.(\w+)", path.read_text())
    }
)
ASK = f"print([getattr(compute_v1, name).__module__ for name in {USED}])"
STAYS = "print(g.compute_v1.__file__ is not None, compute_v1.__version__ != '')"


def run(script: str) -> str:
    """Run a script that can import tools/ and vm_side/; return what it prints."""
    path = f"import sys; sys.path[:0] = {[str(ROOT / 'tools'), str(ROOT / 'vm_side')]}\n"
    done = subprocess.run(
        [sys.executable, "-c", path + script], capture_output=True, text=True, check=True
    )
    return done.stdout


def test_what_is_used_is_what_the_whole_library_has() -> None:
    """If the whole library is loaded already, it stays."""
    google, ours = "from google.cloud import compute_v1", "import lib.machines.gcp"
    whole = run(f"{google}; {ours}; import google.cloud as g; {STAYS}; {ASK}")
    lean = run(f"{ours}; {google}; {ASK}")
    assert len(USED) > 20
    assert whole == f"True True\n{lean}"


def test_what_is_not_asked_is_not_loaded() -> None:
    script = "import lib.machines.gcp.machine as machine; machine.compute_v1.InstancesClient"
    loaded = run(f"{script}; print([*sys.modules])")
    services = set(re.findall(r"compute_v1\.services\.(\w+)'", loaded))
    assert "instances" in services
    assert len(services) < 5  # of a hundred; one service may need another


def test_what_is_not_in_it_is_missing() -> None:
    names = ["Nothing", "NothingClient", "_nothing", "__path"]
    ask = f"print([hasattr(compute_v1, name) for name in {names}])"
    said = run(f"import lib.machines.gcp; from google.cloud import compute_v1; {ask}")
    assert said.split() == ["[False,", "False,", "False,", "False]"]
